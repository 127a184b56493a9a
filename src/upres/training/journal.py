"""A run's metrics.jsonl: one JSON object a line, in the order of the steps."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upres.atomic import write_text
from upres.errors import NoSpace

Event = dict[str, Any]


class Journal:
    """Appends events to a file and hands each to a listener (the live line)."""

    def __init__(self, path: Path, listener: Callable[[Event], None]) -> None:
        self.path = path
        self._listener = listener

    def write(self, event: Event) -> None:
        """Append one event. Values that are not finite are written as null. Raises NoSpace."""
        line = json.dumps(_finite(event), ensure_ascii=False) + "\n"
        try:
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(line)
        except OSError as error:
            raise NoSpace(
                f"{self.path} could not be written: {(error.strerror or str(error)).lower()}; "
                "make room, and the same command goes on from the last saved state."
            ) from error
        self._listener(event)

    def keep_until(self, stage: str, step: int) -> None:
        """Drop what a stopped run wrote after its last saved state; it will be done again."""
        kept = [event for event in read_events(self.path) if not _later(event, stage, step)]
        write_text(
            self.path, "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept)
        )


def read_events(path: Path) -> list[Event]:
    """Return the events of a run; a last line cut short by a crash is left out."""
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return events


def _later(event: Event, stage: str, step: int) -> bool:
    """The validation at the saved step itself is done again only where the step is 0."""
    at = event.get("step")
    if event.get("stage") != stage or at is None:
        return False
    return bool(at > step or step == 0)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(child) for key, child in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
