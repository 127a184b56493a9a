"""Intervals and paired comparisons: by hand where all resamples can be counted, else by SciPy."""

import math

import numpy as np
import pytest

from upres.report.ranking import column
from upres.report.statistics import RESAMPLES, Interval, intervals, paired, resampled_means

PSNR, LPIPS = column("psnr_y").worth, column("lpips_alex").worth

# Of n resamples the share of an outcome of probability p has a deviation of sqrt(p (1 - p) / n),
# at most 0.005; the seed is fixed, so four of them hold for good.
CHANCE = 0.02


def columns(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64).T


def test_two_pictures_give_their_three_means_in_their_shares():
    means = resampled_means(columns([0.0, 1.0]), resamples=RESAMPLES, seed=1)[:, 0]
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0.0, 0.5, 1.0]
    assert counts / RESAMPLES == pytest.approx([0.25, 0.5, 0.25], abs=CHANCE)


def test_the_interval_of_two_pictures_reaches_from_one_to_the_other():
    assert intervals(columns([20.0, 30.0], [5.0, 5.0])) == [
        Interval(20.0, 30.0),
        Interval(5.0, 5.0),
    ]


def test_intervals_are_those_of_scipy():
    from scipy.stats import bootstrap

    scores = np.random.default_rng(5).gamma(2.0, size=(60, 2))
    for row, found in enumerate(intervals(scores)):
        theirs = bootstrap(
            (scores[:, row],), np.mean, n_resamples=10_000, method="percentile", rng=3
        ).confidence_interval
        # the ends move by some hundredths of the mean's deviation, 1.4 / sqrt(60), with the seed
        assert found is not None
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_intervals_hold_the_true_mean_about_as_often_as_they_promise():
    random = np.random.default_rng(0)
    found = intervals(random.normal(size=(50, 400)), resamples=1_000)
    held = np.mean([i is not None and i.low <= 0 <= i.high for i in found])
    assert 0.90 <= held <= 0.98  # 0.95, less a little for 50 pictures, +- 0.011 for 400 rows


def test_a_score_that_is_missing_or_infinite_is_left_out_of_its_own_row_only():
    scores = columns([20.0, math.nan, 30.0], [20.0, math.inf, 30.0], [1.0, 2.0, 3.0])
    gaps, exact, whole = intervals(scores)
    assert gaps == exact == Interval(20.0, 30.0)
    assert whole == intervals(columns([1.0, 2.0, 3.0]))[0]


def test_one_picture_has_no_interval_and_no_comparison():
    assert intervals(columns([20.0], [30.0])) == [None, None]
    assert intervals(columns([20.0, math.nan])) == [None]
    assert paired(columns([20.0], [30.0]), [(0, 1)], PSNR) == [None]


def test_shares_of_two_pictures_by_hand():
    # the differences -1 and 3 have the mean -1 in a quarter of the resamples, else 1 or 3
    (found,) = paired(columns([20.0, 33.0], [21.0, 30.0]), [(0, 1)], PSNR)
    assert found is not None
    assert (found.difference, found.interval) == (1.0, Interval(-1.0, 3.0))
    assert (found.first, found.second) == pytest.approx((0.75, 0.25), abs=CHANCE)
    assert (found.first_wins, found.second_wins, found.pictures) == (1, 1, 2)
    assert not found.decided


def test_less_lpips_is_favoured():
    (found,) = paired(columns([0.1, 0.2], [0.2, 0.3]), [(0, 1)], LPIPS)
    assert found is not None
    assert found.difference == pytest.approx(-0.1)
    assert (found.first, found.second, found.first_wins) == (1.0, 0.0, 2)


@pytest.mark.parametrize(("pictures", "decided"), [(5, False), (6, True)])
def test_five_pictures_decide_nothing_however_much_they_agree(pictures, decided):
    # two rows of equal worth agree on all of five pictures once in 16 times, of six once in 32
    (found,) = paired(columns([2.0] * pictures, [1.0] * pictures), [(0, 1)], PSNR)
    assert found is not None
    assert (found.first, found.decided) == (1.0, decided)


def test_where_a_value_is_best_the_nearer_row_is_favoured():
    (found,) = paired(columns([0.9, 0.95], [1.5, 1.6]), [(0, 1)], lambda values: -abs(values - 1.0))
    assert found is not None and found.difference < 0
    assert (found.first, found.first_wins) == (1.0, 2)


def test_equal_rows_tie_to_the_last_bit():
    scores = np.random.default_rng(1).normal(28, 3, 37)
    others = np.random.default_rng(2).normal(28, 3, (37, 3))
    table = np.column_stack([scores, others, scores])
    (found,) = paired(table, [(0, 4)], PSNR)
    assert found is not None
    assert (found.first, found.second, found.interval) == (0.0, 0.0, Interval(0.0, 0.0))


def test_a_hard_picture_is_hard_for_both_rows():
    # the rows differ by 0.1 everywhere, the pictures by far more: pairing sees only the former
    pictures = np.linspace(20, 40, 50)
    (found,) = paired(columns(list(pictures + 0.1), list(pictures)), [(0, 1)], PSNR)
    assert found is not None and found.decided
    assert found.interval.low == pytest.approx(0.1)
    first, second = intervals(columns(list(pictures + 0.1), list(pictures)))
    assert first is not None and second is not None and first.low < second.high


def test_pairs_count_the_pictures_that_all_rows_have():
    scores = columns([1.0, 2.0, math.inf, 4.0], [1.0, 1.0, 1.0, 1.0], [math.nan] * 4)
    first, second = paired(scores, [(0, 1), (0, 2)], PSNR)
    assert first is not None and first.pictures == 3 and first.difference == pytest.approx(4 / 3)
    assert second is None


def test_the_seed_decides():
    scores = np.random.default_rng(5).normal(size=(20, 1))
    assert intervals(scores, seed=1) == intervals(scores, seed=1) != intervals(scores, seed=2)


def test_a_thousand_pictures_take_no_more_memory_at_once(monkeypatch):
    from upres.report import statistics

    scores = np.random.default_rng(5).normal(size=(50, 2))
    whole = resampled_means(scores, resamples=200, seed=1)
    monkeypatch.setattr(statistics, "_GATHERED", 1)
    assert np.array_equal(resampled_means(scores, resamples=200, seed=1), whole)
