"""`upres report`: runs and evaluations as one page, or their scores as a table in a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upres.report.sources import Source

PAGE, TABLES = ".html", (".md", ".csv", ".tex")


def report(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of runs or of `upres evaluate --save`, and JSON files of `upres evaluate "
            "--json` (pictures are looked for beside them).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The page, or by its ending the scores alone: .md, .csv or .tex (booktabs). By "
            "default report.html, inside the run if it is one.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    mixed: Annotated[
        bool,
        typer.Option(
            "--mixed", help="Let different protocols share a table; each row says its own."
        ),
    ] = False,
) -> None:
    """Write one HTML page of SOURCEs that needs no network: scores, pictures, curves, recipe."""
    from upres.atomic import write_text
    from upres.report.sources import gaps, read_source, require_one_protocol

    output = _checked(output, sources)
    read = {str(path): read_source(path) for path in sources}
    if not mixed:
        require_one_protocol(read)
    missing = [sentence for source in read.values() for sentence in gaps(source)]
    if output.suffix.lower() == PAGE:
        _write_page(output, list(read.values()), title, missing, mixed)
        for sentence in missing:
            typer.echo(sentence, err=True)
    else:
        write_text(output, _tables(output, list(read.values()), mixed))
    typer.echo(str(output))


def _checked(output: Path | None, sources: Sequence[Path]) -> Path:
    """Return where to write. Raises BadSetting for an unknown ending and for one of the sources."""
    from upres.errors import BadSetting

    if output is None:
        alone = len(sources) == 1 and sources[0].is_dir()
        output = (sources[0] if alone else Path()) / "report.html"
    if any(source.resolve() == output.resolve() for source in sources):
        raise BadSetting(f"{output} is what the report is made from; give -o another name.")
    if output.suffix.lower() not in (PAGE, *TABLES):
        raise BadSetting(
            f"{output} ends in {output.suffix or 'nothing'}; a report is a page (.html) or a table "
            f"of the scores (.md, .csv, .tex), so give -o one of these endings."
        )
    return output


def _write_page(
    output: Path, sources: "list[Source]", title: str | None, missing: Sequence[str], mixed: bool
) -> None:
    from datetime import date

    from upres import __version__
    from upres.cli.stopping import command_line
    from upres.report.page import write_report
    from upres.report.sources import combine
    from upres.report.tables import Mixed

    evaluations, pictures = combine(sources)
    recipes = {s.recipe_yaml: s.label for s in reversed(sources) if s.recipe_yaml}
    write_report(
        output,
        title=title or ", ".join(source.label for source in sources),
        evaluation=Mixed(evaluations) if mixed else evaluations,
        pictures=pictures,
        runs=[source.run for source in sources if source.run is not None],
        recipe_yaml="\n".join(
            text if len(recipes) == 1 else f"# {label}\n{text}" for text, label in recipes.items()
        ),
        notes=[*missing, f"Made by upres {__version__} on {date.today()}: `{command_line()}`."],
    )


def _tables(output: Path, sources: "list[Source]", mixed: bool) -> str:
    """Return the scores as the ending of `output` says. Raises BadRun where there are none."""
    from upres.errors import BadRun
    from upres.report.exports import as_csv, as_markdown
    from upres.report.latex import as_latex
    from upres.report.sources import combine
    from upres.report.tables import Mixed, score_tables

    evaluations, _ = combine(sources)
    if not evaluations:
        raise BadRun(
            f"{', '.join(source.label for source in sources)}: no scores yet, so there is no table "
            f"to write; a run is judged at its end, and `upres evaluate` judges its checkpoints."
        )
    if output.suffix.lower() == ".csv":
        return as_csv(evaluations)
    tables = score_tables(Mixed(evaluations) if mixed else evaluations)
    return as_latex(tables) if output.suffix.lower() == ".tex" else as_markdown(tables)
