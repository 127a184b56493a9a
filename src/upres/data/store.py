"""A folder of photos, decoded once: one prepared folder that training reads as memory.

store.json says everything, hr.bin and lr.bin hold the pixels (uint8, rows of RGB, one picture
after another). The folder may be moved and copied; nothing in it is a path.
"""

import contextlib
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from upres.data.crops import Pair, Pixels
from upres.data.folders import replacing_folder
from upres.data.photos import find_files, folder_fingerprint
from upres.data.preparing import (
    Progress,
    append_photos,
    data_hash,
    make_report,
    write_pieces,
)
from upres.data.records import HR, LR, RECORD, Entry, LeftOut, PrepareReport, StoreRecord
from upres.data.split import Split, plan
from upres.errors import BadPhotos, BadSetting
from upres.images.resize import ResizerName

__all__ = ["PrepareReport", "Progress", "Store", "open_store", "prepare", "prepared_store"]


@dataclass(frozen=True)
class Store:
    """A prepared folder, open for reading. `record` is all that store.json says."""

    path: Path
    record: StoreRecord
    hr_bytes: Pixels  # the whole of hr.bin and lr.bin, mapped, read only
    lr_bytes: Pixels

    @property
    def scale(self) -> int:
        return self.record.scale

    @property
    def resizer(self) -> ResizerName:
        return self.record.resizer

    @property
    def data_hash(self) -> str:
        """The sha256 of scale, resizer and all pixels with their splits, in order."""
        return self.record.data_hash

    @property
    def report(self) -> PrepareReport:
        return self.record.report

    def pictures(self, split: Split, *, min_side: int = 1) -> list[Pair]:
        """Return the pictures of one side of the split, views of the files, ordered by content.

        min_side: pictures with a shorter HR side are left out. Raises BadPhotos when that leaves
        none of a side that has some; a side that is empty gives an empty list.
        """
        entries = [entry for entry in self.record.entries if entry.split == split]
        large = [entry for entry in entries if min(entry.height, entry.width) >= min_side]
        if entries and not large:
            longest = max(min(entry.height, entry.width) for entry in entries)
            raise BadPhotos(
                f"{self.path}: no {split} picture has {min_side} px on its shorter side "
                f"(the largest has {longest}); use a smaller patch or larger photos."
            )
        return [self._pair(entry) for entry in large]

    def _pair(self, entry: Entry) -> Pair:
        return Pair(entry.name, entry.lr(self.lr_bytes, self.scale), entry.hr(self.hr_bytes))


def open_store(path: Path) -> Store:
    """Return the store in a folder that `prepare` wrote.

    Raises BadPhotos when there is none, or when it is damaged or of another version.
    """
    try:
        text = (path / RECORD).read_text(encoding="utf-8")
    except OSError as error:
        raise BadPhotos(
            f"{path} is no prepared store (it has no readable {RECORD}); "
            f"make one with `upres prepare FOLDER {path}`."
        ) from error
    again = f"prepare it again with `upres prepare FOLDER {path}`."
    try:
        record = StoreRecord.model_validate_json(text)
    except ValidationError as error:
        raise BadPhotos(
            f"{path / RECORD} is damaged or of another version of upres; {again}"
        ) from error
    expected = {HR: record.hr_bytes, LR: record.lr_bytes}
    for name, size in expected.items():
        file = path / name
        found = file.stat().st_size if file.is_file() else 0
        if found != size:
            raise BadPhotos(f"{file} has {found} bytes, but {RECORD} says {size}; {again}")
    # A plain array over the mapping: its slices are several times as quick as a memmap's.
    hr, lr = (np.asarray(np.memmap(path / name, np.uint8, mode="r")) for name in (HR, LR))
    return Store(path, record, hr, lr)


