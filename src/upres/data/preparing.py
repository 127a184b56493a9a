"""A folder of photos becomes a store: decoded once, parted, shrunk, written whole or not at all."""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from upres.data.addition import plan_addition
from upres.data.appending import Appended, Kept, Progress, append_photos
from upres.data.crops import Pixels
from upres.data.folders import replacing_folder
from upres.data.photos import find_files, folder_fingerprint
from upres.data.pixels import HR, LR, PixelFile, file_hash, pixel_hash, sample_hash
from upres.data.records import (
    PHOTOS,
    RECORD,
    LeftOut,
    PhotoRecord,
    PieceRecord,
    PrepareReport,
    StoreRecord,
    read_store,
)
from upres.data.split import SPLITS, Photo, Piece, near_duplicates, plan
from upres.errors import BadPhotos, BadSetting
from upres.images.resize import ResizerName, shrink

_BETWEEN = "looks like photos on two sides of the split, or like one that is cut"


def prepare(
    folder: Path,
    store: Path,
    *,
    scale: int,
    resizer: ResizerName = "matlab",
    min_side: int = 128,
    may_part_anew: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Decode every photo in `folder` once, make its LR, part the photos, write all to `store`.

    HR is cut to multiples of `scale` at the right and bottom; grey becomes RGB and alpha is left
    out. Files that cannot be used are counted and named in the report, not raised. `store`
    appears whole or not at all; a store that was there is replaced. Where that has the same
    settings, its photos keep their side of the split, and those whose file has not changed (name,
    size, time of change) are not decoded again. may_part_anew: what happens when a side has lost
    all its photos: all are parted anew, else BadPhotos. One photo is in memory at a time. Raises
    BadPhotos too when nothing can be used or `store` is some other folder, BadSetting for sizes
    below 1, NoSpace.
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
        if may_part_anew and not _has_sides(pieces):
            found = replace(found, kept=[replace(one, old=None) for one in found.kept], gone=[])
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


def _has_sides(pieces: list[Piece]) -> bool:
    return {"train", "validation"} <= {piece.split for piece in pieces}


def _refuse_empty_sides(
    folder: Path, store: Path, photos: int, pieces: list[Piece], old: Path | None, min_side: int
) -> None:
    if _has_sides(pieces):
        return
    if old is not None:
        empty = "train" if any(piece.split == "validation" for piece in pieces) else "validation"
        raise BadPhotos(
            f"{folder} has none of the {empty} photos of {store} left, and its other photos keep "
            "their side: prepare it into a new folder to part the photos anew."
        )
    raise BadPhotos(
        f"{folder} has {photos} photos to train on, too small to hold back a part for "
        f"validation beside {min_side} px for training; add photos or use larger ones."
    )


def write_pieces(
    kept: list[Kept],
    pieces: list[Piece],
    work: Path,
    old: Path | None,
    *,
    scale: int,
    resizer: ResizerName,
    tell: Progress,
) -> None:
    """Write lr.bin and photos.jsonl in `work`: the pictures' places are the order of `pieces`.

    A part of a cut photo is shrunk by itself, so that no kernel reaches over the cut.
    """
    of_photo: dict[int, list[PieceRecord]] = {}
    with ExitStack() as stack:
        hr_file = PixelFile(stack.enter_context((work / HR).open("rb")))
        lr_file = stack.enter_context((work / LR).open("wb"))
        old_lr = None if old is None else PixelFile(stack.enter_context((old / LR).open("rb")))
        for place, piece in enumerate(pieces):
            tell("making LR", place, len(pieces))
            one = kept[piece.photo]
            lr = _old_lr(old_lr, one.old, piece, scale)
            if lr is None:
                whole = hr_file.read(one.offset, one.photo.height, one.photo.width)
                rows = slice(piece.top, piece.top + piece.height)
                hr = whole[rows, piece.left : piece.left + piece.width]
                lr = np.ascontiguousarray(shrink(np.ascontiguousarray(hr), scale, resizer))
            box = (piece.top, piece.left, piece.height, piece.width)
            record = PieceRecord(place, piece.split, *box, lr_file.tell(), pixel_hash(lr))
            of_photo.setdefault(piece.photo, []).append(record)
            lr_file.write(lr.data)
    tell("making LR", len(pieces), len(pieces))
    with (work / PHOTOS).open("wb") as lines:
        for number, one in enumerate(kept):
            lines.write(_record(one, of_photo.get(number, [])).line())


def _old_lr(
    old_lr: PixelFile | None, record: PhotoRecord | None, piece: Piece, scale: int
) -> Pixels | None:
    """The LR of the very rectangle in the older store; None where it is not there or damaged."""
    if old_lr is None or record is None:
        return None
    box = (piece.top, piece.left, piece.height, piece.width)
    for known in record.pieces:
        if (known.top, known.left, known.height, known.width) == box:
            try:
                lr = old_lr.read(known.lr_offset, piece.height // scale, piece.width // scale)
            except EOFError:
                return None
            return lr if pixel_hash(lr) == known.lr_sha256 else None
    return None


def _record(one: Kept, pieces: list[PieceRecord]) -> PhotoRecord:
    photo = one.photo
    return PhotoRecord(
        name=one.name,
        file_bytes=one.file_bytes,
        file_time=one.file_time,
        sha256=photo.sha256,
        looks=photo.looks.hex(),
        height=photo.height,
        width=photo.width,
        hr_offset=one.offset,
        pieces=tuple(pieces),
    )


def make_report(
    appended: Appended, groups: list[list[int]], pieces: list[Piece], unfit: list[int]
) -> PrepareReport:
    """Return what became of the files. unfit: photos that fit on no side of the split."""
    kept = appended.kept
    left_out = [
        *appended.left_out,
        *(
            LeftOut(name=kept[place].name, reason="between sides", detail=_BETWEEN)
            for place in unfit
        ),
    ]
    alike = [[kept[place].name for place in group if place < len(kept)] for group in groups]
    counts = Counter(piece.split for piece in pieces)
    return PrepareReport(
        files=len(kept) + len(appended.left_out),
        photos=len(kept) - len(unfit),
        reused=appended.reused,
        megapixels=round(sum(one.photo.height * one.photo.width for one in kept) / 1e6, 3),
        pictures={split: counts[split] for split in SPLITS},
        cut=len({piece.photo for piece in pieces}) < len(pieces),
        left_out=tuple(sorted(left_out, key=lambda file: file.name)),
        near_duplicates=tuple(sorted(tuple(sorted(names)) for names in alike if len(names) > 1)),
    )


def data_hash(
    photos: Sequence[Photo], pieces: Sequence[Piece], *, scale: int, resizer: ResizerName
) -> str:
    """Return the sha256 of the settings and of all pixels with their splits, in order.

    Names and the folder play no part: the same photos on the same sides give the same hash.
    """
    digest = hashlib.sha256(f"[{scale}, {json.dumps(resizer)}, [".encode())
    for number, piece in enumerate(pieces):
        box = (piece.top, piece.left, piece.height, piece.width)
        row = json.dumps([photos[piece.photo].sha256, piece.split, *box])
        digest.update(f"{', ' if number else ''}{row}".encode())
    digest.update(b"]]")
    return digest.hexdigest()


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
