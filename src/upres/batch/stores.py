"""Pictures in a store of any kind, named by an address such as s3://bucket/folder, or in a folder.

A picture is fetched into a folder of this machine, enlarged there as any file is, and its result is
put back whole. Nothing here knows how many machines do so.
"""

import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from upres.batch.jobs import NAMED_X4, Naming, Shard, pictures_of
from upres.batch.manifest import NAME, identity_of
from upres.batch.one_file import AS_IT_WAS, AS_THE_MODEL, upscale_file
from upres.batch.places import (
    Place,
    answering,
    files_in,
    lies_in,
    place_of,
    put_whole,
    reason_of,
)
from upres.errors import BadPicture, BadSetting, NoSpace, UpresError, WorkFailed
from upres.images.saving import SaveSettings
from upres.upscaling.sizes import SizeWish
from upres.upscaling.upscaler import Upscaler

Note = dict[str, Any]  # one line of a manifest, and what a worker tells of a picture

PART: Final = 1000  # notes in a file of a manifest
PART_SECONDS: Final = 60.0  # or as many as there are by then


@dataclass(frozen=True)
class Chosen:
    """What is done to each picture, whoever does it. made_by: as `identity.made_by` has it."""

    made_by: Mapping[str, Any]
    wish: SizeWish = AS_THE_MODEL
    save: SaveSettings = AS_IT_WAS
    overwrite: bool = False


@dataclass(frozen=True)
class Plan:
    """Pictures to enlarge, and files of other people in the folder of the results.

    strangers: their names, where no run has begun there before; the first run notes all of them.
    """

    jobs: list[Note]
    strangers: list[str]


def planned(
    source: str,
    target: str,
    *,
    naming: Naming = NAMED_X4,
    recursive: bool = False,
    shard: Shard | None = None,
) -> Plan:
    """Return a job for each picture in a folder, by name: `source`, `target`, what is known of it.

    key: of the result that stands there, by the manifest; intact: of its size. stranger: a file of
    the target's name stood there before the first run of ours began. taken: by which other picture
    the target's name is, or nothing.
    Raises BadPicture for a folder without pictures, BadSetting for one folder inside the other and
    for a store that does not answer.
    """
    read, write = place_of(source), place_of(target)
    if lies_in(read, write) or lies_in(write, read):
        raise BadSetting(f"{target} and {source} lie in each other; give another folder.")
    with answering(source):
        names = sorted(_pictures(read, naming.suffix, recursive=recursive))
    if not names:
        raise BadPicture(f"{source} holds no pictures; give a folder of pictures.")
    with answering(target):
        noted, known = read_notes(write)
        standing = dict(files_in(write))
    new = sorted(standing) if known is None else []
    strangers = set(new) if known is None else known
    jobs: list[Note] = []
    first: dict[str, str] = {}  # which picture gets a result's name
    for name in names:
        below = PurePosixPath(name)
        result = str(below.with_name(naming.result(Path(below.name))))
        taken = first.setdefault(result, name)
        if shard is not None and not shard.has(name):
            continue
        key, size = noted.get(result, ("", 0)) if result in standing else ("", 0)
        jobs.append(
            {
                "source": f"{source.rstrip('/')}/{name}",
                "target": f"{target.rstrip('/')}/{result}",
                "name": result,
                "key": key,
                "intact": standing.get(result) == size,
                "stranger": result in standing and result in strangers,
                "taken": "" if taken == name else taken,
            }
        )
    return Plan(jobs, new)


def enlarge_in_store(job: Mapping[str, Any], upscaler: Upscaler, chosen: Chosen) -> Note:
    """Return what came of a job of `planned`: its `state` is done, skipped or failed.

    A job may be done again at any moment, also where a worker died in it: the result is the same.
    Raises nothing of a picture or a store: it is told as `error`.
    """
    began = time.perf_counter()
    note: Note = {"source": job["source"], "target": job["target"], "name": job["name"]}
    with tempfile.TemporaryDirectory(prefix="upres-") as folder:
        picture = Path(folder) / f"picture{PurePosixPath(job['source']).suffix}"
        result = Path(folder) / f"result{PurePosixPath(job['target']).suffix}"
        try:
            note |= _enlarged(job, picture, result, upscaler, chosen)
        except UpresError as error:
            told = str(error).replace(str(picture), job["source"])
            told = told.replace(str(result), job["target"])
            note |= {"state": "failed", "error": told, "exit_code": error.exit_code}
        except Exception as error:  # a store has errors of its own kinds
            told = f"{job['source']}: {type(error).__name__}: {error}"
            note |= {"state": "failed", "error": told, "exit_code": WorkFailed.exit_code}
    return note | {"seconds": round(time.perf_counter() - began, 3)}


