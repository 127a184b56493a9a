"""What a GIF or a TIFF tells of and does not hold: their decoders fill it in without a word."""

import os
from pathlib import Path
from typing import BinaryIO

from upres.images.tiff_directory import HEIGHT, SAMPLES, WIDTH, Directory, directories


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


def _skip_blocks(file: BinaryIO, size: int) -> bool:
    """Go behind a chain of blocks; return whether it has its end."""
    while length := file.read(1):
        if length == b"\0":
            return True
        file.seek(length[0], os.SEEK_CUR)
    return False


_STRIPS, _ROWS, _PLANAR = 273, 278, 284
_TILE_WIDTH, _TILE_LENGTH, _TILES = 322, 323, 324


def missing_in_tiff(path: Path) -> str | None:
    """Return what a TIFF tells of and does not have, None where nothing is missing.

    Looked at: that each tag's value lies inside the file, and that there are as many strips or
    tiles as its size takes. The decoder speaks of directories that cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for page in list(directories(file)):
            for number, tag in page.tags.items():
                if tag.end > size:
                    return f"the value of tag {number} lies behind its end"
            told = _too_few(file, page)
            if told is not None:
                return told
    return None


def _too_few(file: BinaryIO, page: Directory) -> str | None:
    """Return a sentence if there are fewer strips or tiles than the page's size takes."""
    width, height = page.number(file, WIDTH, 0), page.number(file, HEIGHT, 0)
    planes = page.number(file, SAMPLES, 1) if page.number(file, _PLANAR, 1) == 2 else 1
    if _TILES in page.tags:
        across = page.number(file, _TILE_WIDTH, width)
        down = page.number(file, _TILE_LENGTH, height)
        needed = -(-width // max(across, 1)) * -(-height // max(down, 1)) * planes
        found, what = page.tags[_TILES].values, "tiles"
    elif _STRIPS in page.tags:
        needed = -(-height // max(page.number(file, _ROWS, height), 1)) * planes
        found, what = page.tags[_STRIPS].values, "strips"
    else:
        return None
    return f"its size takes {needed} {what}, and it has {found}" if found < needed else None
