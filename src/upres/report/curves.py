"""The curves of a training run, from its log."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from upres.report.drawing import INK, Chart, draw, line, percent_axis, steps_axis, style
from upres.report.loss_curves import discriminator_charts, loss_charts
from upres.report.ranking import Column, in_order
from upres.report.run_log import RunLog, StageLog, StepEvent
from upres.report.watch_curves import watch_charts, weight_charts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AVERAGED = 10  # validations in the moving average, as figure 5 of paper B has epochs


@dataclass(frozen=True)
class ChartGroup:
    """Charts that answer one question."""

    title: str
    charts: tuple[Chart, ...]


def run_charts(run: RunLog) -> list[ChartGroup]:
    """All curves that the log has something for. Raises MissingExtra without matplotlib."""
    groups = [ChartGroup("Validation", tuple(_validation(run)))]
    for stage in run.stages:
        charts = (*loss_charts(stage), *weight_charts(stage))
        groups.append(ChartGroup(f"Losses, stage {stage.name}", charts))
    for stage in run.stages:
        players = tuple(discriminator_charts(stage))
        groups.append(ChartGroup(f"Discriminator, stage {stage.name}", players))
    for stage in run.stages:
        watched = tuple(watch_charts(stage))
        groups.append(ChartGroup(f"Pictures and average, stage {stage.name}", watched))
    groups.append(ChartGroup("Learning rate and speed", tuple(_pace(run))))
    return [group for group in groups if group.charts]


def _validation(run: RunLog) -> list[Chart]:
    names = [name for stage in run.stages for v in stage.validations for name in v.metrics]
    return [_metric_chart(run, metric) for metric in in_order(names)]


def _metric_chart(run: RunLog, metric: Column) -> Chart:
    points = [
        (stage, event, event.metrics[metric.name])
        for stage in run.stages
        for event in stage.validations
        if metric.name in event.metrics and np.isfinite(event.metrics[metric.name])
    ]
    protocols = sorted({event.protocol for _, event, _ in points if event.protocol})
    caption = f"On the validation pictures by {', '.join(protocols) or 'an unnamed protocol'}"
    caption += f"; {metric.direction}." if metric.direction else "."
    best: tuple[float, float] | None = None
    if points and metric.higher is not None:
        choose = max if metric.higher else min
        stage, event, value = choose(points, key=lambda point: point[2])
        best = (_start(run, stage) + event.step, value)
        where = f"stage {stage.name}, step {event.step:,}"
        caption += f" Best: {metric.written(value)} {metric.unit}".rstrip() + f" at {where}."
    if any(len(_values(stage, metric.name)[0]) >= 2 * AVERAGED for stage in run.stages):
        caption += f" Thick: mean of {AVERAGED} validations."

    def paint(axes: "Axes") -> None:
        for index, stage in enumerate(run.stages):
            steps, values = _values(stage, metric.name)
            _raw_and_averaged(axes, stage.name, _shifted(run, stage, steps), values, index)
        if best is not None:
            axes.plot(*best, marker="*", markersize=13, color=INK, linestyle="", label="best")
        _stage_borders(axes, run)
        axes.set_ylabel(f"{metric.label} {metric.arrow}  {metric.unit}".rstrip())

    return draw(metric.label, paint, caption=caption)


def _values(stage: StageLog, metric: str) -> tuple[list[int], list[float]]:
    found = [(event.step, event.metrics.get(metric, math.nan)) for event in stage.validations]
    known = [(step, value) for step, value in found if math.isfinite(value)]
    return [step for step, _ in known], [value for _, value in known]


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


def _pace(run: RunLog) -> list[Chart]:
    def rate(event: StepEvent) -> float | None:
        return event.rate

    def speed(event: StepEvent) -> float | None:
        return event.images_per_second

    def wait(event: StepEvent) -> float | None:
        return event.data_wait_share

    charts = []
    for title, label, value, caption in (
        ("Learning rate", "rate", rate, ""),
        ("Speed", "images/s", speed, "LR and HR pairs that went through the step each second."),
        ("Waiting for data", "", wait, "Share of the time spent waiting for the next batch."),
    ):
        if any(value(event) is not None for stage in run.stages for event in stage.steps):
            painter = _pace_painter(run, label, value)
            charts.append(draw(title, painter, caption=caption))
    return charts


def _pace_painter(
    run: RunLog, label: str, value: Callable[[StepEvent], float | None]
) -> "Callable[[Axes], None]":
    def paint(axes: "Axes") -> None:
        for index, stage in enumerate(run.stages):
            pairs = [(event.step, value(event)) for event in stage.steps]
            known = [(step, found) for step, found in pairs if found is not None]
            if known:
                x = _shifted(run, stage, [step for step, _ in known])
                line(axes, x, [found for _, found in known], label=stage.name, **style(index))
        _stage_borders(axes, run)
        if label:
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4))
        else:
            percent_axis(axes)

    return paint


def _start(run: RunLog, stage: StageLog) -> int:
    """Steps of the stages before this one."""
    before = run.stages[: run.stages.index(stage)]
    return sum(earlier.last_step for earlier in before)


def _shifted(run: RunLog, stage: StageLog, steps: Sequence[int]) -> list[float]:
    start = _start(run, stage)
    return [float(start + step) for step in steps]


def _stage_borders(axes: "Axes", run: RunLog) -> None:
    several = [stage for stage in run.stages if stage.last_step]
    for stage in several[1:]:
        axes.axvline(_start(run, stage), color=INK, linewidth=0.8, alpha=0.5, linestyle=":")
    steps_axis(axes, "step, stages one after another" if len(several) > 1 else "step")
