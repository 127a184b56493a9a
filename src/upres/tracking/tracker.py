"""What a tracker is: something outside that is told how a run goes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Event = Mapping[str, Any]  # a line of metrics.jsonl
Pixels = NDArray[np.uint8]  # (h, w, 3) RGB

_SHOWN = ("step", "validation")
_NOT_A_CURVE = ("event", "stage", "step", "seconds_left", "seconds")
_PLACES = {
    "images_per_second": "speed/images_per_second",
    "data_wait_share": "speed/data_wait_share",
    "metrics": "validation",
}


class Tracker(Protocol):
    """Is told of one life of a run, in the order in which things happen.

    A stage's life begins with an event `stage`, whose `from_step` is the last step that stays
    done: what a tracker was told of later steps of that stage will be done, and told, again.
    Any call may raise: whoever calls goes on without the tracker (`guarded.Guarded`).
    """

    def start(self, folder: Path) -> None:
        """Begin; `folder` is the run's, with run.json and recipe.yaml in it."""

    def event(self, event: Event) -> None:
        """Take one event of the journal."""

    def pictures(self, stage: str, step: int, pictures: Mapping[str, Pixels]) -> None:
        """Take the pictures of a validation, LR to HR side by side, by the names of their crops."""

    def close(self) -> None:
        """End; also after `start` or another call has failed."""


def curves(event: Event) -> dict[str, float]:
    """Return the numbers of a step or a validation by names such as `terms/pixel`.

    Other events have none. Fields that are absent or null are left out; those that are not
    known here keep their names, so a new field of the journal is a new curve.
    """
    if event["event"] not in _SHOWN:
        return {}
    fields = {_PLACES.get(k, k): value for k, value in event.items() if k not in _NOT_A_CURVE}
    return dict(_numbers(fields, ""))


def verdict_text(event: Event) -> str:
    """Return what a verdict says, whether it begins or ends, and the fields that change it."""
    fields = ", ".join(event.get("fields", ()))
    return f"{event['text']} ({event['state']})" + (f"; see {fields}" if fields else "")


def _numbers(node: Mapping[str, Any], above: str) -> Iterator[tuple[str, float]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}/")
        elif isinstance(value, int | float):
            yield f"{above}{key}", float(value)
