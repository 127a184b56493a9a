"""How far the judging is: a bar on a terminal, nothing where stderr is a file."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def showing(total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Yield what is called after each of `total` pictures."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("judging", total=total)
        yield lambda: progress.advance(task)
