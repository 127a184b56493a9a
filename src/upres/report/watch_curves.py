"""The curves of what the watch measured on a stage's pictures and weights."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from upres.report.drawing import (
    INK,
    Chart,
    draw,
    line,
    percent_axis,
    steps_axis,
    style,
    term_styles,
)
from upres.report.run_log import Look, StageLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DETAIL = (
    "Energy of the fine detail of generated pictures over that of the originals, on training "
    "crops. Networks trained by pixels stay far below 1; above it detail is invented."
)
GRID = (
    "Share of the fine detail that repeats with the grid of LR pixels (checkerboards), less the "
    "originals' own. Near 0 there is no pattern."
)
AVERAGE = "Distance of the averaged weights from the network's own, relative to their norm."
NORM = (
    "Sum over the terms of the norm of their gradients at the generator's output, log scale: what "
    "there is to be shared."
)
UPDATED = "Share of its steps in which the discriminator learned; in the others it was only asked."
WEIGHTS = "Weights in force, log scale: of schedules and of the adaptive balance."


def watch_charts(stage: StageLog) -> list[Chart]:
    """Detail, grid, average and gradient of a stage, each where it was measured."""
    looks = [(event.step, event.watch) for event in stage.steps if event.watch is not None]

    def chart(title: str, name: str, caption: str, dress: "Callable[[Axes], None]") -> list[Chart]:
        points = [(step, _value(look, name)) for step, look in looks]
        points = [(step, value) for step, value in points if np.isfinite(value)]
        if not points:
            return []

        def paint(axes: "Axes") -> None:
            line(
                axes, [s for s, _ in points], [v for _, v in points], label="generated", **style(0)
            )
            dress(axes)
            steps_axis(axes)

        return [draw(title, paint, caption=caption)]

    return [
        *chart("Fine detail", "high_frequency", DETAIL, _against_one),
        *chart("Pattern of the LR grid", "grid", GRID, _small_percent),
        *chart("Distance of the average", "ema_distance", AVERAGE, _small_percent),
        *chart("Gradient at the output", "gradient_norm", NORM, _logarithmic),
        *_updates(stage),
    ]


def weight_charts(stage: StageLog) -> list[Chart]:
    """The terms' weights, where one of them changed."""
    events = [event for event in stage.steps if event.weights]
    terms = list(dict.fromkeys(term for event in events for term in event.weights))
    values = {term: [event.weights.get(term, float("nan")) for event in events] for term in terms}
    if not any(len({v for v in found if np.isfinite(v)}) > 1 for found in values.values()):
        return []

    def paint(axes: "Axes") -> None:
        for term, look in term_styles(terms).items():
            line(axes, [event.step for event in events], values[term], label=term, **look)
        _logarithmic(axes)
        steps_axis(axes)

    return [draw("Weights of the terms", paint, caption=WEIGHTS)]


def _updates(stage: StageLog) -> list[Chart]:
    found = [
        (event.step, event.discriminator.updated)
        for event in stage.steps
        if event.discriminator is not None and event.discriminator.updated is not None
    ]
    if all(value == 1 for _, value in found):  # it always learned, as without any remedy
        return []

    def paint(axes: "Axes") -> None:
        line(axes, [s for s, _ in found], [v for _, v in found], label="updated", **style(0))
        percent_axis(axes)
        steps_axis(axes)

    return [draw("Updates of the discriminator", paint, caption=UPDATED)]


def _value(look: Look, name: str) -> float:
    found = getattr(look, name)
    return float("nan") if found is None else float(found)


def _against_one(axes: "Axes") -> None:
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=":", label="originals")
    axes.set_ylim(bottom=0)


def _small_percent(axes: "Axes") -> None:
    from matplotlib.ticker import PercentFormatter

    low, high = axes.get_ylim()
    axes.set_ylim(min(0.0, low), max(0.01, high))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _logarithmic(axes: "Axes") -> None:
    axes.set_yscale("log", nonpositive="mask")
