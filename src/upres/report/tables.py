"""The tables of a report: rows against metrics, and the pictures behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from upres.evaluation.headline import headline, was_trained_on
from upres.images.files import PICTURE_SUFFIXES
from upres.report.comparisons import Comparison, comparisons, score_matrix
from upres.report.conditions import MIXED, conditions_of, explanation_of
from upres.report.findings import Finding, findings
from upres.report.ranking import Column, Mark, column, in_order, marks
from upres.report.statistics import Interval, intervals

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation, Row

Scores = Mapping[str, float]
PICTURES_LISTED = 100  # of one dataset; the CSV has all


@dataclass(frozen=True)
class Cell:
    """A value as it is printed.

    interval: that of the mean over pictures. learnt: the row's model was trained on the metric.
    """

    text: str
    mark: Mark
    interval: tuple[str, str] | None = None
    learnt: bool = False


@dataclass(frozen=True)
class PictureTable:
    """One metric of each picture: a line a picture, a cell a row of the score table."""

    metric: Column
    lines: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class ScoreTable:
    """What was measured on one dataset by one protocol, or by the protocols of `protocols`."""

    dataset: str
    protocol: str
    protocols: tuple[str, ...]  # of each line
    scale: int | None
    explanation: str
    conditions: tuple[tuple[str, str], ...]
    metrics: tuple[Column, ...]
    headline: Column | None  # what to read first; None if every metric was trained on
    lines: tuple[tuple[str, tuple[Cell, ...]], ...]
    means: tuple[tuple[str, Scores], ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    pictures: int
    exact: tuple[tuple[str, int], ...]  # rows with pictures restored exactly, and how many
    failed: tuple[tuple[str, str], ...]  # pictures that no row has, and why
    weights: tuple[tuple[str, str], ...]  # rows with the sha256 of their weights
    by_picture: tuple[PictureTable, ...]

    @property
    def learnt(self) -> bool:
        """Whether a value is of a metric that its model was trained on."""
        return any(cell.learnt for _, cells in self.lines for cell in cells)


@dataclass(frozen=True)
class _Line:
    """A row, what it is called in its table, and the protocol it was measured by."""

    row: "Row"
    name: str
    protocol: str


@dataclass(frozen=True)
class Mixed:
    """Evaluations that share tables although their protocols differ: somebody asked for it."""

    evaluations: "Sequence[Evaluation]"


def listed(given: "Evaluation | Sequence[Evaluation] | Mixed | None") -> "list[Evaluation]":
    """Return what was given as a list."""
    match given:
        case None:
            return []
        case Mixed(evaluations):
            return list(evaluations)
        case Sequence():
            return list(given)
    return [given]


def score_tables(given: "Evaluation | Sequence[Evaluation] | Mixed | None") -> list[ScoreTable]:
    """Return a table for each dataset of each evaluation: other conditions share no table.

    Of `Mixed` ones protocols share a table where scale and dataset are the same; each row's name
    then says its own, and nothing is ranked across them.
    """
    groups: dict[tuple[str, int | None], list[Evaluation]] = {}
    for place, evaluation in enumerate(listed(given)):
        own = evaluation.scale if isinstance(given, Mixed) else place
        for dataset in dict.fromkeys(row.dataset for row in evaluation.rows):
            groups.setdefault((dataset, own), []).append(evaluation)
    return [_table(found, dataset) for (dataset, _), found in groups.items()]


def scores_of(
    evaluations: "Sequence[Evaluation]", dataset: str, picture: str
) -> dict[str, dict[str, float]]:
    """What each row scored on one picture: {row: {metric: value}}, by name without its ending.

    Where the dataset is not among the evaluated ones, a picture name found in one of them counts.
    """
    rows = [row for evaluation in evaluations for row in evaluation.rows]
    same = [row for row in rows if row.dataset == dataset]
    if not same and len({row.dataset for row in rows}) == 1:
        same = rows
    return {
        row.model: dict(scores.metrics)
        for row in same
        for scores in row.per_image
        if _stem(scores.image) == _stem(picture)
    }


def _table(evaluations: "Sequence[Evaluation]", dataset: str) -> ScoreTable:
    protocols = list(dict.fromkeys(evaluation.protocol for evaluation in evaluations))
    mixed = len(protocols) > 1
    lines = [
        _Line(row, f"{row.model} ({e.protocol})" if mixed else row.model, e.protocol)
        for e in evaluations
        for row in e.rows
        if row.dataset == dataset
    ]
    rows, names = [line.row for line in lines], [line.name for line in lines]
    metrics = in_order(name for row in rows for name in row.metrics)
    first = headline(rows)
    return ScoreTable(
        dataset=dataset,
        protocol=MIXED if mixed else protocols[0],
        protocols=tuple(line.protocol for line in lines),
        scale=evaluations[0].scale,
        explanation=explanation_of(evaluations),
        conditions=tuple(conditions_of(evaluations)),
        metrics=tuple(metrics),
        headline=None if first is None else column(first),
        lines=tuple(zip(names, _cells(metrics, lines), strict=True)),
        means=tuple((line.name, line.row.metrics) for line in lines),
        findings=() if mixed else tuple(findings(metrics, rows, first)),
        comparisons=tuple(comparisons(metrics, rows, names, [line.protocol for line in lines])),
        pictures=max((len(row.per_image) for row in rows), default=0),
        exact=tuple((line.name, line.row.exact_images) for line in lines if line.row.exact_images),
        failed=tuple((f.image, f.reason) for e in evaluations for f in e.failed),
        weights=tuple(
            (line.name, line.row.weights_sha256) for line in lines if line.row.weights_sha256
        ),
        by_picture=tuple(_by_picture(metric, lines) for metric in metrics),
    )


def _cells(metrics: Sequence[Column], lines: Sequence[_Line]) -> list[tuple[Cell, ...]]:
    columns = [_column_cells(metric, lines) for metric in metrics]
    return list(zip(*columns, strict=True)) if columns else [() for _ in lines]


def _column_cells(metric: Column, lines: Sequence[_Line]) -> list[Cell]:
    values = [line.row.metrics.get(metric.name) for line in lines]
    spans = intervals(score_matrix([line.row for line in lines], metric.name))
    return [
        Cell(
            text=metric.written(value),
            mark=mark,
            interval=None if span is None else _span(metric, span),
            learnt=value is not None and was_trained_on(line.row, metric.name),
        )
        for line, value, mark, span in zip(
            lines, values, _marks(metric, values, lines), spans, strict=True
        )
    ]


def _span(metric: Column, interval: Interval) -> tuple[str, str]:
    return metric.written(interval.low), metric.written(interval.high)


def _marks(metric: Column, values: Sequence[float | None], lines: Sequence[_Line]) -> list[Mark]:
    """Return the marks, given among the rows of one protocol only."""
    found: list[Mark] = [""] * len(lines)
    for protocol in {line.protocol for line in lines}:
        members = [place for place, line in enumerate(lines) if line.protocol == protocol]
        for place, mark in zip(members, marks(metric, [values[m] for m in members]), strict=True):
            found[place] = mark
    return found


def _by_picture(metric: Column, lines: Sequence[_Line]) -> PictureTable:
    found = [{scores.image: scores.metrics for scores in line.row.per_image} for line in lines]
    images = list(dict.fromkeys(image for scores in found for image in scores))
    table = []
    for image in images[:PICTURES_LISTED]:
        values = [scores.get(image, {}).get(metric.name) for scores in found]
        marked = _marks(metric, values, lines)
        cells = tuple(Cell(metric.written(v), m) for v, m in zip(values, marked, strict=True))
        table.append((image, cells))
    return PictureTable(metric, tuple(table))


def score_lines(scores: Scores) -> list[str]:
    """The scores of one picture for its caption: "PSNR-Y 28.43 dB", "LPIPS 0.3414"."""
    return [
        f"{metric.label} {metric.written(scores[metric.name])} {metric.unit}".rstrip()
        for metric in in_order(scores)
    ]


def _stem(name: str) -> str:
    path = PurePath(name)
    return path.stem if path.suffix.lower() in PICTURE_SUFFIXES else path.name
