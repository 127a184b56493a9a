"""What was written from what: a line of JSON for each step of each picture, for resuming and audit.

A result counts as done when the manifest has it with the same key, which is made of the input's
content, the model and everything that was chosen; that a file of its name exists says nothing.
Before a result gets its name, a line says that it is about to: a name that stands after such a line
alone is ours, and is written again.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from upres.batch.events import Written
from upres.batch.jobs import Job, Shard
from upres.errors import BadPicture, BadSetting, NoSpace

try:
    import fcntl
except ImportError:  # Windows has no such locks: there two processes are not kept apart
    fcntl = None  # type: ignore[assignment]

NAME = "upres-manifest"
Standing = Literal["none", "done", "other", "ours"]


@dataclass(frozen=True)
class Identity:
    """The content of a picture and of all that decides its result."""

    picture: str  # sha256 of the file
    key: str  # sha256 of picture and of what made_by holds


@dataclass
class Manifest:
    """An open manifest; made by `open_manifest`. Threads may share it."""

    path: Path
    _file: io.FileIO
    _last: dict[str, dict[str, Any]]  # by target, of the targets that were asked for
    _torn: bool
    _lock: Lock = field(default_factory=Lock)

    def standing(self, job: Job, identity: Identity) -> Standing:
        """What stands at the job's target.

        none: nothing that we know of. done: the very result. other: a result of ours from another
        picture, model or option, or changed since. ours: one that we were about to write.
        """
        with self._lock:
            last = self._last.get(self._name(job.target))
        if last is None or last["state"] == "failed" or not job.target.exists():
            return "none"
        if last["state"] == "begun":
            return "ours"
        intact = job.target.stat().st_size == last.get("bytes")
        return "done" if intact and last.get("key") == identity.key else "other"

    def begun(self, job: Job, identity: Identity) -> None:
        """Note, on the disk, that the job's target is about to be written. Raises NoSpace."""
        self._note(job, {"state": "begun", "key": identity.key}, sync=True)

    def done(self, job: Job, identity: Identity, written: Written, seconds: float) -> None:
        """Note a result, its size and its content. Raises NoSpace."""
        note = {
            "state": "done",
            "key": identity.key,
            "picture_sha256": identity.picture,
            "result_sha256": sha256_of(job.target),
            "bytes": job.target.stat().st_size,
            **vars(written),
            "seconds": round(seconds, 3),
        }
        self._note(job, note)

    def failed(self, job: Job, error: Exception) -> None:
        """Note why a picture has no result. Raises NoSpace."""
        self._note(job, {"state": "failed", "error": str(error)})

    def _note(self, job: Job, note: dict[str, Any], *, sync: bool = False) -> None:
        names = {"source": self._name(job.source), "target": self._name(job.target)}
        self._write({"state": note["state"], **names, **note}, sync=sync)
        with self._lock:
            self._last[names["target"]] = note

    def _write(self, line: Mapping[str, Any], *, sync: bool = False) -> None:
        data = json.dumps(line).encode("ascii") + b"\n"
        with self._lock:
            left = memoryview(b"\n" + data if self._torn else data)
            self._torn = True
            try:
                while left:  # a disk that is nearly full takes a part
                    left = left[self._file.write(left) :]
                self._torn = False
                if sync:
                    os.fsync(self._file.fileno())
            except OSError as error:
                raise NoSpace(f"{self.path} could not be written: {error.strerror}.") from error

    def _name(self, path: Path) -> str:
        """The path from the manifest's folder, so that both may be moved; or the absolute one."""
        absolute, folder = Path(os.path.abspath(path)), os.path.abspath(self.path.parent)
        inside = absolute.is_relative_to(folder)
        return str(absolute.relative_to(folder) if inside else absolute)


def manifest_path(folder: Path, shard: Shard | None = None) -> Path:
    """Return where the manifest of a folder of results, or of a part of them, stands."""
    part = "" if shard is None else f".{shard.part}-of-{shard.parts}"
    return folder / f"{NAME}{part}.jsonl"


@contextlib.contextmanager
def open_manifest(
    path: Path, targets: Collection[Path], made_by: Mapping[str, Any]
) -> Iterator[Manifest]:
    """Open a manifest to go on with, or a new one; held for this process until the block ends.

    targets: which lines will be asked for; only these are kept in memory. Manifests of another
    division into parts that stand beside it are read too.
    Raises BadSetting when another process holds it, NoSpace when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # without a buffer, what a full disk refuses is not tried again at the end
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise NoSpace(f"{path} could not be written: {error.strerror}.") from error
    with file:
        _hold(file, path)
        manifest = Manifest(path, file, {}, _is_torn(path))
        names = {manifest._name(target) for target in targets}
        for older in _others(path):
            manifest._last.update(_read(older, names))
        manifest._last.update(_read(path, names))
        manifest._write({"state": "run", "made_by": dict(made_by)})
        yield manifest


def identity_of(picture: Path, made_by: Mapping[str, Any]) -> Identity:
    """Return what the result of a picture is known by. Raises BadPicture when it is not readable.

    made_by: all that changes a result apart from the picture, as JSON has it.
    """
    try:
        digest = sha256_of(picture)
    except FileNotFoundError as error:
        raise BadPicture(f"{picture} does not exist; give the path of a picture.") from error
    except OSError as error:
        raise BadPicture(f"{picture} cannot be read: {error.strerror}.") from error
    chosen = json.dumps(made_by, sort_keys=True)
    return Identity(digest, hashlib.sha256(f"{digest} {chosen}".encode()).hexdigest())


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the last line of each of the targets; a line that was cut short is left out."""
    last: dict[str, dict[str, Any]] = {}
    with path.open("rb") as lines:
        for line in lines:
            try:
                note = json.loads(line)
                state, target = note["state"], note.get("target")
            except (ValueError, TypeError, KeyError):
                continue
            if state in ("begun", "done", "failed") and target in names:
                last[target] = note
    return last


def _others(path: Path) -> list[Path]:
    """Return manifests beside `path` that may have its targets: of another number of parts."""
    parts = path.name.removesuffix(".jsonl").rpartition("-of-")[2]
    return [
        other
        for other in sorted(path.parent.glob(f"{NAME}*.jsonl"))
        if path.name.startswith(NAME)
        and other != path
        and other.name.removesuffix(".jsonl").rpartition("-of-")[2] != parts
    ]


def _is_torn(path: Path) -> bool:
    """Return whether the last line was cut short."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _hold(file: io.FileIO, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise BadSetting(
                f"another process works on {path}: wait until it ends, or give each its own part "
                f"by --shard."
            ) from None
