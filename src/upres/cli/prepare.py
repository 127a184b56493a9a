"""`upres prepare`: a folder of photos becomes a store to train on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upres.data.records import PrepareReport
    from upres.images.resize import ResizerName

_NAMES_SHOWN = 20  # of each reason; store.json has them all


def prepare(
    folder: Annotated[Path, typer.Argument(help="The photos; folders below it count too.")],
    store: Annotated[Path, typer.Argument(help="The folder to write; an older store is replaced.")],
    scale: Annotated[int, typer.Option(min=2, max=8, help="How many times smaller LR is.")] = 4,
    resizer: Annotated[str, typer.Option(help="The bicubic that makes LR.")] = "matlab",
    min_side: Annotated[
        int, typer.Option(min=1, help="Leave out photos with a shorter side, in pixels.")
    ] = 128,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> None:
    """Decode the photos once, make their LR, and part them into train, validation and test."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from upres.data.store import prepare as prepare_store

    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    known = _resizer(resizer)
    with Progress(console=stderr, transient=True, disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading photos", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        report = prepare_store(
            folder, store, scale=scale, resizer=known, min_side=min_side, progress=tell
        )
    if not quiet:
        for line in _remarks(report):
            stderr.print(line, markup=False)
    print(report.summary())


def _resizer(name: str) -> "ResizerName":
    from upres.errors import BadSetting, suggestion
    from upres.images.resize import RESIZERS

    for known in RESIZERS:
        if known == name:
            return known
    raise BadSetting(f"{name!r} is no resizer; {suggestion(name, RESIZERS)}")


def _remarks(report: "PrepareReport") -> list[str]:
    """Return the names of what was left out, and of near duplicates, a few lines a reason."""
    from upres.data.records import REASONS

    lines = []
    for reason in REASONS:
        files = [file for file in report.left_out if file.reason == reason]
        if files:
            lines.append(f"left out, {reason} ({len(files)}):")
            lines += _shortened([f"{file.name}: {file.detail}" for file in files])
    if report.near_duplicates:
        lines.append(f"near duplicates, each group on one side ({len(report.near_duplicates)}):")
        lines += _shortened([", ".join(names) for names in report.near_duplicates])
    return lines


def _shortened(items: list[str]) -> list[str]:
    more = len(items) - _NAMES_SHOWN
    lines = [f"  {item}" for item in items[:_NAMES_SHOWN]]
    return [*lines, f"  and {more} more (see store.json)"] if more > 0 else lines
