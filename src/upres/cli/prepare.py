"""`upres prepare`: a folder of photos becomes a store to train on."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upres.data.appending import Progress
    from upres.data.records import PrepareReport
    from upres.images.resize import ResizerName

_NAMES_SHOWN = 20  # of each reason; store.json has them all


def prepare(
    folder: Annotated[
        Path,
        typer.Argument(help="The photos; folders below it count too. With --verify: the store."),
    ],
    store: Annotated[
        Path | None,
        typer.Argument(help="The folder to write; photos of an older store there are taken over."),
    ] = None,
    scale: Annotated[int, typer.Option(min=2, max=8, help="How many times smaller LR is.")] = 4,
    resizer: Annotated[str, typer.Option(help="The bicubic that makes LR.")] = "matlab",
    min_side: Annotated[
        int, typer.Option(min=1, help="Leave out photos with a shorter side, in pixels.")
    ] = 128,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every picture of a store with its hash.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> None:
    """Decode the photos once, make their LR, and part them into train, validation and test.

    Called again for a store, it decodes what is new only, and moves no photo to another side.
    """
    from upres.data.store import prepare as prepare_store
    from upres.data.verifying import verify as verify_store
    from upres.errors import BadSetting

    if verify:
        if store is not None:
            raise BadSetting("--verify takes the store alone: `upres prepare --verify STORE`.")
        with _progress(quiet) as tell:
            verified = verify_store(folder, progress=tell)
        _tell(_shortened(verified.damaged, "") if not quiet else [])
        verified.refuse_damaged()
        print(f"{folder}: {verified.photos} photos, all as they were prepared")
        return
    if store is None:
        raise BadSetting("give the folder to write too: `upres prepare FOLDER STORE`.")
    known = _resizer(resizer)
    with _progress(quiet) as tell:
        report = prepare_store(
            folder, store, scale=scale, resizer=known, min_side=min_side, progress=tell
        )
    _tell(_remarks(report) if not quiet else [])
    print(report.summary())


@contextlib.contextmanager
def _progress(quiet: bool) -> "Iterator[Progress]":
    """Yield what shows progress on a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    hidden = quiet or not sys.stderr.isatty()
    with Bar(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield tell


def _tell(lines: list[str]) -> None:
    from rich.console import Console

    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in lines:
        stderr.print(line, markup=False)


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


def _shortened(items: "Sequence[str]", where: str = " (see store.json)") -> list[str]:
    more = len(items) - _NAMES_SHOWN
    lines = [f"  {item}" for item in items[:_NAMES_SHOWN]]
    return [*lines, f"  and {more} more{where}"] if more > 0 else lines
