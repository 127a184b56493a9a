"""Two metrics of a run's validations against each other, and how soon it came near its best."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from upres.report.clock import Clock, clock_of
from upres.report.drawing import INK, Chart, draw, style
from upres.report.labels import name_axes
from upres.report.ranking import Column, column
from upres.report.run_log import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACHED = (0.7, 0.8, 0.9, 0.95, 0.99)  # of the way to the best, as in figure 7 of paper B
FEWEST = 5  # validations: fewer make no cloud and no relation
FIRST, LAST = "#5ab0e5", "#d45f01"  # of a run's validations
MARKERS = "o^sDvP"  # of its stages
# What is shown, by the name in the log: the first of each line that a run measured.
DISTORTION = ("psnr_y", "psnr_rgb")
STRUCTURE = ("ssim_y", "ssim_rgb")
PERCEPTION = ("lpips_alex", "lpips_vgg", "dists")


def relation_charts(run: RunLog) -> list[Chart]:
    """PSNR against SSIM and against a perceptual distance, and the convergence of all three.

    Raises MissingExtra without matplotlib.
    """
    clock = clock_of(run)
    measured = {name for _, _, metrics in _validations(run) for name in metrics}
    found = [
        next((name for name in names if name in measured), None)
        for names in (DISTORTION, STRUCTURE, PERCEPTION)
    ]
    shown = [name for name in found if name is not None]
    psnr = found[0]
    charts = [_relation(run, clock, psnr, name) for name in shown if psnr and name != psnr]
    charts.append(_convergence(run, clock, shown))
    return [chart for chart in charts if chart is not None]


def steps_to_reach(run: RunLog, name: str) -> list[tuple[str, int]] | None:
    """Where (stage, step) a metric first came REACHED of the way from its first value to its best.

    None where there are too few values or the first was the best.
    """
    moments, values = [], []
    for stage, step, metrics in _validations(run):
        if np.isfinite(metrics.get(name, np.inf)):
            moments.append((stage, step))
            values.append(metrics[name])
    if len(values) < FEWEST:
        return None
    worth = column(name).worth(np.array(values))
    gain = worth - worth[0]
    if not gain.max() > 0:  # there was no way to go, or nobody knows which way
        return None
    return [moments[int(np.argmax(gain >= share * gain.max() - 1e-12))] for share in REACHED]


def _validations(run: RunLog) -> Iterator[tuple[str, int, dict[str, float]]]:
    for stage in run.stages:
        for event in stage.validations:
            yield stage.name, event.step, event.metrics


def _relation(run: RunLog, clock: Clock, x_name: str, y_name: str) -> Chart | None:
    points = [
        (stage, step, metrics[x_name], metrics[y_name])
        for stage, step, metrics in _validations(run)
        if np.isfinite([metrics.get(x_name, np.inf), metrics.get(y_name, np.inf)]).all()
    ]
    if len(points) < FEWEST:
        return None
    x, y = column(x_name), column(y_name)
    xs, ys = (np.array([point[i] for point in points]) for i in (2, 3))
    times = np.array([clock.place(stage, step) for stage, step, *_ in points])
    balanced = int(np.argmax(_progress(xs, x) + _progress(ys, y)))
    stage, step, *_ = points[balanced]
    stages = list(dict.fromkeys(point[0] for point in points))

    def paint(axes: "Axes") -> None:
        from matplotlib.colors import LinearSegmentedColormap

        # apart in lightness too, and both seen on white and on black
        ramp = LinearSegmentedColormap.from_list("time", [FIRST, LAST])
        span: dict[str, Any] = {"cmap": ramp, "vmin": times.min(), "vmax": times.max()}
        for name, marker in zip(stages, MARKERS * len(stages), strict=False):
            of = np.array([point[0] == name for point in points])
            axes.scatter(xs[of], ys[of], c=times[of], marker=marker, s=22, linewidths=0, **span)
            if len(stages) > 1:
                axes.plot([], [], marker=marker, color=INK, linestyle="", label=name)
        star: dict[str, Any] = {"marker": "*", "markersize": 14, "color": INK, "linestyle": ""}
        axes.plot(xs[balanced], ys[balanced], label="best balance", **star)
        for time, colour in ((times.min(), FIRST), (times.max(), LAST)):
            look: dict[str, Any] = {"marker": "s", "color": colour, "linestyle": ""}
            axes.plot([], [], label=f"{clock.unit} {_count(time)}", **look)
        if y.higher is False:
            axes.invert_yaxis()
        name_axes(axes, x, y)

    return draw(
        f"{x.label} and {y.label} of each validation",
        paint,
        caption=f"Up and to the right is better. Star: the best sum of both, each scaled to 0..1 "
        f"over the run ({clock.words(stage, step)}).",
    )


def _convergence(run: RunLog, clock: Clock, names: Sequence[str]) -> Chart | None:
    reached = {name: steps_to_reach(run, name) for name in names}
    bars = {
        column(name).label: [clock.place(stage, step) for stage, step in moments]
        for name, moments in reached.items()
        if moments is not None
    }
    if not bars:
        return None

    def paint(axes: "Axes") -> None:
        from matplotlib.ticker import EngFormatter

        width = 0.8 / len(bars)
        for index, (label, times) in enumerate(bars.items()):
            places = np.arange(len(REACHED)) + (index - (len(bars) - 1) / 2) * width
            axes.bar(places, times, width * 0.9, label=label, color=style(index)["color"])
        axes.set_xticks(range(len(REACHED)), [f"{share:.0%}" for share in REACHED])
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("of the way from the first validation to the best")
        axes.set_ylabel(f"{clock.unit}s")

    title = f"{clock.unit.capitalize()}s until close to the best"
    return draw(title, paint, caption=_reached_in_words(bars, clock, len(run.stages) > 1))


def _reached_in_words(bars: dict[str, list[float]], clock: Clock, several: bool) -> str:
    place = REACHED.index(0.9)
    parts = [f"{label} {_count(times[place])}" for label, times in bars.items()]
    text = f"{clock.unit.capitalize()}s to {REACHED[place]:.0%}: {', '.join(parts)}."
    return f"{text} Stages are counted on." if several else text


def _count(time: float) -> str:
    return f"{time:,.0f}" if time >= 10 or time == round(time) else f"{time:.1f}"


def _progress(values: NDArray[np.float64], metric: Column) -> NDArray[np.float64]:
    """The values scaled to 0..1, 1 the best."""
    worth = metric.worth(values)
    span = np.ptp(worth)
    scaled: NDArray[np.float64] = (worth - worth.min()) / (span or 1.0)
    return scaled
