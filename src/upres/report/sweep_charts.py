"""The way from one network to another: on the plane, and each metric by alpha."""

from typing import TYPE_CHECKING, Any

from upres.evaluation.sweep import Sweep
from upres.report.curves import ChartGroup
from upres.report.drawing import INK, Chart, draw, style
from upres.report.labels import name_axes, name_points
from upres.report.ranking import Column, column, in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAR: dict[str, Any] = {"marker": "*", "markersize": 12, "color": INK, "linestyle": ""}


def sweep_figures(sweep: Sweep) -> ChartGroup:
    """The curve with the alpha to take, then every metric. Raises MissingExtra."""
    names = dict.fromkeys(name for row in sweep.evaluation.rows for name in row.metrics)
    plane = _plane(sweep)
    charts = [_by_alpha(sweep, metric) for metric in in_order(names)]
    first = () if plane is None else (plane,)
    alpha = sweep.advice.alpha
    title = "No alpha is advised" if alpha is None else f"Alpha {alpha:g} is advised"
    return ChartGroup(title, (*first, *charts))


def _plane(sweep: Sweep) -> Chart | None:
    advice = sweep.advice
    if advice.paid is None or advice.bought is None:
        return None
    x, y = column(advice.paid), column(advice.bought)
    points = [
        (f"{alpha:g}", row.metrics[x.name], row.metrics[y.name])
        for alpha, row in zip(sweep.alphas, sweep.evaluation.rows, strict=True)
    ]

    def paint(axes: "Axes") -> None:
        axes.plot([p[1] for p in points], [p[2] for p in points], marker="o", **style(0))
        if advice.ends is not None and advice.alpha is not None:
            ends = [points[sweep.alphas.index(alpha)] for alpha in advice.ends]
            look: dict[str, Any] = {"color": INK, "linestyle": "--", "linewidth": 0.9, "alpha": 0.6}
            axes.plot([p[1] for p in ends], [p[2] for p in ends], **look)
            _, at, height = points[sweep.alphas.index(advice.alpha)]
            axes.plot(at, height, **STAR)
        axes.margins(0.12)
        if y.higher is False:
            axes.invert_yaxis()
        name_points(axes, points)
        name_axes(axes, x, y)

    turned = f" (the {y.label} axis is turned)" if y.higher is False else ""
    return draw(
        "Each alpha on the plane",
        paint,
        caption=f"Up and to the right is better{turned}; numbers are alphas. {_advised(sweep)}",
    )


def _by_alpha(sweep: Sweep, metric: Column) -> Chart:
    values = [row.metrics[metric.name] for row in sweep.evaluation.rows]

    def paint(axes: "Axes") -> None:
        if sweep.advice.alpha is not None:
            look: dict[str, Any] = {"color": INK, "linestyle": "--", "linewidth": 0.9, "alpha": 0.6}
            axes.axvline(sweep.advice.alpha, **look)
        axes.plot(sweep.alphas, values, marker="o", markersize=4, **style(0))
        axes.set_xlabel("alpha")
        axes.set_ylabel(f"{metric.label} {metric.arrow}  {metric.unit}".rstrip())

    return draw(f"{metric.label} by alpha", paint, caption=metric.direction)


def _advised(sweep: Sweep) -> str:
    advice = sweep.advice
    if advice.alpha is None:
        return f"No alpha is advised: {advice.reason}"
    told = f"The star is alpha {advice.alpha:g}, farthest above the dashed chord: {advice.reason}"
    if advice.low is None:
        return told
    return (
        f"{told} Of pictures drawn again with replacement, 95 % lead to alphas from "
        f"{advice.low:g} to {advice.high:g}."
    )
