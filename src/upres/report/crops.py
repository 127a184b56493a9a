"""Where to look: the parts of a picture in which the rows differ most.

HR has no say in it, so the choice favours no row; there is no chance in it either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", np.uint8, np.float64)

PLAIN = ("nearest", "bilinear", "bicubic", "lanczos")  # enlarged without a network


@dataclass(frozen=True)
class Box:
    """A part of a picture, in its pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, values: NDArray[T]) -> NDArray[T]:
        """The part of `values` (H, W, ...) inside the box, as a view."""
        return values[self.top : self.top + self.height, self.left : self.left + self.width]

    def shrunk(self, scale: int) -> "Box":
        """The same part of a picture `scale` times smaller; exact for boxes on its grid."""
        return Box(self.top // scale, self.left // scale, self.height // scale, self.width // scale)


def rows_to_compare(names: Sequence[str]) -> list[str]:
    """The rows whose differences count: the networks', if there are two; else all."""
    networks = [name for name in names if name not in PLAIN]
    return networks if len(networks) > 1 else list(names)


def spread(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """How far the pictures (H, W, 3) lie apart at each pixel: the standard deviation of their
    grey values, (H, W). One picture alone gives its distance from its own mean, its contrast.
    """
    greys = (picture.mean(axis=2, dtype=np.float64) for picture in pictures)
    count = 0
    total = squares = last = np.zeros((1, 1))
    for last in greys:
        count, total, squares = count + 1, total + last, squares + last * last
    if count == 0:
        raise ValueError("no pictures to compare")
    if count == 1:
        contrast: NDArray[np.float64] = np.abs(last - last.mean())
        return contrast
    variance = squares / count - (total / count) ** 2
    deviation: NDArray[np.float64] = np.sqrt(variance.clip(min=0))  # rounding may take it below
    return deviation


def choose_boxes(
    values: NDArray[np.float64], *, height: int, width: int, count: int, grid: int = 1
) -> list[Box]:
    """Up to `count` boxes that hold most of `values` (H, W), best first, none on another.

    Boxes lie on multiples of `grid`, so that they cut an LR picture at whole pixels; sides are cut
    to the picture. Of equals the upper left one is taken. Sums are exact to rounding.
    """
    height = min(height, values.shape[0]) // grid * grid
    width = min(width, values.shape[1]) // grid * grid
    if height == 0 or width == 0:
        raise ValueError(f"no box fits: values are {values.shape}, the grid is {grid}")
    sums = _box_sums(values, height, width)[::grid, ::grid]
    boxes: list[Box] = []
    while len(boxes) < count and np.isfinite(best := sums.max()):
        # equal sums differ by rounding: without a margin, chance would choose among them
        near = sums >= best - 1e-9 * max(abs(best), 1.0)
        row, column = divmod(int(near.argmax()), sums.shape[1])
        boxes.append(Box(row * grid, column * grid, height, width))
        reach, across = -(-height // grid) - 1, -(-width // grid) - 1
        sums[
            max(0, row - reach) : row + reach + 1, max(0, column - across) : column + across + 1
        ] = -np.inf
    return boxes


def _box_sums(values: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    upper, lower = table[:-height], table[height:]
    return lower[:, width:] - lower[:, :-width] - upper[:, width:] + upper[:, :-width]
