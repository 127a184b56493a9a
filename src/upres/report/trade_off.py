"""The plane of distortion and perception: rows of a table, its front, and what papers printed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from upres.report.drawing import INK, LARGE, Chart, draw, style
from upres.report.labels import name_axes, name_points
from upres.report.published_methods import MOS, PublishedTable, published_on
from upres.report.ranking import Column, column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[tuple[str, Mapping[str, float]]]
Point = tuple[str, float, float]

DISTORTION = ("psnr_y", "psnr_rgb")  # the first of each that enough rows have
PERCEPTION = ("lpips_alex", "lpips_vgg", "dists", "niqe")
FRONT = "Dashed: the front. What lies off it is beaten in both by a row on it."


def plane_chart(rows: Rows, *, learnt: Mapping[str, Sequence[str]] | None = None) -> Chart | None:
    """Rows (name, metrics) by PSNR and a perceptual distance; None unless two rows have both.

    learnt: metric -> rows that were trained on it; a distance that none was trained on is shown
    where there is one. Raises MissingExtra without matplotlib.
    """
    trained = learnt or {}
    for y in sorted(PERCEPTION, key=lambda name: name in trained):
        for x in DISTORTION:
            points = _points(rows, x, y)
            if len(points) > 1:
                return _plane(points, column(x), column(y), trained.get(y, ()))
    return None


def published_charts(rows: Rows, *, protocol: str, dataset: str, scale: int | None) -> list[Chart]:
    """What papers printed of this set by this protocol, with the rows among them.

    What people gave stands alone on its axes, for it cannot be measured here; it is shown for
    every protocol, since it says how far the two sides of the trade lie apart.
    """
    charts = []
    for table in published_on(dataset, scale):
        if table.y == MOS:
            charts.append(_opinions(table))
        elif protocol in table.protocols and (ours := _points(rows, table.x, table.y)):
            charts.append(_among(table, ours))
    return charts


def front(points: Sequence[Point], x: Column, y: Column) -> list[Point]:
    """The points that no other is better than in one metric without being worse in the other, by
    increasing x."""
    worths = [(x.worth(at), y.worth(height)) for _, at, height in points]
    kept = [
        point
        for point, (a, b) in zip(points, worths, strict=True)
        if not any(c >= a and d >= b and (c, d) != (a, b) for c, d in worths)
    ]
    return sorted(kept, key=lambda point: point[1])


def _points(rows: Rows, x: str, y: str) -> list[Point]:
    return [
        (name, metrics[x], metrics[y])
        for name, metrics in rows
        if np.isfinite([metrics.get(x, np.inf), metrics.get(y, np.inf)]).all()
    ]


def _plane(points: Sequence[Point], x: Column, y: Column, learnt: Sequence[str]) -> Chart:
    best = front(points, x, y)

    def paint(axes: "Axes") -> None:
        _limits(axes, points)
        if y.higher is False:
            axes.invert_yaxis()
        if _is_line(best):
            _draw_front(axes, best)
        for index, (_, at, height) in enumerate(points):
            axes.plot(at, height, marker="o", color=style(index)["color"], linestyle="")
        name_points(axes, points)
        name_axes(axes, x, y)

    told = _front_words(best) if len(points) > 2 else ""
    if learnt:
        told += f" {y.label} was a loss of {', '.join(learnt)}: that flatters."
    turned = f" (the {y.label} axis is turned)" if y.higher is False else ""
    return draw(
        "Distortion and perception",
        paint,
        caption=f"Up and to the right is better{turned}. Networks trained for PSNR lie to the "
        f"right, networks trained against a discriminator higher.{told}",
    )


def _is_line(best: Sequence[Point]) -> bool:
    return len({(x, y) for _, x, y in best}) > 1


def _front_words(best: Sequence[Point]) -> str:
    if _is_line(best):
        return f" {FRONT}"
    return f" Nothing is better in either than {' and '.join(name for name, *_ in best)}."


def _draw_front(axes: "Axes", best: Sequence[Point]) -> None:
    """Steps, not straight lines: nothing was measured between two points."""
    look: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": "--", "alpha": 0.6}
    axes.step([x for _, x, _ in best], [y for _, _, y in best], where="pre", **look)


def _among(table: PublishedTable, ours: Sequence[Point]) -> Chart:
    x, y = column(table.x), column(table.y)

    def paint(axes: "Axes") -> None:
        _limits(axes, [*ours, *table.methods])
        _hollow(axes, table.methods)
        for index, (_, at, height) in enumerate(ours):
            label = "measured here" if index == 0 else None
            axes.plot(at, height, marker="o", color=style(0)["color"], linestyle="", label=label)
        name_points(axes, [*ours, *table.methods])
        name_axes(axes, x, y)

    return draw(
        f"Among published methods, {table.dataset} x{table.scale}",
        paint,
        size=LARGE,
        caption=f"Up and to the right is better. Published: {table.source}, as printed; their "
        "tools differ from this protocol in the last digits, and their training data from each "
        "other's.",
    )


def _opinions(table: PublishedTable) -> Chart:
    def paint(axes: "Axes") -> None:
        _limits(axes, table.methods)
        _hollow(axes, table.methods)
        name_points(axes, table.methods)
        axes.set_xlabel("PSNR ↑  dB, luma, border 4")
        axes.set_ylabel("mean opinion ↑  1 to 5")

    return draw(
        f"What people said of {table.dataset} x{table.scale}",
        paint,
        size=LARGE,
        caption=f"Nothing here was measured by us: {table.source}, 26 people. Opinions have no "
        "place beside other metrics; this is what distortion and perception look like where both "
        "are known.",
    )


def _hollow(axes: "Axes", points: Sequence[Point]) -> None:
    look: dict[str, Any] = {"marker": "D", "markersize": 4.5, "fillstyle": "none", "color": INK}
    xs, ys = [x for _, x, _ in points], [y for _, _, y in points]
    axes.plot(xs, ys, linestyle="", label="published", **look)


def _limits(axes: "Axes", points: Sequence[Point]) -> None:
    """Set both axes with room for names, before anything is placed by them."""
    for values, limit in (
        ([x for _, x, _ in points], axes.set_xlim),
        ([y for _, _, y in points], axes.set_ylim),
    ):
        room = 0.16 * (max(values) - min(values)) or 0.05 * abs(values[0]) or 1.0
        limit(min(values) - room, max(values) + room)
