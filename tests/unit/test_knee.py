"""Where a curve bends: places known from how the curves were made."""

import numpy as np
import pytest

from upres.errors import BadSetting
from upres.evaluation.knee import Knee, knee, resampled_knees


def test_on_a_quarter_of_a_circle_it_is_where_the_slope_is_that_of_the_chord():
    angles = np.deg2rad([0, 15, 30, 45, 60, 75, 90])
    # the chord falls by 45 degrees, as the circle does in its middle
    assert knee(np.cos(angles), np.sin(angles)) == Knee(3, 0, 6)


def test_units_do_not_move_it():
    paid, bought = np.array([30.0, 29.9, 29.5, 28.0]), np.array([0.0, 5.0, 8.0, 10.0])
    # heights above the chord by hand: 0.5 - 0.05, 0.8 - 0.25, so the third
    assert knee(paid, bought) == Knee(2, 0, 3)
    assert knee(paid * 1000 - 7, bought * 1e-6 + 3) == Knee(2, 0, 3)


def test_the_order_of_the_points_does_not_matter():
    paid, bought = np.array([28.0, 30.0, 29.5, 29.9]), np.array([10.0, 0.0, 8.0, 5.0])
    assert knee(paid, bought) == Knee(2, 1, 0)


def test_a_straight_line_and_a_hollow_curve_have_none():
    share = np.linspace(0, 1, 11)
    assert knee(30 - share, 0.3 + 0.1 * share) is None
    assert knee(30 - share, share**2) is None
    # sqrt(t) - t is largest at a quarter: 0.2477 at 0.3, 0.2472 at 0.2
    assert knee(30 - share, np.sqrt(share)) == Knee(3, 0, 10)


def test_what_another_point_beats_in_both_does_not_count():
    # the end is worse than the third in both, so the chord ends at the third
    paid, bought = np.array([30.0, 29.8, 29.0, 28.0]), np.array([0.0, 6.0, 10.0, 9.0])
    assert knee(paid, bought) == Knee(1, 0, 2)


def test_mixtures_worse_than_both_networks_leave_none():
    assert knee(np.array([30.0, 20.0, 29.0]), np.array([0.0, -5.0, 10.0])) is None


def test_one_that_is_best_in_both_is_the_answer():
    assert knee(np.array([29.0, 30.0, 29.5]), np.array([1.0, 3.0, 2.0])) == Knee(1, 1, 1)
    assert knee(np.array([5.0, 5.0]), np.array([1.0, 1.0])) == Knee(0, 0, 0)


def test_pictures_that_agree_leave_no_doubt_and_those_that_differ_do():
    paid = np.array([30.0, 29.9, 29.5, 28.0])
    early, late = np.array([0.0, 9.0, 9.5, 10.0]), np.array([0.0, 1.0, 9.0, 10.0])
    same = resampled_knees(np.stack([paid] * 4), np.stack([early] * 4), resamples=50)
    assert same == [1] * 50
    mixed = resampled_knees(np.stack([paid] * 4), np.stack([early, late] * 2), resamples=400)
    # k early ones of four: heights 0.05 + 0.2 k and 0.65 + 0.0125 k, so only k = 4 bends early,
    # which is one draw of 16: 25 of 400, give or take 4.8
    assert 10 < mixed.count(1) < 45
    assert mixed == sorted(mixed)


def test_resampling_is_repeatable_and_one_picture_is_refused():
    rng = np.random.default_rng(1)
    paid, bought = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    assert resampled_knees(paid, bought) == resampled_knees(paid, bought)
    with pytest.raises(BadSetting, match="1 picture says nothing"):
        resampled_knees(paid[:1], bought[:1])
