"""The passes over a folder of photos that make a store: decode and append, part, shrink."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from upres.data.crops import Pixels
from upres.data.photos import FoundFiles
from upres.data.records import CHANNELS, HR, LR, Entry, LeftOut, PrepareReport
from upres.data.split import SPLITS, Photo, Piece, difference_hash, near_duplicates
from upres.errors import BadPicture
from upres.images.files import read_rgb
from upres.images.resize import ResizerName, crop_to_multiple, shrink

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, files done, of all


@dataclass(frozen=True)
class Kept:
    """A photo in hr.bin: its name, its first byte, and what decides its side of the split."""

    name: str
    offset: int
    photo: Photo


def append_photos(
    files: FoundFiles, work: Path, *, scale: int, min_side: int, tell: Progress
) -> tuple[list[Kept], list[LeftOut]]:
    """Write the HR pixels of every usable photo to hr.bin in `work`, in the order of their names.

    Returns the photos kept and the files left out.
    """
    left_out = [
        LeftOut(name=files.name(path), reason="no picture", detail=f"{path.suffix or 'no'} ending")
        for path in files.others
    ]
    kept: dict[str, Kept] = {}
    with (work / HR).open("wb") as hr_file:
        for done, path in enumerate(files.pictures):
            tell("reading photos", done, len(files.pictures))
            name = files.name(path)
            try:
                hr = np.ascontiguousarray(crop_to_multiple(read_rgb(path), scale))
            except BadPicture as error:
                detail = str(error).removeprefix(f"{path} ")
                left_out.append(LeftOut(name=name, reason="unreadable", detail=detail))
                continue
            height, width = hr.shape[:2]
            if min(height, width) < min_side:
                detail = f"{width}x{height}"
                left_out.append(LeftOut(name=name, reason="too small", detail=detail))
                continue
            sha256 = pixel_hash(hr)
            if sha256 in kept:
                detail = f"same pixels as {kept[sha256].name}"
                left_out.append(LeftOut(name=name, reason="duplicate", detail=detail))
                continue
            photo = Photo(sha256, height, width, difference_hash(hr))
            kept[sha256] = Kept(name, hr_file.tell(), photo)
            hr_file.write(hr.data)
    tell("reading photos", len(files.pictures), len(files.pictures))
    return list(kept.values()), sorted(left_out, key=lambda file: file.name)


def write_pieces(
    kept: list[Kept],
    pieces: list[Piece],
    work: Path,
    *,
    scale: int,
    resizer: ResizerName,
    tell: Progress,
) -> list[Entry]:
    """Write lr.bin in `work` and return the pictures of the store, in the order of `pieces`.

    A part of a cut photo is shrunk by itself, so that no kernel reaches over the cut.
    """
    hr_bytes = np.asarray(np.memmap(work / HR, np.uint8, mode="r"))
    entries = []
    with (work / LR).open("wb") as lr_file:
        for done, piece in enumerate(pieces):
            tell("making LR", done, len(pieces))
            one = kept[piece.photo]
            row = one.photo.width * CHANNELS
            entry = Entry(
                name=one.name,
                split=piece.split,
                height=piece.height,
                width=piece.width,
                hr_offset=one.offset + piece.top * row + piece.left * CHANNELS,
                hr_row=row,
                lr_offset=lr_file.tell(),
            )
            entries.append(entry)
            lr_file.write(np.ascontiguousarray(shrink(entry.hr(hr_bytes), scale, resizer)).data)
    tell("making LR", len(pieces), len(pieces))
    return entries


def make_report(kept: list[Kept], entries: list[Entry], left_out: list[LeftOut]) -> PrepareReport:
    """Return what became of the files."""
    photos = [one.photo for one in kept]
    groups = [[kept[place].name for place in group] for group in near_duplicates(photos)]
    counts = Counter(entry.split for entry in entries)
    return PrepareReport(
        files=len(kept) + len(left_out),
        photos=len(kept),
        megapixels=round(sum(photo.height * photo.width for photo in photos) / 1e6, 3),
        pictures={split: counts[split] for split in SPLITS},
        cut=not counts["test"],
        left_out=tuple(left_out),
        near_duplicates=tuple(sorted(tuple(sorted(group)) for group in groups if len(group) > 1)),
    )


def data_hash(kept: list[Kept], pieces: list[Piece], *, scale: int, resizer: ResizerName) -> str:
    """Return the sha256 of the settings and of all pixels with their splits, in order.

    Names and the folder play no part: the same photos give the same hash.
    """
    rows = [
        [
            kept[piece.photo].photo.sha256,
            piece.split,
            piece.top,
            piece.left,
            piece.height,
            piece.width,
        ]
        for piece in pieces
    ]
    return hashlib.sha256(json.dumps([scale, resizer, rows]).encode()).hexdigest()


def pixel_hash(pixels: Pixels) -> str:
    """Return the sha256 of a picture's size and contiguous pixels."""
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(pixels.data)
    return digest.hexdigest()
