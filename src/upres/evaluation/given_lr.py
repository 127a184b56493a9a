"""How LR files that were given differ from the LR that a protocol makes of the same HR.

Inside, resizers differ by how often they round; at the edge by how they go on beyond it. So the
two are told apart: both together say which resizer made the files.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

EDGE = 4  # LR pixels at each side: what a bicubic kernel that shrinks reads beyond the picture

Bytes = NDArray[np.uint8]


class Agreement(BaseModel, frozen=True):
    """Of samples of 8 bits: the share that is equal, and the largest difference in levels."""

    equal: float
    largest: int


class LrDifference(BaseModel, frozen=True):
    """Given LR against those of `resizer`, all pictures together. inside: None if there is none."""

    resizer: str
    inside: Agreement | None
    edge: Agreement

    def __str__(self) -> str:
        """Return both parts in words."""
        inside = "" if self.inside is None else f"inside {_words(self.inside)}; "
        return (
            f"the given LR against those by {self.resizer}: {inside}"
            f"at the outer {EDGE} pixels {_words(self.edge)}"
        )


@dataclass(frozen=True)
class Counted:
    """Samples of one part of pictures: how many, how many of them equal, the largest difference."""

    samples: int
    equal: int
    largest: int


def count_equal(given: Bytes, made: Bytes) -> tuple[Counted, Counted]:
    """Return what was counted inside and at the edge of one picture, (h, w, 3) of one size."""
    difference = np.abs(given.astype(np.int16) - made)
    inside = difference[EDGE:-EDGE, EDGE:-EDGE]
    whole, within = _counted(difference), _counted(inside)
    at_edge = difference.copy()
    at_edge[EDGE:-EDGE, EDGE:-EDGE] = 0
    edge = Counted(
        whole.samples - within.samples, whole.equal - within.equal, int(at_edge.max(initial=0))
    )
    return within, edge


def lr_difference(counted: Iterable[tuple[Counted, Counted]], resizer: str) -> LrDifference:
    """Return what pictures have together. counted: of each, inside and at the edge."""
    inside, edge = zip(*counted, strict=True)
    return LrDifference(
        resizer=resizer,
        inside=_agreement(inside) if any(part.samples for part in inside) else None,
        edge=_agreement(edge),
    )


def _counted(difference: NDArray[np.int16]) -> Counted:
    equal = int((difference == 0).sum())
    return Counted(difference.size, equal, int(difference.max(initial=0)))


def _agreement(parts: Iterable[Counted]) -> Agreement:
    parts = list(parts)
    samples = sum(part.samples for part in parts)
    equal = sum(part.equal for part in parts)
    return Agreement(equal=equal / samples, largest=max(part.largest for part in parts))


def _words(part: Agreement) -> str:
    levels = "level" if part.largest == 1 else "levels"
    return f"{100 * part.equal:.2f} % of samples equal, at most {part.largest} {levels} apart"
