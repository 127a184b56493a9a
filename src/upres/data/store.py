"""A folder of photos, decoded once: one prepared folder that training reads as memory.

store.json says what it is, photos.jsonl has a line a photo, hr.bin and lr.bin hold the pixels
(uint8, rows of RGB, one picture after another). The folder may be moved and copied; nothing in it
is a path.
"""

import contextlib
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from upres.data.addition import plan_addition
from upres.data.crops import Pixels
from upres.data.folders import replacing_folder
from upres.data.photos import find_files, folder_fingerprint
from upres.data.pictures import Part, Pictures, PictureTable
from upres.data.preparing import (
    Appended,
    Progress,
    append_photos,
    data_hash,
    make_report,
    write_pieces,
)
from upres.data.records import (
    HR,
    LR,
    PHOTOS,
    RECORD,
    LeftOut,
    PrepareReport,
    StoreRecord,
    file_hash,
    file_stamp,
    read_table,
    sample_hash,
)
from upres.data.split import SPLITS, Piece, Split, near_duplicates, plan
from upres.errors import BadPhotos, BadSetting
from upres.images.resize import ResizerName

__all__ = ["PrepareReport", "Progress", "Store", "open_store", "prepare", "prepared_store"]


@dataclass(frozen=True, eq=False)
class Store:
    """A prepared folder, open for reading. `record` is all that store.json says."""

    path: Path
    record: StoreRecord
    table: PictureTable
    hr_bytes: Pixels  # the whole of hr.bin and lr.bin, mapped, read only
    lr_bytes: Pixels
    stamp: str  # sizes and times of change of the files that hold pixels, when they were opened

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

    def pictures(self, split: Split, *, min_side: int = 1) -> Pictures:
        """Return the pictures of one side of the split, views of the files, ordered by content.

        min_side: pictures with a shorter HR side are left out. Raises BadPhotos when that leaves
        none of a side that has some; a side that is empty gives an empty sequence.
        """
        return Pictures([self.part(split, min_side=min_side)])

    def part(self, split: Split, *, min_side: int = 1) -> Part:
        """Return the pictures of one side as a part of several stores'. Raises as `pictures`."""
        table = self.table
        places = np.flatnonzero(table.split == SPLITS.index(split))
        sides = table.shorter_side()[places]
        large = places[sides >= min_side]
        if places.size and not large.size:
            raise BadPhotos(
                f"{self.path}: no {split} picture has {min_side} px on its shorter side "
                f"(the largest has {sides.max()}); use a smaller patch or larger photos."
            )
        return Part(table, large, self.hr_bytes, self.lr_bytes, self.scale)


def open_store(path: Path) -> Store:
    """Return the store in a folder that `prepare` wrote.

    Sizes, the whole of photos.jsonl, and some blocks of the pixels are compared with store.json;
    `verifying.verify` compares all. Raises BadPhotos when there is no store, or when it is damaged
    or of another version.
    """
    again = f"prepare it again with `upres prepare FOLDER {path}`."
    record, table = read_store(path)
    for name, size in {HR: record.hr_bytes, LR: record.lr_bytes}.items():
        file = path / name
        found = file.stat().st_size if file.is_file() else 0
        if found != size:
            raise BadPhotos(f"{file} has {found} bytes, but {RECORD} says {size}; {again}")
    if sample_hash(path) != record.samples_sha256:
        raise BadPhotos(
            f"{path} has other pixels than those that were prepared: see which with "
            f"`upres prepare --verify {path}`, or {again}"
        )
    stamp = file_stamp(path)
    # A plain array over the mapping: its slices are several times as quick as a memmap's.
    hr, lr = (np.asarray(np.memmap(path / name, np.uint8, mode="r")) for name in (HR, LR))
    return Store(path, record, table, hr, lr, stamp)


