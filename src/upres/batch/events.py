"""What happens while many pictures are enlarged: one value an event, for bars, logs, machines."""

import json
from dataclasses import dataclass
from typing import Any

from upres.batch.jobs import Job
from upres.errors import UpresError, WorkFailed


@dataclass(frozen=True)
class Written:
    """A result. width, height: of each of its frames. redone: tiles computed again in float32."""

    width: int
    height: int
    frames: int = 1
    tiles: int = 0
    redone: int = 0

    @property
    def megapixels(self) -> float:
        """Of all frames."""
        return self.width * self.height * self.frames / 1e6


@dataclass(frozen=True)
class Planned:
    """Before the first picture: how many there are."""

    pictures: int


@dataclass(frozen=True)
class Started:
    """A picture is being enlarged."""

    job: Job


@dataclass(frozen=True)
class Progressed:
    """A tile of a picture is done."""

    job: Job
    tiles: int
    of: int


@dataclass(frozen=True)
class Done:
    """A result stands under its name."""

    job: Job
    written: Written
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """The result stood there: of the same picture, by the same model with the same options."""

    job: Job


@dataclass(frozen=True)
class Failed:
    """A picture could not be enlarged, and why, in one sentence."""

    job: Job
    error: UpresError

    @property
    def line(self) -> str:
        """The error, after the picture's path where it names neither that nor the result's."""
        told = str(self.error)
        named = str(self.job.source) in told or str(self.job.target) in told
        return told if named else f"{self.job.source}: {told}"


@dataclass(frozen=True)
class Summary:
    """What became of all pictures. megapixels: written. seconds: from first to last."""

    done: int = 0
    skipped: int = 0
    failures: tuple[Failed, ...] = ()
    megapixels: float = 0.0
    seconds: float = 0.0
    tiles: int = 0
    redone: int = 0

    @property
    def line(self) -> str:
        """All of it in one line."""
        speed = self.megapixels / self.seconds if self.seconds > 0 else 0.0
        return (
            f"{self.done} done, {self.skipped} skipped, {len(self.failures)} failed; "
            f"{self.megapixels:.1f} megapixels at {speed:.2f} a second; "
            f"{self.redone} of {self.tiles} tiles redone in float32."
        )

    def raise_if_failed(self) -> None:
        """Raise one error that tells of all failures: WorkFailed unless nothing was begun."""
        if not self.failures:
            return
        pictures = self.done + self.skipped + len(self.failures)
        if pictures == 1:
            raise self.failures[0].error
        lines = [f"{len(self.failures)} of {pictures} pictures failed:"]
        lines += [f"  {failed.line}" for failed in self.failures]
        none_begun = len(self.failures) == pictures and all(
            failed.error.exit_code == 2 for failed in self.failures
        )
        raise (UpresError if none_begun else WorkFailed)("\n".join(lines))


@dataclass(frozen=True)
class Finished:
    """After the last picture."""

    summary: Summary


Event = Planned | Started | Progressed | Done | Skipped | Failed | Finished


def to_json(event: Event) -> str:
    """Return the event as JSON in one line of ASCII: `event` names it, paths are as given."""
    return json.dumps({"event": type(event).__name__.lower(), **_fields(event)})


def _fields(event: Event) -> dict[str, Any]:
    match event:
        case Planned(pictures):
            return {"pictures": pictures}
        case Started(job) | Skipped(job):
            return _paths(job)
        case Progressed(job, tiles, of):
            return {**_paths(job), "tiles": tiles, "of": of}
        case Done(job, written, seconds):
            return {**_paths(job), **vars(written), "seconds": round(seconds, 3)}
        case Failed(job, error):
            return {**_paths(job), "error": str(error), "exit_code": error.exit_code}
        case Finished(summary):
            return {**vars(summary), "failures": [_fields(failed) for failed in summary.failures]}


def _paths(job: Job) -> dict[str, str]:
    return {"source": str(job.source), "target": str(job.target)}
