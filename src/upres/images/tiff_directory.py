"""The directories of a TIFF file: what each of its pages is, read without its pixels.

Format: TIFF 6.0, section 2, and BigTIFF.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

REDUCED, WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLES, KIND = 254, 256, 257, 258, 262, 277, 339
_LAB = (8, 9, 10)  # CIELab, ICCLab, ITULab
_KINDS = {1: "unsigned", 2: "signed", 3: "float", 5: "complex", 6: "complex"}
_LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of the types of whole numbers
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}  # BigTIFF's


class Tag(NamedTuple):
    """A tag of a directory: the type of its values, how many, and where in the file they stand."""

    kind: int
    values: int
    place: int

    @property
    def end(self) -> int:
        """Where its values end."""
        return self.place + _SIZES.get(self.kind, 0) * self.values


@dataclass(frozen=True)
class Directory:
    """The tags of a page, by number, and the order of bytes as `struct` writes it."""

    order: str
    tags: dict[int, Tag]

    def number(self, file: BinaryIO, tag: int, otherwise: int) -> int:
        """Return the first whole number of a tag; `otherwise` where there is none."""
        kind, count, place = self.tags.get(tag, (0, 0, 0))
        letter = _LETTERS.get(kind)
        if letter is None or count < 1:
            return otherwise
        file.seek(place)
        data = file.read(struct.calcsize(self.order + letter))
        return int(struct.unpack(self.order + letter, data)[0])


def directories(file: BinaryIO) -> Iterator[Directory]:
    """Yield each page's directory that can be read; nothing where the file is no TIFF."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return
    size = os.fstat(file.fileno()).st_size
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    place_kind, count_kind, step = ("Q", "Q", 20) if big else ("I", "H", 12)
    place_size, count_size = struct.calcsize(place_kind), struct.calcsize(order + count_kind)
    (place,) = struct.unpack_from(order + place_kind, head, 8 if big else 4)
    seen: set[int] = set()
    while 0 < place < size and place not in seen:
        seen.add(place)
        file.seek(place)
        (count,) = struct.unpack(order + count_kind, file.read(count_size).ljust(count_size, b"\0"))
        data = file.read(min(count * step, size) + place_size)
        tags: dict[int, Tag] = {}
        for start in range(0, min(count * step, len(data) - step + 1), step):
            tag, kind, values = struct.unpack_from(order + "HH" + place_kind, data, start)
            inline = place + count_size + start + step - place_size
            if _SIZES.get(kind, 0) * values > place_size:
                (inline,) = struct.unpack_from(order + place_kind, data, start + step - place_size)
            tags.setdefault(tag, Tag(kind, values, inline))
        if tags:
            yield Directory(order, tags)
        rest = data[count * step :]
        place = struct.unpack(order + place_kind, rest)[0] if len(rest) == place_size else 0


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
            return [_page(file, directory) for directory in list(directories(file))]
    except (struct.error, OSError):
        return []


def _page(file: BinaryIO, directory: Directory) -> Page:
    return Page(
        width=directory.number(file, WIDTH, 0),
        height=directory.number(file, HEIGHT, 0),
        bits=directory.number(file, BITS, 1),
        values=_KINDS.get(directory.number(file, KIND, 1), "unsigned"),
        samples=directory.number(file, SAMPLES, 1),
        lab=directory.number(file, PHOTOMETRIC, 0) in _LAB,
        reduced=bool(directory.number(file, REDUCED, 0) & 1),
    )