def read_store(path: Path) -> tuple[StoreRecord, PictureTable]:
    """Return what a store says of itself, without a look at the pixels.

    Raises BadPhotos when there is none, or when store.json or photos.jsonl is damaged.
    """
    try:
        text = (path / RECORD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPhotos(
            f"{path} is no prepared store (it has no readable {RECORD}); "
            f"make one with `upres prepare FOLDER {path}`."
        ) from error
    damaged = "is damaged or of another version of upres; prepare it again with"
    try:
        record = StoreRecord.model_validate_json(text)
    except ValidationError as error:
        raise BadPhotos(f"{path / RECORD} {damaged} `upres prepare FOLDER {path}`.") from error
    try:
        if file_hash(path / PHOTOS) != record.photos_sha256:
            raise ValueError("other photos than store.json says")
        return record, read_table(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPhotos(f"{path / PHOTOS} {damaged} `upres prepare FOLDER {path}`.") from error


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
    appears whole or not at all; a store that was there is replaced. Where that has the same
    settings, its photos keep their side of the split, and those whose file has not changed (name,
    size, time of change) are not decoded again. One photo is in memory at a time. Raises BadPhotos
    when nothing can be used or `store` is some other folder, BadSetting for sizes below 1, NoSpace.
    """
    if scale < 1 or min_side < 1:
        raise BadSetting(f"scale is {scale} and min side {min_side}; both must be at least 1.")
    _refuse_other_folder(store)
    old = _older(store, scale, resizer, min_side)
    fingerprint = folder_fingerprint(folder)
    files = find_files(folder, skip=store)
    tell = progress or (lambda what, done, total: None)
    with replacing_folder(store) as work:
        found = append_photos(files, work, old, scale=scale, min_side=min_side, tell=tell)
        if not found.kept:
            raise BadPhotos(_nothing_usable(folder, found.left_out, min_side))
        groups, pieces, unfit = _split(found, scale=scale, min_side=min_side)
        _refuse_empty_sides(folder, store, len(found.kept), pieces, old, min_side)
        write_pieces(found.kept, pieces, work, old, scale=scale, resizer=resizer, tell=tell)
        photos = [one.photo for one in found.kept]
        record = StoreRecord(
            scale=scale,
            resizer=resizer,
            min_side=min_side,
            data_hash=data_hash(photos, pieces, scale=scale, resizer=resizer),
            fingerprint=fingerprint,
            hr_bytes=(work / HR).stat().st_size,
            lr_bytes=(work / LR).stat().st_size,
            photos_sha256=file_hash(work / PHOTOS),
            samples_sha256=sample_hash(work),
            report=make_report(found, groups, pieces, unfit),
        )
        (work / RECORD).write_text(record.model_dump_json(indent=1), encoding="utf-8")
    return record.report


def _older(store: Path, scale: int, resizer: ResizerName, min_side: int) -> Path | None:
    """The store that is there, where its photos can be taken over; its pixels may be damaged."""
    with contextlib.suppress(BadPhotos):
        record, _ = read_store(store)
        has_pixels = (store / HR).is_file() and (store / LR).is_file()
        if has_pixels and (record.scale, record.resizer, record.min_side) == (
            scale,
            resizer,
            min_side,
        ):
            return store
    return None


def _split(
    found: Appended, *, scale: int, min_side: int
) -> tuple[list[list[int]], list[Piece], list[int]]:
    """The groups of near duplicates, the pieces, and the photos that fit on no side."""
    known = [(place, one.old) for place, one in enumerate(found.kept) if one.old is not None]
    gone = [record for record in found.gone if record.pieces]
    known += enumerate(gone, start=len(found.kept))
    photos = [one.photo for one in found.kept] + [record.photo() for record in gone]
    groups = near_duplicates(photos)
    settled = {
        place: [
            Piece(place, old.split, old.top, old.left, old.height, old.width)
            for old in record.pieces
        ]
        for place, record in known
        if record.pieces
    }
    if not settled:
        return groups, plan(photos, groups, scale=scale, min_side=min_side), []
    living = len(found.kept)
    sides = plan_addition(photos, groups, settled, living=living, scale=scale, min_side=min_side)
    return groups, *sides


def _refuse_empty_sides(
    folder: Path, store: Path, photos: int, pieces: list[Piece], old: Path | None, min_side: int
) -> None:
    sides = {piece.split for piece in pieces}
    if {"train", "validation"} <= sides:
        return
    if old is not None:
        empty = "validation" if "train" in sides else "train"
        raise BadPhotos(
            f"{folder} has none of the {empty} photos of {store} left, and its other photos keep "
            "their side: prepare it into a new folder to part the photos anew."
        )
    raise BadPhotos(
        f"{folder} has {photos} photos to train on, too small to hold back a part for "
        f"validation beside {min_side} px for training; add photos or use larger ones."
    )


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
