"""The passes over a folder of photos that make a store: decode and append, part, shrink.

Pixels are copied, not decoded, where an older store of the same settings has the photo's file with
the same name, size and time of change; its hash is checked on the way.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

import numpy as np

from upres.data.crops import Pixels
from upres.data.photos import FoundFiles, printable
from upres.data.pictures import CHANNELS
from upres.data.records import (
    HR,
    LR,
    PHOTOS,
    LeftOut,
    PhotoRecord,
    PieceRecord,
    PrepareReport,
    pixel_hash,
    read_photos,
)
from upres.data.split import SPLITS, Photo, Piece, difference_hash, packed
from upres.errors import BadPicture
from upres.images.files import read_rgb
from upres.images.resize import ResizerName, crop_to_multiple, shrink

_BETWEEN = "looks like photos on two sides of the split, or like one that is cut"

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, files done, of all


@dataclass(frozen=True, slots=True)
class Kept:
    """A photo in hr.bin: its file, its first byte, and what decides its side of the split."""

    name: str
    file_bytes: int
    file_time: int
    offset: int
    photo: Photo
    old: PhotoRecord | None  # of the same pixels in the older store


@dataclass(frozen=True)
class Appended:
    """What a pass over the folder found."""

    kept: list[Kept]
    left_out: list[LeftOut]
    gone: list[PhotoRecord]  # photos of the older store whose pixels the folder has no more
    reused: int  # photos that were not decoded


class PixelFile:
    """hr.bin or lr.bin of a store: pixels at an offset, read when asked for, one picture in memory.

    Not mapped into memory, where the pages of all pictures would add up.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.file = file

    def read(self, offset: int, height: int, width: int) -> Pixels:
        """Return (height, width, 3). Raises EOFError where the file is too short."""
        pixels = np.empty((height, width, CHANNELS), np.uint8)
        self.file.seek(offset)
        if self.file.readinto(pixels.data.cast("B")) != pixels.nbytes:
            raise EOFError(f"the file ends before byte {offset + pixels.nbytes}")
        return pixels


class _Former:
    """The photos of an older store, asked for in the order of their names, which is theirs too."""

    def __init__(self, store: Path | None) -> None:
        self.records: Iterator[PhotoRecord] = iter(()) if store is None else read_photos(store)
        self.next = next(self.records, None)
        self.gone: list[PhotoRecord] = []  # those that were not asked for, or had changed

    def named(self, name: str) -> PhotoRecord | None:
        while self.next is not None and self.next.name < name:
            self._pass(self.next)
        found = self.next
        if found is None or found.name != name:
            return None
        self.next = next(self.records, None)
        return found

    def rest(self) -> list[PhotoRecord]:
        while self.next is not None:
            self._pass(self.next)
        return self.gone

    def _pass(self, record: PhotoRecord) -> None:
        self.gone.append(record)
        self.next = next(self.records, None)


def append_photos(
    files: FoundFiles, work: Path, old: Path | None, *, scale: int, min_side: int, tell: Progress
) -> Appended:
    """Write the HR pixels of every usable photo to hr.bin in `work`, in the order of their names.

    old: a store of the same settings, whose pixels are used where the file has not changed.
    """
    left_out = [
        LeftOut(name=printable(name), reason="no picture", detail=f"{ending or 'no'} ending")
        for name in files.others
        for ending in [os.path.splitext(name)[1]]
    ]
    kept: dict[str, Kept] = {}
    former, reused = _Former(old), 0
    with ExitStack() as stack:
        hr_file = stack.enter_context((work / HR).open("wb"))
        old_hr = None if old is None else PixelFile(stack.enter_context((old / HR).open("rb")))
        for done, name in enumerate(files.pictures):
            tell("reading photos", done, len(files.pictures))
            path, shown = files.folder / name, printable(name)
            size, time = _facts(path)
            record = former.named(shown)
            if record is not None and (record.file_bytes, record.file_time) != (size, time):
                former.gone.append(record)
                record = None
            try:
                hr = _old_pixels(old_hr, record)
                reused += hr is not None
                if hr is None:
                    hr = np.ascontiguousarray(crop_to_multiple(read_rgb(path), scale))
            except BadPicture as error:
                detail = str(error).removeprefix(f"{path} ")
                left_out.append(LeftOut(name=shown, reason="unreadable", detail=detail))
                continue
            height, width = hr.shape[:2]
            sha256 = pixel_hash(hr)
            if min(height, width) < min_side:
                detail = f"{width}x{height}"
                left_out.append(LeftOut(name=shown, reason="too small", detail=detail))
            elif sha256 in kept:
                detail = f"same pixels as {kept[sha256].name}"
                left_out.append(LeftOut(name=shown, reason="duplicate", detail=detail))
                former.gone += [] if record is None else [record]
            else:
                looks = (
                    packed(difference_hash(hr)) if record is None else bytes.fromhex(record.looks)
                )
                photo = Photo(sha256, height, width, looks)
                kept[sha256] = Kept(shown, size, time, hr_file.tell(), photo, record)
                hr_file.write(hr.data)
    tell("reading photos", len(files.pictures), len(files.pictures))
    gone = {record.sha256: record for record in former.rest()}
    for sha256 in kept.keys() & gone.keys():  # renamed, or another file has its pixels
        known = gone.pop(sha256)
        kept[sha256] = replace(kept[sha256], old=kept[sha256].old or known)
    left_out.sort(key=lambda file: file.name)
    return Appended(list(kept.values()), left_out, list(gone.values()), reused)


def _facts(path: Path) -> tuple[int, int]:
    """Size and time of change, before the file is read: a change meanwhile is seen next time."""
    try:
        status = path.stat()
    except OSError:  # a link to nowhere; reading says so
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _old_pixels(old_hr: PixelFile | None, record: PhotoRecord | None) -> Pixels | None:
    """The pixels of a photo that has not changed; None where the older store is damaged there."""
    if old_hr is None or record is None:
        return None
    try:
        hr = old_hr.read(record.hr_offset, record.height, record.width)
    except EOFError:
        return None
    return hr if pixel_hash(hr) == record.sha256 else None


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
