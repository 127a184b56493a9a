"""`upres self-check`: the bicubic row of a benchmark, by every chain, beside the published one."""

from pathlib import Path
from typing import Annotated

import typer

from upres.cli.options import Quiet

SCALES = (2, 3, 4)


def self_check(
    data: Annotated[
        Path, typer.Option(help="Folder of the HR pictures of a benchmark, or one with HR/ in it.")
    ],
    scale: Annotated[int | None, typer.Option(min=2, max=4, help="By default 2, 3 and 4.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="NAME",
            help="Set5, Set14, BSD100, Urban100 or Manga109, where the folder does not say so.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write all digits.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compute the bicubic row of a benchmark by every chain and compare it with the published one.

    It says which chain the published row is, and in which digits the others differ. It ends with 1
    where a chain is not what an independent implementation has for it.
    """
    from json import dumps

    from rich.console import Console
    from rich.progress import Progress

    from upres.atomic import refuse_target, write_text
    from upres.errors import WorkFailed
    from upres.evaluation.reference import CHAINS, PICTURES
    from upres.evaluation.self_check import check_row, recognised
    from upres.evaluation.self_check_table import check_text, wrong_words

    if json is not None:
        refuse_target(json)
    name = recognised(data, dataset)
    scales = SCALES if scale is None else (scale,)
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    checks = []
    with Progress(console=console, transient=True, disable=hidden) as progress:
        total = len(scales) * len(CHAINS) * PICTURES[name]
        task = progress.add_task("judging", total=total)
        for one in scales:
            checks.append(check_row(data, name, one, lambda: progress.advance(task)))
    typer.echo("\n".join(check_text(check) for check in checks), nl=False)
    if json is not None:
        write_text(json, dumps([check.model_dump() for check in checks], indent=2) + "\n")
    wrong = [line for check in checks for line in wrong_words(check)]
    if wrong:
        raise WorkFailed(
            "\n  ".join([f"{data} does not give the rows of {name}:", *wrong])
            + "\nThese are other pictures, or cropped or stored anew: take the HR of the SelfExSR "
            "collection."
        )