def prepare(
    folder: Path,
    store: Path,
    *,
    scale: int,
    resizer: ResizerName = "matlab",
    min_side: int = 128,
    progress: Progress | None = None,
) -> PrepareReport:
    """Decode every photo in `folder` once, make its LR, part the photos, write all to `store`.

    HR is cut to multiples of `scale` at the right and bottom; grey becomes RGB and alpha is left
    out. Files that cannot be used are counted and named in the report, not raised. `store`
    appears whole or not at all; a store that was there is replaced. One photo is in memory at a
    time. Raises BadPhotos when nothing can be used or `store` is some other folder, BadSetting
    for sizes below 1, NoSpace.
    """
    if scale < 1 or min_side < 1:
        raise BadSetting(f"scale is {scale} and min side {min_side}; both must be at least 1.")
    _refuse_other_folder(store)
    fingerprint = folder_fingerprint(folder)
    files = find_files(folder, skip=store)
    tell = progress or (lambda what, done, total: None)
    with replacing_folder(store) as work:
        kept, left_out = append_photos(files, work, scale=scale, min_side=min_side, tell=tell)
        if not kept:
            raise BadPhotos(_nothing_usable(folder, left_out, min_side))
        pieces = plan([one.photo for one in kept], scale=scale, min_side=min_side)
        if not any(piece.split == "validation" for piece in pieces):
            raise BadPhotos(
                f"{folder} has {len(kept)} photos to train on, too small to hold back a part for "
                f"validation beside {min_side} px for training; add photos or use larger ones."
            )
        entries = write_pieces(kept, pieces, work, scale=scale, resizer=resizer, tell=tell)
        record = StoreRecord(
            scale=scale,
            resizer=resizer,
            min_side=min_side,
            data_hash=data_hash(kept, pieces, scale=scale, resizer=resizer),
            fingerprint=fingerprint,
            hr_bytes=(work / HR).stat().st_size,
            lr_bytes=(work / LR).stat().st_size,
            report=make_report(kept, entries, left_out),
            entries=tuple(entries),
        )
        (work / RECORD).write_text(record.model_dump_json(indent=1), encoding="utf-8")
    return record.report


def prepared_store(
    folder: Path,
    cache: Path,
    *,
    scale: int,
    resizer: ResizerName = "matlab",
    min_side: int = 128,
    progress: Progress | None = None,
) -> Store:
    """Return the store of a folder of photos, prepared in `cache` now or by an earlier call.

    It is prepared again when a setting or the folder has changed: a photo added, removed,
    renamed or rewritten. Raises as `prepare` does.
    """
    key = hashlib.sha256(json.dumps([str(folder.resolve()), scale, resizer, min_side]).encode())
    path = cache / f"{folder.resolve().name}-x{scale}-{key.hexdigest()[:12]}"
    fingerprint = folder_fingerprint(folder)
    with contextlib.suppress(BadPhotos):
        store = open_store(path)
        if store.record.fingerprint == fingerprint:
            return store
    prepare(folder, path, scale=scale, resizer=resizer, min_side=min_side, progress=progress)
    return open_store(path)


def _refuse_other_folder(store: Path) -> None:
    if store.is_file() or (
        store.is_dir() and not (store / RECORD).exists() and any(store.iterdir())
    ):
        what = "a file" if store.is_file() else "a folder that holds something else than a store"
        raise BadPhotos(f"{store} is {what}; give a new folder for the prepared photos.")


def _nothing_usable(folder: Path, left_out: list[LeftOut], min_side: int) -> str:
    counts = Counter(file.reason for file in left_out)
    if not counts["unreadable"] + counts["too small"]:
        return f"{folder} holds no photos; put PNG, JPEG, WebP or TIFF files there."
    found = [
        f"{count} {text}"
        for count, text in (
            (counts["unreadable"], "cannot be read"),
            (counts["too small"], f"smaller than {min_side} px on a side"),
        )
        if count
    ]
    first = next(file for file in left_out if file.reason != "no picture")
    return (
        f"{folder} holds no photo that can be used: {' and '.join(found)} "
        f"(first {first.name}: {first.detail}); use other photos or a smaller patch."
    )
