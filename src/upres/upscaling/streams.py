"""Pictures as blocks of rows that pass once from top to bottom: no picture needs to fit memory.

Every step of enlarging takes a stream and returns one. Values are float32, 0..1 for the full range.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Values = TypeVar("Values", bound=np.generic)

BLOCK_ROWS = 64  # of a picture in memory


@dataclass(frozen=True, eq=False)
class Stream:
    """A picture of `height` rows that come in blocks (rows, width, channels), once."""

    height: int
    width: int
    channels: int
    blocks: Iterator[Floats]


class RowWindow:
    """The rows of a stream between two places; places may only move down.

    Keeps no row above the last place that was asked for.
    """

    def __init__(self, stream: Stream) -> None:
        self._blocks = stream.blocks
        self._first = 0  # the row that the kept part begins with
        self._kept = np.empty((0, stream.width, stream.channels), np.float32)

    def read(self, start: int, stop: int) -> Floats:
        """Return rows start..stop (a view). Raises ValueError for rows that were let go."""
        if start < self._first:
            raise ValueError(f"row {start} was let go; the window begins at {self._first}")
        if stop > self._first + len(self._kept):
            parts = [self._kept[start - self._first :]]
            end = self._first + len(self._kept)
            self._first = max(start, self._first)
            while end < stop:
                block = next(self._blocks)
                parts.append(block[max(0, self._first - end) :])
                end += len(block)
            self._kept = np.concatenate(parts)
        return self._kept[start - self._first : stop - self._first]


def array_stream(picture: Floats) -> Stream:
    """Return a picture (h, w, c), float32 0..1, as a stream."""
    height, width, channels = picture.shape
    blocks = (picture[top : top + BLOCK_ROWS] for top in range(0, height, BLOCK_ROWS))
    return Stream(height, width, channels, blocks)


def mapped(stream: Stream, change: Callable[[Floats], Floats]) -> Stream:
    """Return the stream of what `change` makes of each block; sizes stay."""
    return replace(stream, blocks=(change(block) for block in stream.blocks))


def collected(stream: Stream) -> Floats:
    """Return the whole picture, (h, w, c)."""
    return np.concatenate(list(stream.blocks))


def unit_range(values: NDArray[Any]) -> Floats:
    """Return integers as 0..1 of their type's range, floats as they are: a float32 copy."""
    floats = values.astype(np.float32, order="C")
    if values.dtype.kind == "u":
        floats /= np.float32(np.iinfo(values.dtype).max)
    return floats


def quantised(values: Floats, dtype: np.dtype[Values]) -> NDArray[Values]:
    """Return values clamped to 0..1 and, for integer types, rounded to the nearest level.

    Halves go up. Float types are clamped too.
    """
    if dtype.kind != "u":
        return values.clip(0, 1).astype(dtype)
    kind: Any = dtype
    levels = np.float32(np.iinfo(kind).max)
    scaled = values * levels
    scaled += np.float32(0.5)
    return np.clip(scaled, 0, levels, out=scaled).astype(dtype)
