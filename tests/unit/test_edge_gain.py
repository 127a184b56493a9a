"""Sharpness of edges: steps whose gradients are known by hand."""

import pytest
import torch
from jaxtyping import TypeCheckError

from upres.metrics.edge_gain import edge_gain


def columns(*values, height=10):
    """A picture of these columns, (1 1 height n)."""
    return torch.tensor(values, dtype=torch.float64).expand(1, 1, height, len(values))


STEP = columns(*[0] * 10, *[100] * 10)  # central differences of 50 at two columns


def test_equal_pictures_gain_nothing():
    assert edge_gain(STEP, STEP).item() == 1


@pytest.mark.parametrize("factor", [0.5, 1.2])
def test_the_gain_is_the_square_of_the_contrast(factor):
    assert edge_gain(factor * STEP + 7, STEP).item() == pytest.approx(factor**2)


def test_a_blurred_edge_has_lost_energy():
    blurred = columns(*[0] * 9, 25, 75, *[100] * 9)  # differences of 37.5 where HR has 50
    assert edge_gain(blurred, STEP).item() == pytest.approx((37.5 / 50) ** 2)
    assert edge_gain(blurred.mT, STEP.mT).item() == pytest.approx((37.5 / 50) ** 2)


def test_an_overshoot_is_a_gain():
    sharpened = columns(*[0] * 9, -10, 110, *[100] * 9)  # 110 - 0 and 100 - -10 over 2
    assert edge_gain(sharpened, STEP).item() == pytest.approx((55 / 50) ** 2)


def test_edges_where_the_photo_has_none_do_not_count():
    more = STEP.clone()
    more[..., 3] = 200
    assert edge_gain(more, STEP).item() == 1


def test_where_less_than_a_tenth_is_steep_the_flat_rest_does_not_count():
    hr = columns(*[0] * 50, *[100] * 50)
    sr = hr.clone()
    sr[..., 20] = 30
    assert edge_gain(sr, hr).item() == 1


def test_edges_are_the_steepest_tenth():
    # 22 columns have 20 inner ones: 2 of them, those of the steep step, are a tenth
    hr = columns(*[0] * 7, *[40] * 7, *[140] * 8)
    only_weak_lost = columns(*[40] * 14, *[140] * 8)
    only_steep_lost = columns(*[0] * 7, *[40] * 15)
    assert edge_gain(only_weak_lost, hr).item() == 1
    assert edge_gain(only_steep_lost, hr).item() == 0


def test_diagonals_are_measured_by_both_gradients():
    # a ramp along the diagonal: 3 across and 4 down make 25 everywhere
    at = torch.arange(12, dtype=torch.float64)
    ramp = (4 * at[:, None] + 3 * at)[None, None]
    across = (3 * at).expand(12, 12)[None, None]
    assert edge_gain(across, ramp).item() == pytest.approx(9 / 25)


def test_a_photo_without_gradients_has_gain_one():
    blank = torch.full((2, 1, 9, 9), 40.0)
    noisy = blank + torch.randn(2, 1, 9, 9)
    assert edge_gain(noisy, blank).tolist() == [1, 1]


def test_pictures_of_a_batch_are_apart():
    assert edge_gain(torch.cat([STEP, 0.5 * STEP]), torch.cat([STEP, STEP])).tolist() == [1, 0.25]


def test_small_and_unlike_pictures_are_refused():
    with pytest.raises(ValueError, match="3 pixels"):
        edge_gain(STEP[..., :2], STEP[..., :2])
    with pytest.raises((ValueError, TypeCheckError)):
        edge_gain(STEP[..., :9], STEP)
