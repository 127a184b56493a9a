"""What a GIF or a TIFF tells of and does not hold: their decoders fill it in without a word."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def missing_in_gif(path: Path) -> str | None:
    """Return what a GIF breaks off in, None where its blocks end as they should.

    A missing last byte, and anything behind the end, is no loss. Format: GIF89a, appendix B.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(13)
        if len(head) < 13:
            return "its header breaks off"
        file.seek(_table(head[10]), os.SEEK_CUR)
        while (mark := file.read(1)) in (b"\x21", b"\x2c"):
            if mark == b"\x2c":
                place = file.read(9)
                file.seek(_table(place[-1]) if place else 0, os.SEEK_CUR)
            file.seek(1, os.SEEK_CUR)  # the kind of an extension, the code size of a frame
            if not _skip_blocks(file, size):
                return "a frame breaks off" if mark == b"\x2c" else "it breaks off"
        return None


def _table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(file: IO[bytes], size: int) -> bool:
    """Go behind a chain of blocks; return whether it has its end."""
    while length := file.read(1):
        if length == b"\0":
            return True
        file.seek(length[0], os.SEEK_CUR)
    return False


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}  # BigTIFF's
_WIDTH, _LENGTH, _STRIPS, _SAMPLES, _ROWS, _PLANAR = 256, 257, 273, 277, 278, 284
_TILE_WIDTH, _TILE_LENGTH, _TILES = 322, 323, 324


def missing_in_tiff(path: Path) -> str | None:
    """Return what a TIFF tells of and does not have, None where nothing is missing.

    Looked at: that each tag's value lies inside the file, and that there are as many strips or
    tiles as its size takes. Format: TIFF 6.0, section 2, and BigTIFF.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for order, page in _directories(file, size):
            for tag, (kind, count, place) in page.items():
                if place + _SIZES.get(kind, 0) * count > size:
                    return f"the value of tag {tag} lies behind its end"
            told = _too_few(file, page, order)
            if told is not None:
                return told
    return None


_Page = dict[int, tuple[int, int, int]]  # by tag: type, count, place of the value


def _directories(file: IO[bytes], size: int) -> Iterator[tuple[str, _Page]]:
    """Yield the order of bytes and each page that can be read; the decoder speaks of the others."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    place_kind, count_kind, step = ("Q", "Q", 20) if big else ("I", "H", 12)
    place_size, count_size = struct.calcsize(place_kind), struct.calcsize(order + count_kind)
    (place,) = struct.unpack_from(order + place_kind, head, 8 if big else 4)
    seen: set[int] = set()
    while 0 < place < size and place not in seen:
        seen.add(place)
        file.seek(place)
        (count,) = struct.unpack(order + count_kind, file.read(count_size).ljust(count_size, b"\0"))
        data = file.read(min(count * step, size) + place_size)
        page: _Page = {}
        for start in range(0, min(count * step, len(data) - step + 1), step):
            tag, kind, values = struct.unpack_from(order + "HH" + place_kind, data, start)
            inline = place + count_size + start + step - place_size
            if _SIZES.get(kind, 0) * values > place_size:
                (inline,) = struct.unpack_from(order + place_kind, data, start + step - place_size)
            page.setdefault(tag, (kind, values, inline))
        yield order, page
        rest = data[count * step :]
        place = struct.unpack(order + place_kind, rest)[0] if len(rest) == place_size else 0


def _too_few(file: IO[bytes], page: _Page, order: str) -> str | None:
    """Return a sentence if there are fewer strips or tiles than the page's size takes."""

    def value(tag: int, otherwise: int) -> int:
        kind, count, place = page.get(tag, (0, 0, 0))
        letter = {3: "H", 4: "I", 16: "Q"}.get(kind)
        if letter is None or count < 1:
            return otherwise
        file.seek(place)
        return int(struct.unpack(order + letter, file.read(struct.calcsize(order + letter)))[0])

    width, height = value(_WIDTH, 0), value(_LENGTH, 0)
    planes = value(_SAMPLES, 1) if value(_PLANAR, 1) == 2 else 1
    if _TILES in page:
        across, down = value(_TILE_WIDTH, width), value(_TILE_LENGTH, height)
        needed = -(-width // max(across, 1)) * -(-height // max(down, 1)) * planes
        found, what = page[_TILES][1], "tiles"
    elif _STRIPS in page:
        needed = -(-height // max(value(_ROWS, height), 1)) * planes
        found, what = page[_STRIPS][1], "strips"
    else:
        return None
    return f"its size takes {needed} {what}, and it has {found}" if found < needed else None
