"""Scores as files for other programs: CSV with every picture, Markdown tables."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from upres.report.comparisons import Comparison, Difference, score_matrix
from upres.report.ranking import Column, in_order
from upres.report.statistics import FEW, FEWEST_DECIDED, LEVEL, RESAMPLES, intervals
from upres.report.tables import Cell, ScoreTable

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation, Row

LEARNT = "†"
INTERVALS = (
    f"In brackets: bootstrap intervals of the means over pictures, {100 * LEVEL:.0f} % of "
    f"{RESAMPLES:,} resamples."
)
NARROW = "Of so few pictures the intervals are too narrow: of five they hold 84 % of true means."
DECIDED = (
    "Difference of the means, its interval, and the row that is better in how many of the "
    f"resamples: bold from 97.5 % on, if there are {FEWEST_DECIDED} pictures or more."
)


def as_csv(evaluations: "Sequence[Evaluation]") -> str:
    """Return every score: a line for each row and picture, and one for the row's mean.

    Beside each metric stand the ends of its interval, which only means have. Digits are not cut.
    """
    rows = [(evaluation, row) for evaluation in evaluations for row in evaluation.rows]
    metrics = [metric.name for metric in in_order(m for _, row in rows for m in row.metrics)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    bounds = [name for metric in metrics for name in (metric, f"{metric}_low", f"{metric}_high")]
    writer.writerow(["protocol", "scale", "dataset", "model", "image", *bounds])
    for evaluation, row in rows:
        of = [evaluation.protocol, evaluation.scale or "", row.dataset, row.model]
        for scores in row.per_image:
            numbers = [(scores.metrics.get(metric, ""), "", "") for metric in metrics]
            writer.writerow([*of, scores.image, *(v for three in numbers for v in three)])
        means = [value for metric in metrics for value in _mean(row, metric)]
        writer.writerow([*of, "(mean)", *means])
    return text.getvalue()


def as_markdown(tables: Sequence[ScoreTable]) -> str:
    """Return a section for each table: the means with their intervals, then rows compared."""
    return "\n".join("\n".join(_section(table)) + "\n" for table in tables)


def notes(table: ScoreTable) -> Iterator[str]:
    """Yield what a reader must know to use the numbers, a sentence or a few at a time."""
    if not table.pictures:
        yield "Not one picture was judged."
    yield f"{table.pictures} picture{'' if table.pictures == 1 else 's'}, means over pictures."
    if _has_intervals(table):
        yield INTERVALS
        if table.pictures < FEW:
            yield NARROW
    if table.headline is not None:
        yield f"To be read first: {table.headline.label}, on which no row was trained."
    if table.learnt:
        yield f"{LEARNT} The model was trained on this metric: it says little about the picture."
    for model, count in table.exact:
        exactly = f"{count} picture{'' if count == 1 else 's'} exactly"
        yield f"{model} restored {exactly}: infinite PSNR, left out of its mean."
    for image, reason in table.failed:
        yield f"Left out for all rows: {image} ({reason.rstrip('.')})."
    yield f"Protocol {table.protocol}: {table.explanation}"
    for name, text in table.conditions:
        yield f"{name}: {text.rstrip('.')}."


def heading(table: ScoreTable) -> str:
    """Return dataset, scale and protocol of a table."""
    scale = "" if table.scale is None else f" x{table.scale}"
    return f"{table.dataset}{scale}, protocol {table.protocol}"


def _mean(row: "Row", metric: str) -> tuple[float | str, float | str, float | str]:
    if metric not in row.metrics:
        return "", "", ""
    (interval,) = intervals(score_matrix([row], metric))
    if interval is None:
        return row.metrics[metric], "", ""
    return row.metrics[metric], interval.low, interval.high


def _has_intervals(table: ScoreTable) -> bool:
    return any(cell.interval is not None for _, cells in table.lines for cell in cells)


def _section(table: ScoreTable) -> Iterator[str]:
    yield f"## {_escaped(heading(table))}\n"
    yield from _grid("Method", table.metrics, [(n, map(_cell, c)) for n, c in table.lines])
    yield ""
    if any(cell.mark for _, cells in table.lines for cell in cells):
        yield "**Best** and *second-best* are marked, on the printed digits."
    yield from map(_escaped, notes(table))
    main = [comparison for comparison in table.comparisons if comparison.main]
    if any(difference for comparison in main for difference in comparison.differences):
        yield "\n### Rows compared on the same pictures\n"
        lines = [(_versus(c), map(_difference, c.differences)) for c in main]
        yield from _grid("First less second", table.metrics, lines)
        yield f"\n{DECIDED}"


def _grid(
    corner: str, metrics: Sequence[Column], lines: "Sequence[tuple[str, Iterator[str]]]"
) -> Iterator[str]:
    yield _line([corner, *(_escaped(metric.heading) for metric in metrics)])
    yield _line(["---", *("---:" for _ in metrics)])
    for name, cells in lines:
        yield _line([_escaped(name), *cells])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    around = {"best": "**", "second": "*", "": ""}[cell.mark]
    text = f"{around}{cell.text}{around}{LEARNT if cell.learnt else ''}"
    return text if cell.interval is None else f"{text} [{', '.join(cell.interval)}]"


def _versus(comparison: Comparison) -> str:
    return f"{comparison.first} - {comparison.second}"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return "-"
    text = f"{difference.text} [{', '.join(difference.interval)}]"
    if not difference.favoured:
        return f"{text}, a tie"
    around = "**" if difference.decided else ""
    return f"{text}, {around}{_escaped(difference.favoured)} in {difference.share}{around}"


def _escaped(text: str) -> str:
    """Return text that Markdown prints as it is, on one line."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(text.split()))
