"""What long commands share: the command as it was typed, and a Ctrl-C that loses nothing."""

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["upres", *sys.argv[1:]])


@contextlib.contextmanager
def stop_on_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Let the step in hand end before a first Ctrl-C stops the run; a second stops at once."""
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
