"""Any two rows on the same pictures: by how much they differ, and whether that is chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from upres.report.ranking import Column
from upres.report.statistics import Paired, paired

if TYPE_CHECKING:
    from upres.evaluation.judge import Row

PLAIN = "bicubic"  # what the others are compared with first, if there is such a row


@dataclass(frozen=True)
class Difference:
    """One metric of the first row less that of the second."""

    text: str
    interval: tuple[str, str]
    favoured: str  # the row that is better in more resamples, "" if both are in as many
    share: str  # of the resamples in which it is
    decided: bool  # whether that is hardly chance: `Paired.decided`
    wins: str  # pictures on which it is better, "4 of 5"


@dataclass(frozen=True)
class Comparison:
    """Two rows, with a difference for each metric of the table, None where one cannot be told.

    main: with the plain row, or of neighbours in the table; the others are for who asks.
    """

    first: str
    second: str
    main: bool
    differences: tuple[Difference | None, ...]


def is_plain(row: "Row") -> bool:
    """Return whether the row is bicubic, with or without the name of its source before it."""
    return row.model.rpartition("/")[2] == PLAIN


def score_matrix(rows: "Sequence[Row]", metric: str) -> NDArray[np.float64]:
    """Return (pictures, rows): what each row scored on each picture, nan where it has none."""
    found = [{scores.image: scores.metrics for scores in row.per_image} for row in rows]
    images = dict.fromkeys(image for scores in found for image in scores)
    values = [[scores.get(i, {}).get(metric, math.nan) for scores in found] for i in images]
    return np.array(values, dtype=np.float64).reshape(len(images), len(rows))


def comparisons(
    metrics: Sequence[Column], rows: "Sequence[Row]", names: Sequence[str], groups: Sequence[str]
) -> list[Comparison]:
    """Return all pairs of rows of one group: with the plain row first, then neighbours, the rest.

    names: what the rows are called in the table. groups: the protocol of each row; rows of two
    protocols are not compared. The later row of the table is the first of its pair.
    """
    main = _main(rows, groups)
    pairs = [
        *main,
        *(
            (b, a)
            for a, b in combinations(range(len(rows)), 2)
            if groups[a] == groups[b] and (b, a) not in main and (a, b) not in main
        ),
    ]
    columns = [
        _column(metric, paired(score_matrix(rows, metric.name), pairs, metric.worth), pairs, names)
        for metric in metrics
    ]
    return [
        Comparison(
            names[a], names[b], place < len(main), tuple(column[place] for column in columns)
        )
        for place, (a, b) in enumerate(pairs)
    ]


def _main(rows: "Sequence[Row]", groups: Sequence[str]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for group in dict.fromkeys(groups):
        members = [i for i, own in enumerate(groups) if own == group]
        plain = next((i for i in members if is_plain(rows[i])), members[0])
        pairs += [(i, plain) for i in members if i != plain]
        pairs += [(b, a) for a, b in pairwise(members) if plain not in (a, b)]
    return pairs


def _column(
    metric: Column,
    found: Sequence[Paired | None],
    pairs: Sequence[tuple[int, int]],
    names: Sequence[str],
) -> list[Difference | None]:
    return [
        None
        if pair is None or metric.metric is None
        else _difference(metric, pair, names[a], names[b])
        for pair, (a, b) in zip(found, pairs, strict=True)
    ]


def _difference(metric: Column, pair: Paired, first: str, second: str) -> Difference:
    share, wins, favoured = max(
        (pair.first, pair.first_wins, first), (pair.second, pair.second_wins, second)
    )
    tied = pair.first == pair.second
    return Difference(
        text=metric.written(pair.difference, sign=True),
        interval=(
            metric.written(pair.interval.low, sign=True),
            metric.written(pair.interval.high, sign=True),
        ),
        favoured="" if tied else favoured,
        share=_percent(share),
        decided=pair.decided,
        wins=f"{wins} of {pair.pictures}",
    )


def _percent(share: float) -> str:
    """Return the share; one that is not all of it never says that it is."""
    if 0.999 <= share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %" if share < 1 else "100 %"
