"""Each metric of a run's validations over its time, with the best and the second-best marked."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from upres.report.clock import Clock, clock_of
from upres.report.drawing import INK, Chart, draw, style
from upres.report.ranking import Column, in_order
from upres.report.run_log import RunLog, StageLog, ValidationEvent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AVERAGED = 10  # validations in the moving average, as figure 5 of paper B has epochs

Point = tuple[StageLog, ValidationEvent, float]


def validation_charts(run: RunLog) -> list[Chart]:
    """One chart for each metric that was measured. Raises MissingExtra without matplotlib."""
    names = [name for stage in run.stages for v in stage.validations for name in v.metrics]
    clock = clock_of(run)
    return [_metric_chart(run, metric, clock) for metric in in_order(names)]


def _metric_chart(run: RunLog, metric: Column, clock: Clock) -> Chart:
    points = [
        (stage, event, event.metrics[metric.name])
        for stage in run.stages
        for event in stage.validations
        if math.isfinite(event.metrics.get(metric.name, math.nan))
    ]
    # what the first validation of a later stage measured, the stage before it has reached
    peaks = _peaks([p for p in points if p[1].step or p[0] is run.stages[0]], metric)

    def paint(axes: "Axes") -> None:
        for index, stage in enumerate(run.stages):
            found = [(event.step, value) for of, event, value in points if of is stage]
            steps, values = [step for step, _ in found], [value for _, value in found]
            _raw_and_averaged(axes, stage.name, clock.places(stage.name, steps), values, index)
        for (stage, event, value), word in zip(peaks, ("best", "second-best"), strict=False):
            axes.plot(
                clock.place(stage.name, event.step),
                value,
                marker="*",
                markersize=13,
                color=INK,
                fillstyle="full" if word == "best" else "none",
                linestyle="",
                label=word,
            )
        clock.dress(axes)
        axes.set_ylabel(f"{metric.label} {metric.arrow}  {metric.unit}".rstrip())

    return draw(metric.label, paint, caption=_caption(points, peaks, metric, clock))


def _peaks(points: Sequence[Point], metric: Column) -> list[Point]:
    """The best and, of three or more, the second-best; the earlier of equals."""
    if metric.metric is None:  # nobody knows which is better
        return []
    ranked = sorted(points, key=lambda point: -metric.worth(point[2]))
    return ranked[: 2 if len(points) > 2 else 1]


def _caption(points: Sequence[Point], peaks: Sequence[Point], metric: Column, clock: Clock) -> str:
    protocols = sorted({event.protocol for _, event, _ in points if event.protocol})
    text = f"On the validation pictures by {', '.join(protocols) or 'an unnamed protocol'}"
    text += f"; {metric.direction}." if metric.direction else "."
    for (stage, event, value), word in zip(peaks, ("Best", "Second-best"), strict=False):
        written = f"{metric.written(value)} {metric.unit}".rstrip()
        text += f" {word}: {written} at {clock.words(stage.name, event.step)}."
    counts = Counter(stage.name for stage, _, _ in points)
    if max(counts.values(), default=0) >= 2 * AVERAGED:
        text += f" Thick: mean of {AVERAGED} validations."
    return text


def _raw_and_averaged(
    axes: "Axes", label: str, x: Sequence[float], y: Sequence[float], index: int
) -> None:
    if not x:
        return
    if len(x) < 2 * AVERAGED:
        axes.plot(x, y, marker="o", markersize=3.5, label=label, **style(index))
        return
    colour = style(index)["color"]
    axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.55)
    xs, means = (np.convolve(v, np.ones(AVERAGED) / AVERAGED, mode="valid") for v in (x, y))
    axes.plot(xs, means, **{**style(index), "linewidth": 2.2}, label=label)
