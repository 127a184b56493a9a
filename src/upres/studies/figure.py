"""The figures of a study: each metric against each varied field, and what pulled the generator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upres.evaluation.judge import Evaluation
from upres.metrics.known import get_metric, label_of
from upres.report.curves import ChartGroup
from upres.report.drawing import INK, Chart, draw, style, term_styles
from upres.report.run_log import RunLog
from upres.studies.points import Level, Point, Varied

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAST_PART = 0.2  # of a stage, over which shares of the gradient are averaged
_BARS = 16  # points at most in the chart of these shares
_WIDE = 5  # a range of values so many times as large as its start is drawn in powers of ten


@dataclass(frozen=True)
class Series:
    """Points that differ in one field alone, in the order of its values."""

    label: str
    levels: tuple[Level, ...]
    names: tuple[str, ...]


def study_figures(
    varied: Sequence[Varied],
    points: Sequence[Point],
    evaluation: Evaluation,
    runs: Mapping[str, RunLog],
) -> list[ChartGroup]:
    """Return a group for each varied field, a chart a metric, and one of the gradient's shares.

    runs: the points' logs by name. Raises MissingExtra without matplotlib.
    """
    scores = {row.model: row.metrics for row in evaluation.rows}
    groups = []
    for place, part in enumerate(varied):
        series = series_of(varied, points, place, scores)
        if series:
            keys = scores[points[0].name]
            charts = tuple(_against(part, series, key, scores, points[0].name) for key in keys)
            groups.append(ChartGroup(f"{part.label}: {part.field}", charts))
    shares = {
        name: shares for name, run in runs.items() if name in scores and (shares := last_pulls(run))
    }
    if 1 < len(shares) <= _BARS:
        groups.append(ChartGroup("What pulled the generator", (_pulls_chart(shares),)))
    return groups


def series_of(
    varied: Sequence[Varied], points: Sequence[Point], place: int, judged: Mapping[str, object]
) -> list[Series]:
    """Return the judged points in lines along the field number `place`; no line of one point."""
    own = points[0].levels
    lines: dict[tuple[str, ...], list[Point]] = {}
    for point in points:
        if point.name in judged:
            others = tuple(level.text for i, level in enumerate(point.levels) if i != place)
            lines.setdefault(others, []).append(point)
    order = [varied[place].own.text, *(level.text for level in varied[place].levels)]
    found = []
    for members in lines.values():
        if len(members) < 2:
            continue
        members.sort(key=lambda point: _rank(point.levels[place], order))
        other = [
            f"{part.label}={level.text}"
            for i, (part, level) in enumerate(zip(varied, members[0].levels, strict=True))
            if i != place and level.text != own[i].text
        ]
        found.append(
            Series(
                " ".join(other) or "all else as in the recipe",
                tuple(point.levels[place] for point in members),
                tuple(point.name for point in members),
            )
        )
    return found


def last_pulls(run: RunLog) -> dict[str, float]:
    """Return each term's share of the gradient, 0..1, a mean over the end of the last stage."""
    if not run.stages:
        return {}
    stage = run.stages[-1]
    begin = (1 - LAST_PART) * stage.last_step
    looks = [event.pulls for event in stage.steps if event.pulls]
    late = [event.pulls for event in stage.steps if event.pulls and event.step >= begin]
    chosen = late or looks[-1:]
    terms = dict.fromkeys(term for look in chosen for term in look)
    return {term: float(np.mean([look.get(term, 0.0) for look in chosen])) for term in terms}


def _rank(level: Level, order: Sequence[str]) -> float:
    return order.index(level.text) if level.place is None else level.place


def _against(
    part: Varied,
    series: Sequence[Series],
    key: str,
    scores: Mapping[str, Mapping[str, float]],
    own: str,
) -> Chart:
    """One metric along one field; lower-is-better axes are turned, so that up is better."""
    metric = get_metric(key)
    shown = {level.text: level for line in series for level in line.levels}
    places = _places(list(shown.values()))

    def paint(axes: "Axes") -> None:
        for index, line in enumerate(series):
            xs = [places[level.text] for level in line.levels]
            ys = [scores[name][key] for name in line.names]
            axes.plot(xs, ys, marker="o", markersize=4, label=line.label, **style(index))
            if own in line.names:
                at = line.names.index(own)
                star: dict[str, Any] = {"marker": "*", "markersize": 12, "linestyle": ""}
                axes.plot(xs[at], ys[at], label="the recipe", color=INK, **star)
        if _spread(list(shown.values())):
            axes.set_xscale("log")
        axes.set_xticks(list(places.values()), list(places))
        axes.minorticks_off()
        axes.margins(x=0.08)
        axes.set_xlabel(part.label)
        axes.set_ylabel(f"{label_of(key)} {metric.arrow}  {metric.unit}".rstrip())
        if metric.higher is False:
            axes.invert_yaxis()

    return draw(f"{label_of(key)} against {part.label}", paint, caption="Up is better.")


def _spread(levels: Sequence[Level]) -> bool:
    """Whether the values are drawn in powers of ten."""
    numbers = [level.place for level in levels if level.place is not None]
    return len(numbers) == len(levels) and min(numbers) > 0 and max(numbers) > _WIDE * min(numbers)


def _places(levels: Sequence[Level]) -> dict[str, float]:
    """Where each value lies on the axis; in even steps where one is no number, or nothing."""
    even = any(level.place is None for level in levels) or (
        min(level.place or 0.0 for level in levels) <= 0
    )
    if even:
        ranked = sorted(levels, key=lambda level: level.place or 0.0)
        return {level.text: float(place) for place, level in enumerate(ranked)}
    return {level.text: level.place or 0.0 for level in levels}


def _pulls_chart(shares: Mapping[str, Mapping[str, float]]) -> Chart:
    terms = list(dict.fromkeys(term for share in shares.values() for term in share))
    colours = {term: options["color"] for term, options in term_styles(terms).items()}
    names = list(shares)

    def paint(axes: "Axes") -> None:
        from matplotlib.ticker import PercentFormatter

        left = np.zeros(len(names))
        for term in terms:
            width = np.array([shares[name].get(term, 0.0) for name in names])
            axes.barh(names, width, left=left, color=colours[term], label=term, height=0.7)
            left += width
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(visible=False, axis="y")

    return draw(
        "Shares of the generator's gradient",
        paint,
        caption=f"Means over the last {LAST_PART:.0%} of the last stage. A term's weight acts "
        "through its share: one that has none does nothing, whatever its weight.",
    )
