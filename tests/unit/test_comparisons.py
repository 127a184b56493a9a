import math

import numpy as np
import pytest

from upres.evaluation.judge import ImageScores, Row
from upres.report.comparisons import Comparison, Difference, _percent, comparisons, score_matrix
from upres.report.ranking import column

PSNR, LPIPS = column("psnr_y"), column("lpips_alex")


def row(model: str, psnr: list[float], lpips: list[float] | None = None) -> Row:
    found = [{"psnr_y": v} for v in psnr]
    for metrics, value in zip(found, lpips or [], strict=False):
        metrics["lpips_alex"] = value
    scores = [ImageScores(image=str(i), metrics=m) for i, m in enumerate(found)]
    return Row(model=model, dataset="test", metrics={}, per_image=scores)


def compared(*rows: Row, protocols: list[str] | None = None) -> list[Comparison]:
    names = [row.model for row in rows]
    return comparisons([PSNR, LPIPS], rows, names, protocols or ["sr-y"] * len(rows))


def pairs(found: list[Comparison], *, main: bool) -> list[tuple[str, str]]:
    return [(c.first, c.second) for c in found if c.main == main]


def test_scores_are_ordered_by_picture_and_row():
    matrix = score_matrix([row("a", [1.0, 2.0]), row("b", [3.0])], "psnr_y")
    assert np.array_equal(matrix, [[1.0, 3.0], [2.0, math.nan]], equal_nan=True)
    assert score_matrix([row("a", [])], "psnr_y").shape == (0, 1)


def test_all_pairs_come_first_with_bicubic_then_neighbours_then_the_rest():
    rows = [row(name, [1.0, 2.0]) for name in ("a", "bicubic", "b", "c", "d")]
    found = compared(*rows)
    assert pairs(found, main=True) == [
        ("a", "bicubic"),
        ("b", "bicubic"),
        ("c", "bicubic"),
        ("d", "bicubic"),
        ("c", "b"),
        ("d", "c"),
    ]
    assert pairs(found, main=False) == [("b", "a"), ("c", "a"), ("d", "a"), ("d", "b")]


def test_without_bicubic_the_first_row_is_what_others_are_compared_with():
    found = compared(*(row(name, [1.0, 2.0]) for name in ("a", "b", "c")))
    assert pairs(found, main=True) == [("b", "a"), ("c", "a"), ("c", "b")]
    assert pairs(found, main=False) == []


def test_bicubic_is_known_behind_the_name_of_its_source():
    found = compared(*(row(name, [1.0, 2.0]) for name in ("a", "run/bicubic", "b")))
    assert pairs(found, main=True) == [("a", "run/bicubic"), ("b", "run/bicubic")]


def test_rows_of_two_protocols_are_not_compared():
    rows = [row(name, [1.0, 2.0]) for name in ("a", "b", "c", "d")]
    found = compared(*rows, protocols=["sr-y", "sr-rgb", "sr-y", "sr-rgb"])
    assert {(c.first, c.second) for c in found} == {("c", "a"), ("d", "b")}


def test_the_better_side_is_the_metrics():
    higher = [26.0, 27.0, 28.0, 29.0, 30.0, 31.0]
    lower = [value - 1.0 for value in higher]
    (found,) = compared(row("a", lower, lower), row("b", higher, higher))
    expected = {"text": "+1.00", "interval": ("+1.00", "+1.00"), "share": "100 %"}
    assert found.differences[0] == Difference(**expected, favoured="b", decided=True, wins="6 of 6")
    lpips = found.differences[1]
    assert lpips is not None and (lpips.text, lpips.favoured) == ("+1.0000", "a")


def test_a_tie_favours_nobody():
    (found,) = compared(row("a", [1.0, 2.0]), row("b", [1.0, 2.0]))
    (psnr, lpips) = found.differences
    assert psnr is not None and (psnr.favoured, psnr.decided) == ("", False)
    assert lpips is None  # no row has it


def test_a_metric_nobody_knows_is_not_compared():
    scores = [ImageScores(image=str(i), metrics={"zeta": float(i)}) for i in range(3)]
    rows = [Row(model=m, dataset="test", metrics={}, per_image=scores) for m in "ab"]
    (found,) = comparisons([column("zeta")], rows, ["a", "b"], ["sr-y"] * 2)
    assert found.differences == (None,)


@pytest.mark.parametrize(
    ("share", "text"), [(0.9984, "99.8 %"), (0.9999, "over 99.9 %"), (1.0, "100 %")]
)
def test_a_share_that_is_not_all_never_says_so(share, text):
    assert _percent(share) == text
