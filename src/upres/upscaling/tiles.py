"""Tiles: a large picture in parts that fit into memory and cache, without a seam.

Each tile is computed with `overlap` pixels of its true surroundings, which are cut off again. An
overlap as large as the network's receptive radius makes the result equal to the whole picture's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

ALIGNMENT = 4  # tiles begin at multiples of it, so that a pixel-unshuffle sees the same phase


@dataclass(frozen=True)
class Tile:
    """What is read, and which part of it is kept: row and column ranges in LR pixels."""

    read: tuple[slice, slice]
    keep: tuple[slice, slice]


def plan_tiles(height: int, width: int, *, tile: int, overlap: int) -> list[Tile]:
    """Tiles of at most `tile` x `tile` kept pixels that cover the picture once, row by row.

    tile and overlap are LR pixels and are rounded up to multiples of 4; the tiles of a row are
    about equally large. Raises ValueError for a tile below 1 or a negative overlap.
    """
    if tile < 1 or overlap < 0:
        raise ValueError(f"tile is {tile} and overlap {overlap}; expected at least 1 and 0")
    rows, columns = _spans(height, tile, overlap), _spans(width, tile, overlap)
    return [
        Tile((read_rows, read_columns), (keep_rows, keep_columns))
        for read_rows, keep_rows in rows
        for read_columns, keep_columns in columns
    ]


def run_tiles(
    enlarge: Callable[[NDArray[Any]], Tensor],
    picture: NDArray[Any],
    tiles: list[Tile],
    *,
    scale: int,
) -> Iterator[tuple[tuple[slice, slice], Tensor]]:
    """Yield, tile by tile, where its pixels stand in the enlarged picture and the pixels.

    picture: (h, w, c). `enlarge` gets a part of it and returns that
    part `scale` times as large, (scale*h, scale*w, c).
    """
    for tile in tiles:
        enlarged = enlarge(picture[tile.read])
        rows, columns = (slice(keep.start * scale, keep.stop * scale) for keep in tile.keep)
        top, left = (read.start * scale for read in tile.read)
        inner = enlarged[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        yield (rows, columns), inner


def _spans(length: int, tile: int, overlap: int) -> list[tuple[slice, slice]]:
    """(read, keep) along one axis."""
    count = -(-length // _aligned(tile))
    step = _aligned(-(-length // count))
    context = _aligned(overlap)
    return [
        (
            slice(max(0, start - context), min(length, start + step + context)),
            slice(start, min(length, start + step)),
        )
        for start in range(0, length, step)
    ]


def _aligned(pixels: int) -> int:
    return -(-pixels // ALIGNMENT) * ALIGNMENT