def _enlarged(
    job: Mapping[str, Any], picture: Path, result: Path, upscaler: Upscaler, chosen: Chosen
) -> Note:
    read, write = place_of(job["source"]), place_of(job["target"])
    if job["taken"]:
        raise BadSetting(
            f"{job['source']} and {job['taken']} would both be written to {job['target']}."
        )
    if job["stranger"] and not job["key"] and not chosen.overwrite:
        raise _exists(job["target"], "")
    read.store.get_file(read.path, str(picture))
    identity = identity_of(picture, chosen.made_by)
    note: Note = {"key": identity.key, "picture_sha256": identity.picture}
    if identity.key == job["key"] and job["intact"]:
        return note | {"state": "skipped"}
    if job["key"] and not chosen.overwrite:
        raise _exists(job["target"], " and was made from another picture, or with other options")
    written = upscale_file(picture, result, upscaler, wish=chosen.wish, save=chosen.save)
    size = result.stat().st_size
    put_whole(result, write)
    return note | {"state": "done", "bytes": size, **vars(written)}


def read_notes(folder: Place) -> tuple[dict[str, tuple[str, int]], set[str] | None]:
    """Return the key and the size of each result that a folder's manifest has, and the strangers.

    None where no run has begun there.
    """
    noted: dict[str, tuple[str, int]] = {}
    strangers: set[str] | None = None
    notes = folder.below(NAME)
    for name, _ in sorted(files_in(notes)):
        with notes.store.open(notes.below(name).path, "rb") as lines:
            for line in map(json.loads, lines):
                if line["state"] == "done":
                    noted[line["name"]] = line["key"], line["bytes"]
                elif line["state"] == "run":
                    strangers = (strangers or set()) | set(line["strangers"])
    return noted, strangers


class Notes:
    """A manifest that is being written, in files that are never written to again.

    Stores of objects cannot add to a file. Only whoever plans a run writes its notes.
    """

    def __init__(self, folder: Place) -> None:
        self._folder = folder.below(NAME)
        self._run = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + secrets.token_hex(2)
        self._waiting: list[Note] = []
        self._parts, self._last = 0, time.monotonic()

    def add(self, note: Note) -> None:
        """Note something; what waits is lost if this process is killed, and then done again."""
        self._waiting.append(note)
        if len(self._waiting) >= PART or time.monotonic() - self._last > PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises NoSpace."""
        if not self._waiting:
            return
        with tempfile.TemporaryDirectory(prefix="upres-") as folder:
            part = Path(folder) / "part.jsonl"
            part.write_text("".join(json.dumps(note) + "\n" for note in self._waiting), "ascii")
            place = self._folder.below(f"{self._run}-{self._parts:06}.jsonl")
            try:
                put_whole(part, place)
            except Exception as error:  # a store has errors of its own kinds
                raise NoSpace(
                    f"{place.path} could not be written ({reason_of(error)}): check the address "
                    "and that you may write there; the same command goes on."
                ) from error
        self._waiting, self._last = [], time.monotonic()
        self._parts += 1


def _pictures(folder: Place, suffix: str, *, recursive: bool) -> Iterator[str]:
    """Yield the names below the folder of what `jobs.plan_jobs` takes in a folder of a disk."""
    folders: dict[PurePosixPath, list[str]] = {}
    for name, _ in files_in(folder):
        path = PurePosixPath(name)
        hidden = any(part.startswith(".") for part in path.parent.parts)
        if not hidden and (recursive or len(path.parts) == 1):
            folders.setdefault(path.parent, []).append(path.name)
    for where, names in folders.items():
        yield from (str(where / name) for name in pictures_of(names, suffix))


def _exists(target: str, made: str) -> BadSetting:
    return BadSetting(f"{target} exists{made}; pass --overwrite to replace it, or another output.")
