"""Trackers by what the command line calls them, all of a run as one."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from upres.errors import BadSetting, suggestion
from upres.tracking.guarded import Crops, Guarded
from upres.tracking.tensorboard import TensorBoard
from upres.tracking.tracker import Event, Tracker
from upres.tracking.wandb import WandB

TRACKERS: Mapping[str, Callable[[], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": WandB,
    "wandb:offline": partial(WandB, offline=True),
}


class Trackers:
    """All trackers of a run: `event` is a listener of the journal, `pictures` one of validations.

    It is false where there are none, so nobody needs to make pictures.
    """

    def __init__(self, trackers: Sequence[Guarded] = ()) -> None:
        self._trackers = tuple(trackers)

    def __bool__(self) -> bool:
        return bool(self._trackers)

    def event(self, event: Event) -> None:
        for tracker in self._trackers:
            tracker.event(event)

    def pictures(self, stage: str, step: int, crops: Crops) -> None:
        for tracker in self._trackers:
            tracker.pictures(stage, step, crops)

    def close(self) -> None:
        for tracker in self._trackers:
            tracker.close()


def check_names(names: Sequence[str]) -> None:
    """Raise BadSetting for a tracker that does not exist or is named twice."""
    for name in names:
        if name not in TRACKERS:
            raise BadSetting(f"there is no tracker {name!r}: {suggestion(name, TRACKERS)}")
    kinds = [name.partition(":")[0] for name in names]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise BadSetting(f"--track {kind} is given twice: once is enough.")


@contextlib.contextmanager
def tracking(names: Sequence[str], folder: Path, warn: Callable[[str], None]) -> Iterator[Trackers]:
    """Yield the trackers of these names for the run in `folder`; they end with the block.

    Nothing is imported or written before the first event. warn: is given one sentence for each
    tracker that fails, from any thread. Raises BadSetting.
    """
    check_names(names)
    trackers = Trackers([Guarded(TRACKERS[name](), name, folder, warn) for name in names])
    try:
        yield trackers
    finally:
        trackers.close()
