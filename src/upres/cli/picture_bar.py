"""How far the enlarging is: a bar on a terminal, JSON for machines, and the paths of results."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import typer

from upres.batch.events import Done, Event, Failed, Planned, Progressed, Skipped, to_json

AVERAGED: Final = 300.0  # seconds over which the time left is judged: tiles may take a minute each


@contextlib.contextmanager
def telling(*, as_json: bool, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """Yield what is told of each event.

    As JSON: each at once, a line each, on stdout. Otherwise a bar on stderr where that is a
    terminal, and after it, also after Ctrl-C, the sorted paths of the results on stdout.
    """
    if as_json:
        yield _print_json
        return
    written: list[Path] = []
    try:
        with _bar(quiet=quiet) as show:

            def tell(event: Event) -> None:
                if isinstance(event, Done):
                    written.append(event.job.target)
                show(event)

            yield tell
    finally:  # not between, where they would tear the bar
        typer.echo("".join(f"{path}\n" for path in sorted(written)), nl=False)


def _print_json(event: Event) -> None:
    typer.echo(to_json(event))


@contextlib.contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """Yield what draws the bar: pictures, of the one in hand its tiles, and the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        speed_estimate_period=AVERAGED,
        redirect_stdout=False,
        disable=quiet or not console.is_terminal,
    ) as bar:
        task = bar.add_task("pictures")
        pictures = ended = 0
        parts: dict[Path, float] = {}  # of pictures that are begun

        def show(event: Event) -> None:
            nonlocal pictures, ended
            match event:
                case Planned(count):
                    pictures = count
                case Progressed(job, tiles, of):
                    parts[job.source] = tiles / of
                    bar.update(task, description=job.source.name)
                case Done(job) | Skipped(job) | Failed(job):
                    ended += 1
                    parts.pop(job.source, None)
            bar.update(task, total=pictures, completed=ended + sum(parts.values()))

        yield show
