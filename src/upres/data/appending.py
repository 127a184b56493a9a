"""The first pass over a folder of photos: decode each, tell what it looks like, append its pixels.

Pixels are copied, not decoded, where an older store of the same settings has the photo's file with
the same name, size and time of change; their hash is checked on the way.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from upres.data.crops import Pixels
from upres.data.photos import FoundFiles, printable
from upres.data.pixels import HR, PixelFile, pixel_hash
from upres.data.records import LeftOut, PhotoRecord, read_photos
from upres.data.split import Photo, difference_hash, packed
from upres.errors import BadPicture
from upres.images.files import read_rgb
from upres.images.resize import crop_to_multiple

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
