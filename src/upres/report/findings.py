"""Which row is best in what: the cards above a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from upres.evaluation.headline import was_trained_on
from upres.report.comparisons import is_plain
from upres.report.ranking import Column

if TYPE_CHECKING:
    from upres.evaluation.judge import Row


@dataclass(frozen=True)
class Finding:
    """The best row of one metric, and how far it is from bicubic.

    model: all that are printed alike are best, as the table marks them. headline: the metric is
    the one to read first. learnt: one of these rows' models was trained on the metric.
    """

    metric: Column
    model: str
    value: str
    bicubic: str | None
    headline: bool
    learnt: bool


def findings(metrics: Sequence[Column], rows: "Sequence[Row]", first: str | None) -> list[Finding]:
    """Return the best of each known metric that two rows have, the metric `first` before others."""
    found = []
    plain = next((row for row in rows if is_plain(row)), None)
    for metric in sorted(metrics, key=lambda metric: metric.name != first):
        known = [row for row in rows if not math.isnan(row.metrics.get(metric.name, math.nan))]
        if metric.metric is None or len(known) < 2:
            continue
        best = max(known, key=lambda row: metric.worth(row.metrics[metric.name]))
        alike = [row for row in known if _printed(metric, row) == _printed(metric, best)]
        other = plain.metrics.get(metric.name) if plain and plain not in alike else None
        found.append(
            Finding(
                metric=metric,
                model=_names([row.model for row in alike], of=len(known)),
                value=_printed(metric, best),
                bicubic=None if other is None else metric.written(other),
                headline=metric.name == first,
                learnt=any(was_trained_on(row, metric.name) for row in alike),
            )
        )
    return found


def _printed(metric: Column, row: "Row") -> str:
    return metric.written(row.metrics[metric.name])


def _names(models: Sequence[str], *, of: int) -> str:
    if len(models) == of:
        return "all rows alike"
    return " and ".join(models if len(models) < 3 else [models[0], f"{len(models) - 1} others"])
