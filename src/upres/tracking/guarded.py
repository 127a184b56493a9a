"""A tracker that can neither stop a training nor slow it."""

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from upres.errors import UpresError
from upres.tracking.strips import strip
from upres.tracking.tracker import Event, Pixels, Tracker

Crops = Mapping[str, tuple[Pixels, Pixels, Pixels]]  # by name: lr, sr, hr

_WAITING = 1000  # calls; more means that the tracker hangs
_SHOWN = 4  # crops of a validation: the first ones, so always the same


class Guarded:
    """Calls a tracker in a thread of its own; at its first failure it is left out.

    name: what warnings call it. folder: the run's; it is looked at when the first event comes,
    for then it is there. warn: is given one sentence, at most once, from any thread.
    patience: seconds that `close` waits for what is still to be done.
    """

    def __init__(
        self,
        tracker: Tracker,
        name: str,
        folder: Path,
        warn: Callable[[str], None],
        *,
        patience: float = 60.0,
    ) -> None:
        self._tracker, self._name, self._folder, self._warn = tracker, name, folder, warn
        self._patience = patience
        self._calls: queue.Queue[Callable[[], None] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._left_out = threading.Event()
        self._one_warning = threading.Lock()

    def event(self, event: Event) -> None:
        """Hand one event over; returns at once."""
        self._ask(lambda: self._tracker.event(event))

    def pictures(self, stage: str, step: int, crops: Crops) -> None:
        """Hand the crops of a validation over; returns at once. They may not change later."""
        shown = list(crops.items())[:_SHOWN]
        self._ask(
            lambda: self._tracker.pictures(stage, step, {name: strip(*c) for name, c in shown})
        )

    def close(self) -> None:
        """Let the tracker end, for `patience` seconds; a tracker that heard nothing never was."""
        if self._thread is None:
            return
        self._ask(None)
        if not self._left_out.is_set():
            self._thread.join(self._patience)
        if self._thread.is_alive():
            self._leave_out(f"it did not end within {self._patience:g} s.")

    def _ask(self, call: Callable[[], None] | None) -> None:
        if self._left_out.is_set():
            return
        if self._thread is None:
            # a daemon: a tracker that hangs may not keep the program from ending
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self._leave_out("it does not keep up.")

    def _work(self) -> None:
        try:
            self._tracker.start(self._folder)
            while not self._left_out.is_set() and (call := self._calls.get()) is not None:
                call()
            self._tracker.close()
        except UpresError as error:
            self._leave_out(str(error))
        except BaseException as error:  # SystemExit, too: in a thread it would pass unseen
            self._leave_out(_said(error))
        if self._left_out.is_set():
            with contextlib.suppress(BaseException):
                self._tracker.close()

    def _leave_out(self, why: str) -> None:
        with self._one_warning:
            if self._left_out.is_set():
                return
            self._left_out.set()
        self._warn(f"Warning: training goes on without {self._name}: {why}")


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}{f' ({lines[0]})' if lines else ''}."
