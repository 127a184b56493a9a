"""`upres report`: runs and evaluations as one page."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of runs, and JSON files of `upres evaluate --json` (pictures are looked "
            "for beside them).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The page; by default report.html, inside the run if it is one."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
) -> None:
    """Write one HTML page of SOURCEs that needs no network: scores, pictures, curves, recipe."""
    from datetime import date

    from upres import __version__
    from upres.cli.stopping import command_line
    from upres.errors import BadSetting
    from upres.report.page import write_report
    from upres.report.sources import combine, read_source

    if output is None:
        alone = len(sources) == 1 and sources[0].is_dir()
        output = (sources[0] if alone else Path()) / "report.html"
    if any(source.resolve() == output.resolve() for source in sources):
        raise BadSetting(f"{output} is what the report is made from; give -o another name.")
    read = [read_source(source) for source in sources]
    evaluations, pictures = combine(read)
    recipes = {source.recipe_yaml: source.label for source in reversed(read) if source.recipe_yaml}
    write_report(
        output,
        title=title or ", ".join(source.label for source in read),
        evaluation=evaluations,
        pictures=pictures,
        runs=[source.run for source in read if source.run is not None],
        recipe_yaml="\n".join(
            text if len(recipes) == 1 else f"# {label}\n{text}" for text, label in recipes.items()
        ),
        notes=[f"Made by upres {__version__} on {date.today()}: `{command_line()}`."],
    )
    typer.echo(str(output))
