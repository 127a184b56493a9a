"""The curves of one stage's losses and of its discriminator."""

from collections.abc import Callable, Sequence
from statistics import mean
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
from upres.report.run_log import StageLog, StepEvent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TERMS = "Each term before its weight, on the batches that were trained on."
SCORES = "Means over a batch; 0 is undecided. The further apart, the surer the discriminator."
VALUE_SHARES = (
    "How much of the number that is minimised each term makes up. It says little about influence: "
    "a large term may hardly change with the picture. The gradient's shares say what pulls."
)
BAND = " The band is where it was to learn; outside it the discriminator waits."
GRADIENT_SHARES = (
    "How much of the gradient that reaches the SR picture each weighted term gives, at the steps "
    "where it was measured. A term that is nearly all of the value may be little of this."
)


def loss_charts(stage: StageLog) -> list[Chart]:
    """The terms of a stage and, of several, their shares by value and by gradient."""
    terms = list(dict.fromkeys(term for event in stage.steps for term in event.terms))
    if not terms:
        return []
    charts = [draw("Loss terms", _terms_painter(stage, terms), caption=TERMS)]
    if len(terms) < 2:
        return charts
    weighted = [(event.step, _shares(event.weighted)) for event in stage.steps if event.weighted]
    if weighted:
        painter = _share_painter(weighted, terms)
        charts.append(draw("Shares of the weighted loss by value", painter, caption=VALUE_SHARES))
    pulls = [(e.step, e.pulls) for e in stage.steps if e.pulls]
    if pulls:
        painter = _share_painter(pulls, terms)
        charts.append(draw("Shares of the gradient", painter, caption=GRADIENT_SHARES))
    return charts


def _terms_painter(stage: StageLog, terms: Sequence[str]) -> "Callable[[Axes], None]":
    def paint(axes: "Axes") -> None:
        values = []
        for term, look in term_styles(terms).items():
            events = [event for event in stage.steps if term in event.terms]
            y = [event.terms[term] for event in events]
            line(axes, [event.step for event in events], y, label=term, **look)
            values += [value for value in y if np.isfinite(value)]
        if values and min(values) > 0 and max(values) > 15 * min(values):
            axes.set_yscale("log")
        if len(terms) == 1:
            axes.set_ylabel(terms[0])
        steps_axis(axes)

    return paint


def _shares(weighted: dict[str, float]) -> dict[str, float]:
    total = sum(abs(value) for value in weighted.values())
    return {term: abs(value) / total for term, value in weighted.items()} if total else {}


def _share_painter(
    shares: Sequence[tuple[int, dict[str, float]]], terms: Sequence[str]
) -> "Callable[[Axes], None]":
    def paint(axes: "Axes") -> None:
        for term, look in term_styles(terms).items():
            y = [share.get(term, float("nan")) for _, share in shares]
            line(axes, [step for step, _ in shares], y, label=term, **look)
        percent_axis(axes)
        steps_axis(axes)

    return paint


def discriminator_charts(stage: StageLog) -> list[Chart]:
    """How well the discriminator tells real from fake; nothing where there is none."""
    events = [event for event in stage.steps if event.discriminator is not None]
    if not events:
        return []
    steps = [event.step for event in events]

    def series(name: str) -> list[float]:
        found = (getattr(event.discriminator, name) for event in events)
        return [float("nan") if value is None else value for value in found]

    def accuracy(axes: "Axes") -> None:
        line(axes, steps, series("accuracy"), label="accuracy", **style(0))
        axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=":", label="guessing")
        if stage.accuracy_band is not None:
            band = style(0)["color"]
            axes.axhspan(*stage.accuracy_band, color=band, alpha=0.15, linewidth=0, label="band")
        percent_axis(axes)
        steps_axis(axes)

    def scores(axes: "Axes") -> None:
        line(axes, steps, series("real"), label="real", **style(0))
        line(axes, steps, series("fake"), label="fake", **style(1))
        steps_axis(axes)
        axes.set_ylabel("mean logit")

    def loss(axes: "Axes") -> None:
        line(axes, steps, series("loss"), label="discriminator", **style(0))
        steps_axis(axes)
        axes.set_ylim(bottom=0)

    return [
        draw(
            "Accuracy", accuracy, caption=_balance(events) + (BAND if stage.accuracy_band else "")
        ),
        draw("Scores of real and fake pictures", scores, caption=SCORES),
        draw("Loss of the discriminator", loss),
    ]


def _balance(events: Sequence[StepEvent]) -> str:
    last = events[-max(1, len(events) // 10) :]
    values = [e.discriminator.accuracy for e in last if e.discriminator is not None]
    known = [value for value in values if value is not None and np.isfinite(value)]
    text = (
        "Near 100 % with a loss near 0 the generator learns little from it, "
        "near 50 % the discriminator is guessing."
    )
    return f"{text} Mean of the last tenth: {mean(known):.0%}." if known else text
