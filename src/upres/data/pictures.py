"""The pictures of prepared stores as sequences: a few numbers each, pixels and pairs on demand."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

import numpy as np
from numpy.typing import NDArray

from upres.data.crops import Pair
from upres.data.pixels import CHANNELS, PixelMap


@dataclass(frozen=True, eq=False)
class PictureTable:
    """Where the pictures of one store are, a column a fact: 41 bytes each, and its name."""

    split: NDArray[np.uint8]  # position in SPLITS
    height: NDArray[np.uint32]  # of HR; LR's is height / scale
    width: NDArray[np.uint32]
    hr_offset: NDArray[np.uint64]  # bytes, of the first pixel in hr.bin
    hr_row: NDArray[np.uint32]  # bytes from row to row: the width of the whole photo
    lr_offset: NDArray[np.uint64]  # bytes, in lr.bin
    name_start: NDArray[np.uint64]  # bytes, in `names`
    name_bytes: NDArray[np.uint32]
    names: bytes  # UTF-8, one after another

    def name(self, place: int) -> str:
        """Return the name of the photo that the picture is, or is a part of."""
        start = int(self.name_start[place])
        return self.names[start : start + int(self.name_bytes[place])].decode()

    def shorter_side(self) -> NDArray[np.uint32]:
        """Return the shorter HR side of each picture in pixels."""
        return np.minimum(self.height, self.width)


@dataclass(frozen=True, eq=False)
class Part:
    """Some pictures of one store, by their places in its table.

    prefix: goes before their names. share: of all draws; None shares what is left by area.
    """

    table: PictureTable
    places: NDArray[np.int64]
    hr: PixelMap
    lr: PixelMap
    scale: int
    prefix: str = ""
    share: float | None = None

    def pair(self, index: int) -> Pair:
        """Return one picture: views of the files."""
        table, place, scale = self.table, int(self.places[index]), self.scale
        height, width = int(table.height[place]), int(table.width[place])
        hr = np.ndarray(
            (height, width, CHANNELS),
            np.uint8,
            buffer=self.hr.pixels,
            offset=int(table.hr_offset[place]),
            strides=(int(table.hr_row[place]), CHANNELS, 1),
        )
        lr_shape = (height // scale, width // scale, CHANNELS)
        lr = np.ndarray(
            lr_shape, np.uint8, buffer=self.lr.pixels, offset=int(table.lr_offset[place])
        )
        return Pair(self.prefix + table.name(place), lr, hr)

    def areas(self) -> NDArray[np.int64]:
        """Return the LR pixels of each picture."""
        height = self.table.height[self.places].astype(np.int64) // self.scale
        return height * (self.table.width[self.places].astype(np.int64) // self.scale)


class Pictures(Sequence[Pair]):
    """The pictures of one side of the split, of one store or of several, one after the other."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self._ends = list(accumulate(len(part.places) for part in self.parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"picture {index} of {len(self)}")
        part = bisect.bisect_right(self._ends, place)
        return self.parts[part].pair(place - (self._ends[part - 1] if part else 0))

    def refuse_changed(self) -> None:
        """Raise WorkFailed when a file of pixels was written to since it was opened."""
        for part in self.parts:
            part.hr.refuse_changed()
            part.lr.refuse_changed()

    def rising_chances(self) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the pictures' chances of being drawn, added up from the first to each.

        By area, unless a part has a share of the draws: its pictures part that by area, and those
        of the parts without a share part the rest.
        """
        areas = [part.areas() for part in self.parts]
        given = [part.share for part in self.parts if part.share is not None]
        if not given or len(self.parts) == 1:
            return np.cumsum(np.concatenate(areas))
        free = sum(
            int(area.sum()) for area, part in zip(areas, self.parts, strict=True) if not part.share
        )
        rest = 1 - sum(given)
        chances = [
            area * (part.share / area.sum() if part.share else rest / free)
            for area, part in zip(areas, self.parts, strict=True)
        ]
        return np.cumsum(np.concatenate(chances))
