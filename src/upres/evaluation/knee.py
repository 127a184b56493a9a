"""Where a curve of two qualities bends: the point after which one is dearly bought.

Both qualities are given so that more is better: PSNR, and for instance LPIPS with its sign turned.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from upres.errors import BadSetting

RESAMPLES = 1000
SEED = 20  # any will do; the same scores always give the same shares
_LEVEL = 1e-6  # heights above the chord that are rounding, as shares of the curve's range

Values = NDArray[np.float64]


class Knee(NamedTuple):
    """Places of points: the knee, and the ends of the chord that it lies above."""

    place: int
    first: int  # the best in what is paid
    last: int  # the best in what is bought


def knee(paid: Values, bought: Values) -> Knee | None:
    """Return the point that lies farthest above the chord of the curve, or None.

    paid, bought: (n,), more is better in both. Points that another one beats in both do not count.
    Of those left, the best in `paid` and the best in `bought` are the ends of the chord, and both
    qualities are scaled to 0..1 between them. Up to the farthest point a loss of `paid` buys
    more of `bought` than it does on average from end to end, beyond it less. A point that is the
    best in both is all three. None: no point lies above the chord.
    """
    order = _front(paid, bought)
    first, last = order[0], order[-1]
    if first == last:
        return Knee(first, first, last)
    x, y = paid[order], bought[order]
    height = (y - y[0]) / (y[-1] - y[0]) - (x[0] - x) / (x[0] - x[-1])
    highest = int(np.argmax(height))
    return Knee(order[highest], first, last) if height[highest] > _LEVEL else None


def resampled_knees(
    paid: Values, bought: Values, *, resamples: int = RESAMPLES, seed: int = SEED
) -> list[int]:
    """Return the knees of means over pictures drawn with replacement, where there is one, sorted.

    paid, bought: (pictures, n). Raises BadSetting for a number of pictures below two.
    """
    pictures = len(paid)
    if pictures < 2:
        raise BadSetting(f"{pictures} picture says nothing about others; take two or more.")
    drawn = np.random.default_rng(seed).integers(0, pictures, (resamples, pictures))
    found = (knee(paid[places].mean(0), bought[places].mean(0)) for places in drawn)
    return sorted(one.place for one in found if one is not None)


def _front(paid: Values, bought: Values) -> list[int]:
    """The points that none beats, the best in `paid` first; of equal ones the first."""
    best = -np.inf
    front = []
    for place in np.lexsort((-bought, -paid)):
        if bought[place] > best:
            front.append(int(place))
            best = bought[place]
    return front
