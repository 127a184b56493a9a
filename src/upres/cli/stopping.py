"""What long commands share: the command as it was typed, and a Ctrl-C that loses nothing."""

import contextlib
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator

_SAME_SECONDS = 1.0  # within which a second signal is the echo of the first


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["upres", *sys.argv[1:]])


@contextlib.contextmanager
def stop_on_ctrl_c(*others: signal.Signals) -> Iterator[Callable[[], bool]]:
    """Let the step in hand end before a first Ctrl-C stops the run; a second stops at once.

    others: signals that ask for the same, as a cluster does before it takes a machine away.
    """
    asked: list[float] = []

    def ask(number: int, frame: object) -> None:
        asked.append(time.monotonic())
        # the terminal and torchrun pass the same Ctrl-C on
        if asked[-1] - asked[0] > _SAME_SECONDS:
            put_back()
            signal.raise_signal(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, *others)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield lambda: bool(asked)
    finally:
        put_back()
