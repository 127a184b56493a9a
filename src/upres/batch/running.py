"""Many pictures, one after another and a little beside each other: nothing is lost or done twice.

A few threads each take a whole picture, so that while some compute, the next one is decoded and the
last one encoded. How many compute at once is the network's affair (`upscaling.turns`).
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any

from upres.batch.events import (
    Done,
    Event,
    Failed,
    Finished,
    Planned,
    Progressed,
    Skipped,
    Started,
    Summary,
    Written,
)
from upres.batch.jobs import Job
from upres.batch.leftovers import remove_leftovers
from upres.batch.manifest import Identity, Manifest, identity_of, open_manifest
from upres.errors import BadSetting, Interrupted, UpresError, WorkFailed
from upres.upscaling.upscaler import Progress

# Enlarges a job's picture; the second argument: whether a file of the target's name is replaced.
Work = Callable[[Job, bool, Progress], Written]
OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Crowd:
    """How many pictures are in hand at once, and how much of something, say memory, they may take.

    weigh: how much a picture takes. One that takes more than there is waits until it is alone.
    """

    pictures: int = 3  # one is decoded, one in the network, one encoded
    room: int = 0
    weigh: Callable[[Job], int] = lambda _job: 0


THREE = Crowd()


def run_jobs(
    jobs: Sequence[Job],
    work: Work,
    *,
    made_by: Mapping[str, Any],
    manifest: Path | None = None,
    overwrite: bool = False,
    crowd: Crowd = THREE,
    on_event: OnEvent = lambda _event: None,
) -> Summary:
    """Do all jobs and return what became of them; one bad picture does not stop the others.

    made_by: all that changes a result apart from its picture: the model, what was chosen; as JSON
    has it. manifest: where results are noted; those that it has with the same picture and the same
    made_by are skipped. overwrite: other files may be replaced. on_event: told of everything, by
    one thread at a time; what it raises ends the run.
    Raises Interrupted after Ctrl-C, which leaves no half file; BadSetting, NoSpace for a manifest.
    """
    with contextlib.ExitStack() as files:
        notes = None
        if manifest is not None:
            targets = [job.target for job in jobs]
            notes = files.enter_context(open_manifest(manifest, targets, made_by))
            remove_leftovers(targets)
        run = _Run(jobs, work, made_by, notes, overwrite, crowd, on_event)
        try:
            return run.finished()
        except _Deaf as error:  # told of the first or the last event, which no thread tells
            raise error.__cause__ or error from None


class _Stopped(Exception):
    """Ends the work on a picture between two tiles."""


class _Run:
    def __init__(
        self,
        jobs: Sequence[Job],
        work: Work,
        made_by: Mapping[str, Any],
        notes: Manifest | None,
        overwrite: bool,
        crowd: Crowd,
        on_event: OnEvent,
    ) -> None:
        self._jobs = list(dict.fromkeys(jobs))
        self._work, self._made_by, self._notes = work, made_by, notes
        self._overwrite, self._crowd, self._on_event = overwrite, crowd, on_event
        self._room = _Room(crowd.room)
        self._clashes = _clashes(self._jobs)
        self._next = iter(self._jobs)
        self._lock = Lock()
        self._summary = Summary()
        self._broken: BaseException | None = None  # what ends the run
        self._stop = False

    def finished(self) -> Summary:
        began = time.perf_counter()
        self._tell(Planned(len(self._jobs)))
        count = min(self._crowd.pictures, len(self._jobs))
        ends: list[threading.Event] = []  # a Ctrl-C in `join` makes a living thread an ended one
        try:
            if count == 1:
                self._take_jobs()
            else:
                for _ in range(count):
                    ends.append(threading.Event())
                    Thread(target=self._take_jobs_beside, args=ends[-1:], daemon=True).start()
                for end in ends:
                    end.wait()
        except KeyboardInterrupt:
            self._stop = True  # the threads end at their next tile; a second Ctrl-C does not wait
            for end in ends:
                end.wait()
            self._broken = KeyboardInterrupt()
        if isinstance(self._broken, KeyboardInterrupt):
            raise Interrupted(
                f"stopped after {self._summary.done + self._summary.skipped} of "
                f"{len(self._jobs)} pictures; no half-written file is left, and the same command "
                f"goes on."
            )
        if self._broken is not None:
            raise self._broken
        place = {job: number for number, job in enumerate(self._jobs)}
        failures = sorted(self._summary.failures, key=lambda failed: place[failed.job])
        seconds = time.perf_counter() - began
        self._summary = replace(self._summary, failures=tuple(failures), seconds=seconds)
        self._tell(Finished(self._summary))
        return self._summary

    def _take_jobs_beside(self, ended: threading.Event) -> None:
        try:
            self._take_jobs()
        finally:
            ended.set()

    def _take_jobs(self) -> None:
        while not self._stop:
            with self._lock:
                job = next(self._next, None)
            if job is None:
                return
            try:
                self._do(job)
            except _Stopped:
                return
            except _Deaf as error:
                self._broken, self._stop = error.__cause__, True
                return
            except BaseException as error:
                self._broken, self._stop = error, True
                return

    def _do(self, job: Job) -> None:
        try:
            self._attempt(job)
        except UpresError as error:
            self._fail(job, error)
        except (_Stopped, _Deaf):
            raise
        except Exception as error:
            told = WorkFailed(f"{job.source}: {type(error).__name__}: {error}")
            told.__cause__ = error
            self._fail(job, told)

    def _attempt(self, job: Job) -> None:
        if job in self._clashes:
            raise self._clashes[job]
        identity, standing = None, "none"
        if self._notes is not None:
            identity = identity_of(job.source, self._made_by)
            standing = self._notes.standing(job, identity)
        if standing == "done":
            self._tell(Skipped(job))
            return
        may_replace = self._overwrite or standing == "ours"
        if job.target.exists() and not may_replace:
            raise _exists(job, by_us=standing == "other")
        with self._room.taken(self._crowd.weigh(job)):
            if self._stop:
                raise _Stopped
            self._enlarge(job, identity, may_replace)

    def _enlarge(self, job: Job, identity: Identity | None, may_replace: bool) -> None:
        self._tell(Started(job))
        began = time.perf_counter()
        if self._notes is not None and identity is not None:
            self._notes.begun(job, identity)

        def progress(tiles: int, of: int) -> None:
            if self._stop:
                raise _Stopped
            self._tell(Progressed(job, tiles, of))

        written = self._work(job, may_replace, progress)
        seconds = time.perf_counter() - began
        if self._notes is not None and identity is not None:
            self._notes.done(job, identity, written, seconds)
        self._tell(Done(job, written, seconds))

    def _fail(self, job: Job, error: UpresError) -> None:
        if self._notes is not None:
            with contextlib.suppress(UpresError):  # the picture's own error is the one to tell
                self._notes.failed(job, error)
        self._tell(Failed(job, error))

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._summary = _counted(self._summary, event)
            try:
                self._on_event(event)
            except Exception as error:
                raise _Deaf from error


class _Deaf(Exception):
    """What is told of events has failed; its cause says how."""


class _Room:
    """So much of something that several threads share."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._changed = Condition()

    @contextlib.contextmanager
    def taken(self, part: int) -> Iterator[None]:
        """Wait for room and hold it; all of it for a part that is larger."""
        part = min(part, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + part <= self._size)
            self._taken += part
        try:
            yield
        finally:
            with self._changed:
                self._taken -= part
                self._changed.notify_all()


