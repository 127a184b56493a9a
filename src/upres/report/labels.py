"""Names on a chart: of its axes, and of its points, each where it covers the least."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from upres.report.drawing import INK
from upres.report.ranking import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT = 8.0  # points
WIDE = 0.56  # of the font's size: a letter's mean width in the page's typeface
GAP = 5.0  # points from a point to its name
FRAME = (52.0, 58.0)  # points: about what a chart needs for what stands outside its axes
OUTSIDE = 4.0  # a square point outside the axes weighs as many inside

SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))

Place = tuple[float, float, float, float]  # left, bottom, right, top in points


def name_axes(axes: "Axes", x: Column, y: Column) -> None:
    """Name both axes after their metrics, with direction and unit."""
    axes.set_xlabel(f"{x.label} {x.arrow}  {x.unit}".rstrip())
    axes.set_ylabel(f"{y.label} {y.arrow}  {y.unit}".rstrip())


def name_points(axes: "Axes", points: Sequence[tuple[str, float, float]]) -> None:
    """Write the name of each (name, x, y) beside it, once the limits of the axes are set.

    A name that had to go further from its point is tied to it by a line.
    """
    inside = _inside(axes)
    spots = _spots(axes, [(x, y) for _, x, y in points], inside)
    taken = [_around(spot, 6.0, 6.0) for spot in spots]
    for (name, x, y), spot in zip(points, spots, strict=True):
        options = [_place(spot, name, side, far) for far in (0.0, 12.0, 24.0) for side in SIDES]
        costs = [_cost(place, taken, inside) + index for index, place in enumerate(options)]
        best = int(np.argmin(costs))
        left, bottom, right, top = options[best]
        taken.append(options[best])
        tie: dict[str, Any] = {}
        if best >= len(SIDES):
            tie["arrowprops"] = {"arrowstyle": "-", "color": INK, "linewidth": 0.5, "alpha": 0.6}
        axes.annotate(
            name,
            (x, y),
            xytext=((left + right) / 2 - spot[0], (bottom + top) / 2 - spot[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=FONT,
            **tie,
        )


def _inside(axes: "Axes") -> Place:
    width, height = (72 * inches for inches in axes.figure.get_figure(root=True).get_size_inches())
    return (0.0, 0.0, width - FRAME[0], height - FRAME[1])


def _spots(
    axes: "Axes", points: Sequence[tuple[float, float]], inside: Place
) -> list[tuple[float, float]]:
    shares = (axes.transData + axes.transAxes.inverted()).transform(np.array(points))
    return [(float(x) * inside[2], float(y) * inside[3]) for x, y in shares]


def _place(spot: tuple[float, float], name: str, side: tuple[int, int], far: float) -> Place:
    width, height = len(name) * FONT * WIDE, FONT * 1.15
    reach = GAP + far
    x = spot[0] + side[0] * (width / 2 + (reach if side[1] == 0 else far))
    y = spot[1] + side[1] * (height / 2 + reach)
    return _around((x, y), width, height)


def _around(middle: tuple[float, float], width: float, height: float) -> Place:
    x, y = middle
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _cost(place: Place, taken: Sequence[Place], inside: Place) -> float:
    """Square points of others' places under this one, and of what leaves the axes."""
    left, bottom, right, top = place
    covered = sum(_common(place, other) for other in taken)
    lost = (right - left) * (top - bottom) - _common(place, inside)
    return covered + OUTSIDE * lost


def _common(one: Place, other: Place) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
