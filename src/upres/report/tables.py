"""The tables of a report: rows against metrics, the pictures behind them, all of it as CSV."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from upres.errors import BadSetting
from upres.evaluation.protocols import get_protocol
from upres.images.files import PICTURE_SUFFIXES
from upres.report.ranking import Mark, Metric, in_order, marks

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation, Row

Scores = Mapping[str, float]
PICTURES_LISTED = 100  # of one dataset; the CSV has all


@dataclass(frozen=True)
class Cell:
    """A value as it is printed."""

    text: str
    mark: Mark


@dataclass(frozen=True)
class Finding:
    """The best row of one metric, and how far it is from bicubic."""

    metric: Metric
    model: str
    value: str
    bicubic: str | None


@dataclass(frozen=True)
class PictureTable:
    """One metric of each picture: a line a picture, a cell a row of the score table."""

    metric: Metric
    lines: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class ScoreTable:
    """What was measured on one dataset by one protocol."""

    dataset: str
    protocol: str
    explanation: str
    conditions: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]
    lines: tuple[tuple[str, tuple[Cell, ...]], ...]
    means: tuple[tuple[str, Scores], ...]
    findings: tuple[Finding, ...]
    pictures: int
    exact: tuple[tuple[str, int], ...]  # rows with pictures restored exactly, and how many
    weights: tuple[tuple[str, str], ...]  # rows with the sha256 of their weights
    by_picture: tuple[PictureTable, ...]


def score_tables(evaluations: "Sequence[Evaluation]") -> list[ScoreTable]:
    """One table for each dataset of each evaluation: other conditions never share a table."""
    return [
        _table(evaluation, dataset, [row for row in evaluation.rows if row.dataset == dataset])
        for evaluation in evaluations
        for dataset in dict.fromkeys(row.dataset for row in evaluation.rows)
    ]


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


def as_csv(evaluations: "Sequence[Evaluation]") -> str:
    """Every score: a line for each protocol, dataset, row and picture, and one for each mean."""
    rows = [(evaluation.protocol, row) for evaluation in evaluations for row in evaluation.rows]
    metrics = [metric.name for metric in in_order(m for _, row in rows for m in row.metrics)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["protocol", "dataset", "model", "image", *metrics])
    for protocol, row in rows:
        lines = [(scores.image, scores.metrics) for scores in row.per_image]
        for image, values in [*lines, ("(mean)", row.metrics)]:
            numbers = [values.get(metric, "") for metric in metrics]
            writer.writerow([protocol, row.dataset, row.model, image, *numbers])
    return text.getvalue()


def _table(evaluation: "Evaluation", dataset: str, rows: "list[Row]") -> ScoreTable:
    metrics = in_order(name for row in rows for name in row.metrics)
    names = [row.model for row in rows]
    cells = _cells(metrics, [row.metrics for row in rows])
    return ScoreTable(
        dataset=dataset,
        protocol=evaluation.protocol,
        explanation=_explanation(evaluation.protocol),
        conditions=tuple(_conditions(evaluation)),
        metrics=tuple(metrics),
        lines=tuple(zip(names, cells, strict=True)),
        means=tuple((row.model, row.metrics) for row in rows),
        findings=tuple(_findings(metrics, rows)),
        pictures=max((len(row.per_image) for row in rows), default=0),
        exact=tuple((row.model, row.exact_images) for row in rows if row.exact_images),
        weights=tuple((row.model, row.weights_sha256) for row in rows if row.weights_sha256),
        by_picture=tuple(_by_picture(metric, rows) for metric in metrics),
    )


def _cells(metrics: Sequence[Metric], rows: Sequence[Scores]) -> list[tuple[Cell, ...]]:
    columns = []
    for metric in metrics:
        values = [row.get(metric.name) for row in rows]
        marked = marks(metric, values)
        columns.append([Cell(metric.written(v), m) for v, m in zip(values, marked, strict=True)])
    return list(zip(*columns, strict=True)) if columns else [() for _ in rows]


def _explanation(protocol: str) -> str:
    try:
        return get_protocol(protocol).explanation
    except BadSetting:
        return "This version of upres does not know the protocol and cannot say what it means."


def _conditions(evaluation: "Evaluation") -> list[tuple[str, str]]:
    """What makes the numbers comparable, in words; only what the evaluation says of itself."""
    found: list[tuple[str, str | None]] = [
        ("Scale", _some("x{}", evaluation.scale)),
        ("LR pictures", _lr(evaluation.lr)),
        ("Compared", _some("{}", evaluation.colour)),
        ("Left out at each side", _some("{} HR pixels (LPIPS: none)", evaluation.border)),
        ("SSIM dialect", _some("{}", evaluation.ssim)),
    ]
    return [(name, text) for name, text in found if text is not None]


def _lr(made: str | None) -> str | None:
    if made == "given":
        return "given as files, however they were made"
    return _some("made from HR by the bicubic resizer {}", made)


def _some(text: str, value: object) -> str | None:
    return None if value is None else text.format(value)


def _findings(metrics: Sequence[Metric], rows: "Sequence[Row]") -> list[Finding]:
    findings = []
    plain = next((row for row in rows if row.model == "bicubic"), None)
    for metric in metrics:
        known = [row for row in rows if not math.isnan(row.metrics.get(metric.name, math.nan))]
        if metric.higher is None or len(known) < 2:
            continue
        choose = max if metric.higher else min
        best = choose(known, key=lambda row: row.metrics[metric.name])
        other = plain.metrics.get(metric.name) if plain and plain is not best else None
        bicubic = None if other is None else metric.written(other)
        value = metric.written(best.metrics[metric.name])
        findings.append(Finding(metric, best.model, value, bicubic))
    return findings


def _by_picture(metric: Metric, rows: "Sequence[Row]") -> PictureTable:
    found = [{scores.image: scores.metrics for scores in row.per_image} for row in rows]
    images = list(dict.fromkeys(image for scores in found for image in scores))
    lines = []
    for image in images[:PICTURES_LISTED]:
        values = [scores.get(image, {}).get(metric.name) for scores in found]
        marked = marks(metric, values)
        cells = tuple(Cell(metric.written(v), m) for v, m in zip(values, marked, strict=True))
        lines.append((image, cells))
    return PictureTable(metric, tuple(lines))


def score_lines(scores: Scores) -> list[str]:
    """The scores of one picture for its caption: "PSNR-Y 28.43 dB", "LPIPS 0.3414"."""
    return [
        f"{metric.label} {metric.written(scores[metric.name])} {metric.unit}".rstrip()
        for metric in in_order(scores)
    ]


def _stem(name: str) -> str:
    path = PurePath(name)
    return path.stem if path.suffix.lower() in PICTURE_SUFFIXES else path.name