def _counted(summary: Summary, event: Event) -> Summary:
    match event:
        case Done(written=written):
            return replace(
                summary,
                done=summary.done + 1,
                megapixels=summary.megapixels + written.megapixels,
                tiles=summary.tiles + written.tiles,
                redone=summary.redone + written.redone,
            )
        case Skipped():
            return replace(summary, skipped=summary.skipped + 1)
        case Failed():
            return replace(summary, failures=(*summary.failures, event))
    return summary


def _clashes(jobs: Sequence[Job]) -> dict[Job, UpresError]:
    """Return the jobs that would overwrite an input or another one's result."""
    folders: dict[Path, Path] = {}

    def real(path: Path) -> Path:
        return folders.setdefault(path.parent, path.parent.resolve()) / path.name

    sources = {real(job.source) for job in jobs}
    first: dict[Path, Path] = {}
    clashes: dict[Job, UpresError] = {}
    for job in jobs:
        target = real(job.target)
        taken = first.setdefault(target, job.source)
        if target in sources:
            clashes[job] = BadSetting(
                f"{job.target} is an input of this call; give another output."
            )
        elif taken != job.source:
            clashes[job] = BadSetting(
                f"{job.source} and {taken} would both be written to {job.target}."
            )
    return clashes


def _exists(job: Job, *, by_us: bool) -> UpresError:
    made = " and was made from another picture, or with other options" if by_us else ""
    return BadSetting(
        f"{job.target} exists{made}; pass --overwrite to replace it, or another output."
    )
