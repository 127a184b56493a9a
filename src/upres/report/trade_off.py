"""Two metrics against each other, and how soon a run came close to its best."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from upres.report.drawing import INK, Chart, draw, style
from upres.report.ranking import Column, column
from upres.report.run_log import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACHED = (0.7, 0.8, 0.9, 0.95, 1.0)  # of the way to the best, as in figure 7 of paper B
FIRST, LAST = "#5ab0e5", "#d45f01"  # of a run's validations
PSNR, SSIM, LPIPS = column("psnr_y"), column("ssim_y"), column("lpips_alex")


def plane_chart(rows: Sequence[tuple[str, Mapping[str, float]]]) -> Chart | None:
    """Rows (name, metrics) by PSNR-Y and LPIPS; None unless two rows have both."""
    points = [
        (name, metrics["psnr_y"], metrics["lpips_alex"])
        for name, metrics in rows
        if np.isfinite([metrics.get("psnr_y", np.inf), metrics.get("lpips_alex", np.inf)]).all()
    ]
    if len(points) < 2:
        return None

    def paint(axes: "Axes") -> None:
        for index, (name, psnr, lpips) in enumerate(points):
            axes.plot(psnr, lpips, marker="o", color=style(index)["color"], linestyle="")
            axes.annotate(
                name, (psnr, lpips), xytext=(0, 7), textcoords="offset points", ha="center"
            )
        axes.margins(0.22)
        axes.invert_yaxis()
        _name_axes(axes, PSNR, LPIPS)

    return draw(
        "Distortion and perception",
        paint,
        caption="Up and to the right is better (the LPIPS axis is turned). Networks trained for "
        "PSNR lie to the right, networks trained against a discriminator higher.",
    )


def relation_charts(run: RunLog) -> list[Chart]:
    """What a run's validations say about two metrics together, and its convergence."""
    charts = [_relation(run, PSNR, SSIM), _relation(run, PSNR, LPIPS), _convergence(run)]
    return [chart for chart in charts if chart is not None]


def _relation(run: RunLog, x: Column, y: Column) -> Chart | None:
    points = [
        (stage.name, event.step, event.metrics[x.name], event.metrics[y.name])
        for stage in run.stages
        for event in stage.validations
        if x.name in event.metrics and y.name in event.metrics
    ]
    if len(points) < 5:  # no cloud, no relation
        return None
    xs, ys = (np.array([point[i] for point in points]) for i in (2, 3))
    balanced = int(np.argmax(_progress(xs, x) + _progress(ys, y)))
    stage, step, *_ = points[balanced]

    def paint(axes: "Axes") -> None:
        from matplotlib.colors import LinearSegmentedColormap

        # apart in lightness too, and both seen on white and on black
        ramp = LinearSegmentedColormap.from_list("time", [FIRST, LAST])
        axes.scatter(xs, ys, c=np.arange(len(xs)), cmap=ramp, s=22, linewidths=0)
        star: dict[str, Any] = {"marker": "*", "markersize": 14, "color": INK, "linestyle": ""}
        axes.plot(xs[balanced], ys[balanced], label="balance", **star)
        for label, colour in (("first", FIRST), ("last", LAST)):
            axes.plot([], [], marker="o", color=colour, linestyle="", label=label)
        if y.higher is False:
            axes.invert_yaxis()
        _name_axes(axes, x, y)

    return draw(
        f"{x.label} and {y.label} of each validation",
        paint,
        caption=f"Up and to the right is better. Star: the best sum of both, each scaled to 0..1 "
        f"over the run (stage {stage}, step {step:,}).",
    )


def _convergence(run: RunLog) -> Chart | None:
    bars = {
        metric.label: steps
        for metric in (PSNR, SSIM, LPIPS)
        if (steps := _steps_to_reach(run, metric)) is not None
    }
    if not bars:
        return None

    def paint(axes: "Axes") -> None:
        from matplotlib.ticker import EngFormatter

        width = 0.8 / len(bars)
        for index, (label, steps) in enumerate(bars.items()):
            places = np.arange(len(REACHED)) + (index - (len(bars) - 1) / 2) * width
            axes.bar(places, steps, width * 0.9, label=label, color=style(index)["color"])
        axes.set_xticks(range(len(REACHED)), [f"{share:.0%}" for share in REACHED])
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("of the way from the first validation to the best")
        axes.set_ylabel("steps")

    return draw("Steps until close to the best", paint, caption="Stages are counted on.")


def _steps_to_reach(run: RunLog, metric: Column) -> list[int] | None:
    steps, values, start = [], [], 0
    for stage in run.stages:
        for event in stage.validations:
            if np.isfinite(event.metrics.get(metric.name, np.inf)):
                steps.append(start + event.step)
                values.append(event.metrics[metric.name])
        start += stage.last_step
    if len(values) < 5:
        return None
    gain = (np.array(values) - values[0]) * (1 if metric.higher else -1)
    if gain.max() <= 0:  # the first was the best: there was no way to go
        return None
    return [steps[int(np.argmax(gain >= share * gain.max() - 1e-12))] for share in REACHED]


def _progress(values: NDArray[np.float64], metric: Column) -> NDArray[np.float64]:
    """The values scaled to 0..1, 1 the best."""
    span = np.ptp(values)
    if span == 0:
        return np.zeros_like(values)
    scaled: NDArray[np.float64] = (values - values.min()) / span
    return scaled if metric.higher else 1 - scaled


def _name_axes(axes: "Axes", x: Column, y: Column) -> None:
    axes.set_xlabel(f"{x.label} {x.arrow}  {x.unit}".rstrip())
    axes.set_ylabel(f"{y.label} {y.arrow}  {y.unit}".rstrip())
