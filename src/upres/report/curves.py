"""The curves of a training run, from its log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from upres.report.clock import steps_of
from upres.report.drawing import Chart, draw, line, percent_axis, style
from upres.report.epoch_loss import epoch_loss_charts
from upres.report.loss_curves import discriminator_charts, loss_charts
from upres.report.run_log import RunLog, StepEvent
from upres.report.validation_curves import validation_charts
from upres.report.watch_curves import watch_charts, weight_charts

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class ChartGroup:
    """Charts that answer one question."""

    title: str
    charts: tuple[Chart, ...]


def run_charts(run: RunLog) -> list[ChartGroup]:
    """All curves that the log has something for. Raises MissingExtra without matplotlib."""
    groups = [ChartGroup("Validation", tuple(validation_charts(run)))]
    for stage in run.stages:
        charts = (*loss_charts(stage), *weight_charts(stage), *epoch_loss_charts(stage))
        groups.append(ChartGroup(f"Losses, stage {stage.name}", charts))
    for stage in run.stages:
        players = tuple(discriminator_charts(stage))
        groups.append(ChartGroup(f"Discriminator, stage {stage.name}", players))
    for stage in run.stages:
        watched = tuple(watch_charts(stage))
        groups.append(ChartGroup(f"Pictures and average, stage {stage.name}", watched))
    groups.append(ChartGroup("Learning rate and speed", tuple(_pace(run))))
    return [group for group in groups if group.charts]


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
    clock = steps_of(run)

    def paint(axes: "Axes") -> None:
        for index, stage in enumerate(run.stages):
            pairs = [(event.step, value(event)) for event in stage.steps]
            known = [(step, found) for step, found in pairs if found is not None]
            if known:
                x = clock.places(stage.name, [step for step, _ in known])
                line(axes, x, [found for _, found in known], label=stage.name, **style(index))
        clock.dress(axes)
        if label:
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4))
        else:
            percent_axis(axes)

    return paint
