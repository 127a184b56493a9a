"""EXIF in TIFF files, which libvips neither reads nor writes: directories copied.

Source: TIFF 6.0, BigTIFF, and Exif 2.32 (directories below directories, named by pointers).
"""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEAD = b"Exif\0\0"
# What describes the picture: description, make, model, software, date, artist, host, rating (two),
# copyright, the EXIF and the place's directory
_DESCRIBING = (270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, 34665, 34853)
_POINTERS = (34665, 34853, 40965)  # to EXIF, to the place, to interoperability
_UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
_UNITS |= {16: 8, 17: 8, 18: 8}  # bytes that are swapped together, by the type of a value
_PAIRS = (5, 10)  # fractions are two of them
_LONGEST = 60_000  # bytes of a value in an EXIF block, which holds 64 kB in all
_DEEPEST = 3


@dataclass(frozen=True)
class Entry:
    """A tag's value in little-endian bytes."""

    kind: int
    count: int
    data: bytes


Directory = dict[int, "Entry | Directory"]


def read_exif(path: Path) -> bytes | None:
    """Return what describes the first page of a TIFF as an EXIF block; None where nothing does."""
    try:
        with path.open("rb") as file:
            head = _header(file)
            if head is None:
                return None
            order, big, place = head
            found, _ = _read(file, place, order, big, _DESCRIBING)
    except (struct.error, OSError, OverflowError):
        return None
    if not found:
        return None
    return _HEAD + b"II*\0" + struct.pack("<I", 8) + _written(found, 8, "<I", 0)


def add_exif(path: Path, exif: bytes) -> None:
    """Add an EXIF block to the first page of a little-endian TIFF: its directory is written anew.

    The new one stands at the end of the file. Raises OSError.
    """
    with path.open("rb+") as file:
        head = _header(file)
        if head is None or head[0] != "<":
            return
        _, big, place = head
        page, following = _read(file, place, "<", big)
        page |= _block_directory(exif)
        end = -(-file.seek(0, 2) // 8) * 8
        file.seek(end)
        file.write(_written(page, end, "<Q" if big else "<I", following))
        file.seek(8 if big else 4)
        file.write(struct.pack("<Q" if big else "<I", end))


def _block_directory(exif: bytes) -> Directory:
    file = io.BytesIO(exif.removeprefix(_HEAD))
    head = _header(file)
    if head is None:
        return {}
    order, big, place = head
    return _read(file, place, order, big, _DESCRIBING)[0]


def _header(file: BinaryIO) -> tuple[str, bool, int] | None:
    """Return the order of bytes, whether it is a BigTIFF, and where the first directory is."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        return None
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    return order, big, struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]


def _read(
    file: BinaryIO,
    place: int,
    order: str,
    big: bool,
    wanted: tuple[int, ...] | None = None,
    depth: int = 0,
) -> tuple[Directory, int]:
    """Return a directory with those below it, and where the next one is.

    wanted: the tags that are read, if not all; of them and below, no value that is very long.
    """
    word = order + ("Q" if big else "I")
    size = struct.calcsize(word)
    file.seek(place)
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    entries = file.read(min(count, 65_535) * (4 + 2 * size))
    (following,) = struct.unpack(word, file.read(size))
    found: Directory = {}
    for start in range(0, len(entries), 4 + 2 * size):
        tag, kind = struct.unpack_from(order + "HH", entries, start)
        (many,) = struct.unpack_from(word, entries, start + 4)
        length = many * _UNITS.get(kind, 0) * (2 if kind in _PAIRS else 1)
        if not _is_read(tag, length, wanted, depth) or tag in found:
            continue
        data = entries[start + 4 + size : start + 4 + 2 * size]
        if length > size:
            file.seek(struct.unpack(word, data)[0])
            data = file.read(length)
        if tag in _POINTERS and depth < _DEEPEST:
            below = struct.unpack(word, data)[0] if kind == 16 else _first(data, order)
            found[tag], _ = _read(file, below, order, big, wanted, depth + 1)
        elif len(data) >= length:
            found[tag] = Entry(kind, many, _swapped(data[:length], _UNITS[kind], order))
    return found, following


def _is_read(tag: int, length: int, wanted: tuple[int, ...] | None, depth: int) -> bool:
    if wanted is None:
        return length > 0
    return 0 < length <= _LONGEST and (depth > 0 or tag in wanted)


def _first(data: bytes, order: str) -> int:
    return int(struct.unpack_from(order + "I", data)[0])


def _swapped(data: bytes, unit: int, order: str) -> bytes:
    return np.frombuffer(data, f"{order}u{unit}").astype(f"<u{unit}").tobytes()


def _written(directory: Directory, place: int, word: str, following: int) -> bytes:
    """Return the bytes of a directory at `place`, its values and the directories below it."""
    size = struct.calcsize(word)
    big = size == 8
    behind = place + (8 if big else 2) + len(directory) * (4 + 2 * size) + size
    table, values = b"", b""
    for tag, value in sorted(directory.items()):
        values += b"\0" * (-(behind + len(values)) % 2)
        here = behind + len(values)
        if isinstance(value, Entry):
            kind, count, data = value.kind, value.count, value.data
            if len(data) > size:
                values += data
                data = struct.pack(word, here)
        else:
            kind, count, data = 16 if big else 4, 1, struct.pack(word, here)
            values += _written(value, here, word, 0)
        table += struct.pack("<HH", tag, kind) + struct.pack(word, count) + data.ljust(size, b"\0")
    head = struct.pack("<Q" if big else "<H", len(directory))
    return head + table + struct.pack(word, following) + values
