"""The directories of a TIFF file: what each of its pages is, read without its pixels."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

REDUCED, WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLES, KIND = 254, 256, 257, 258, 262, 277, 339
_LAB = (8, 9, 10)  # CIELab, ICCLab, ITULab
_KINDS = {1: "unsigned", 2: "signed", 3: "float", 5: "complex", 6: "complex"}
_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of the types of whole numbers
_LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


@dataclass(frozen=True)
class Page:
    """A page of a TIFF. values: `unsigned`, `signed`, `float` or `complex`, of `bits` each."""

    width: int
    height: int
    bits: int
    values: str
    samples: int
    lab: bool
    reduced: bool  # a smaller copy of another page


def read_pages(path: Path) -> list[Page]:
    """Return the pages of a TIFF or BigTIFF file; none where it is no such file or is damaged."""
    try:
        with path.open("rb") as file:
            return _pages(file)
    except (struct.error, OSError):
        return []


def _pages(file: BinaryIO) -> list[Page]:
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return []
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    (place,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    size = os.fstat(file.fileno()).st_size
    pages: list[Page] = []
    seen: set[int] = set()
    while 0 < place < size and place not in seen:
        seen.add(place)
        tags, place = _directory(file, place, order, big)
        pages.append(_page(tags))
    return pages


def _directory(file: BinaryIO, place: int, order: str, big: bool) -> tuple[dict[int, int], int]:
    """Return the first whole number of each tag that has one, and where the next directory is."""
    file.seek(place)
    count_form, entry_size, place_form = ("Q", 20, "Q") if big else ("H", 12, "I")
    (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
    entries = file.read(min(count, 65_535) * entry_size)
    (following,) = struct.unpack(order + place_form, file.read(8 if big else 4))
    tags: dict[int, int] = {}
    for start in range(0, len(entries), entry_size):
        tag, kind = struct.unpack_from(order + "HH", entries, start)
        (many,) = struct.unpack_from(order + place_form, entries, start + 4)
        if kind not in _SIZES:
            continue
        value = entries[start + (12 if big else 8) : start + entry_size]
        if many * _SIZES[kind] > len(value):
            file.seek(struct.unpack(order + place_form, value)[0])
            value = file.read(_SIZES[kind])
        tags[tag] = struct.unpack_from(order + _LETTERS[kind], value)[0]
    return tags, following


def _page(tags: dict[int, int]) -> Page:
    return Page(
        width=tags.get(WIDTH, 0),
        height=tags.get(HEIGHT, 0),
        bits=tags.get(BITS, 1),
        values=_KINDS.get(tags.get(KIND, 1), "unsigned"),
        samples=tags.get(SAMPLES, 1),
        lab=tags.get(PHOTOMETRIC, 0) in _LAB,
        reduced=bool(tags.get(REDUCED, 0) & 1),
    )
