"""Other toolboxes' SSIM: worked values, a slow second computation of daala's, limits."""

import math
from typing import get_args

import numpy as np
import pytest
import torch

from upres.evaluation.protocols import SSIMDialect
from upres.metrics.ssim_dialects import SSIM_DIALECTS, daala_ssim, daala_window


def planes(picture):
    return torch.from_numpy(np.asarray(picture, np.float64))[None, None]


def noise(height, width, seed=3):
    return np.random.default_rng(seed).uniform(0, 255, (2, height, width))


RAMP = (np.arange(1024) % 256).reshape(32, 32)
CHECKER = np.indices((32, 32)).sum(0) % 2 == 1
OTHER = np.where(CHECKER, np.minimum(RAMP + 10, 255), RAMP)


# the dialects' values for one pair, from an independent implementation in numpy; the last one from
# torchmetrics 1.9.0 itself
@pytest.mark.parametrize(
    "dialect, value",
    [
        ("wang", 0.9958330415),
        ("scikit-image", 0.9968281795),
        ("scikit-image-gaussian", 0.9958327870),
        ("daala", 0.9853934401),
        ("torchmetrics", 0.9942443220),
    ],
)
def test_the_worked_pair_has_each_dialects_value(dialect, value):
    found = SSIM_DIALECTS[dialect](planes(OTHER), planes(RAMP), border=0)
    assert float(found) == pytest.approx(value, abs=5.1e-11)


@pytest.mark.parametrize("dialect", SSIM_DIALECTS)
def test_constants_have_the_same_value_in_all(dialect):
    pair = planes(np.full((24, 16), 100)), planes(np.full((24, 16), 101))
    # (2 * 100 * 101 + 6.5025) / (100^2 + 101^2 + 6.5025)
    found = SSIM_DIALECTS[dialect](*pair, border=0)
    assert float(found) == pytest.approx(0.9999505134, abs=5.1e-11)


@pytest.mark.parametrize("dialect", SSIM_DIALECTS)
def test_the_border_is_off_before_anything_else(dialect):
    sr, hr = noise(30, 26)
    inside = SSIM_DIALECTS[dialect](planes(sr[4:-4, 4:-4]), planes(hr[4:-4, 4:-4]), border=0)
    assert float(SSIM_DIALECTS[dialect](planes(sr), planes(hr), border=4)) == float(inside)


@pytest.mark.parametrize("dialect", SSIM_DIALECTS)
def test_channels_are_averaged_images_kept_apart_and_the_peak_scales(dialect):
    sr, hr = torch.from_numpy(np.random.default_rng(6).uniform(0, 255, (2, 2, 3, 16, 14)))
    together = SSIM_DIALECTS[dialect](sr, hr, border=0)
    assert together.shape == (2,)
    assert together.dtype == torch.float64
    for n in range(2):
        parts = [
            float(
                SSIM_DIALECTS[dialect](sr[n : n + 1, c : c + 1], hr[n : n + 1, c : c + 1], border=0)
            )
            for c in range(3)
        ]
        assert float(together[n]) == pytest.approx(math.fsum(parts) / 3)
    scaled = SSIM_DIALECTS[dialect](sr / 255, hr / 255, border=0, peak=1.0)
    assert scaled.tolist() == pytest.approx(together.tolist(), abs=1e-12)


# a hair more would be out of the metric's range, which is an error
@pytest.mark.parametrize("dialect", SSIM_DIALECTS)
def test_equal_pictures_score_one_to_the_last_bit(dialect):
    noise = np.random.default_rng(3).uniform(0, 255, (200, 1, 12, 13))
    for pictures in (noise, noise.round(), noise.cumsum(axis=3) / 75):
        same = torch.from_numpy(pictures)
        assert SSIM_DIALECTS[dialect](same, same.clone(), border=0).tolist() == [1] * 200


@pytest.mark.parametrize(
    "dialect, least",
    [("wang", 11), ("scikit-image", 7), ("scikit-image-gaussian", 11), ("torchmetrics", 11)],
)
def test_pictures_smaller_than_a_window_are_refused(dialect, least):
    fits, small = planes(np.zeros((least + 2, 30))), planes(np.zeros((least + 1, 30)))
    SSIM_DIALECTS[dialect](fits, fits, border=1)
    with pytest.raises(
        ValueError, match=rf"SSIM needs {least} pixels a side, not \({least - 1}, 28"
    ):
        SSIM_DIALECTS[dialect](small, small, border=1)


def test_daalas_windows_are_its_whole_numbers():
    assert daala_window(1.5, 100) == [2, 9, 28, 55, 68, 55, 28, 9, 2]
    assert daala_window(3.0, 100) == [1, 2, 5, 8, 14, 21, 27, 32, 36, 32, 27, 21, 14, 8, 5, 2, 1]
    assert daala_window(3.0, 3) == [27, 32, 138, 32, 27]  # no wider than the picture lets it be
    assert daala_window(300.0, 100) == [256]  # so wide that no pixel but its own has weight


def slow_daala(x, y):
    """Pixel by pixel, as the program sums: whole numbers, constants times the window's mass."""
    height, width = x.shape
    window = daala_window(1.5 * height / 256, min(height, width))
    reach = len(window) // 2
    total = weight = 0.0
    for row in range(height):
        for column in range(width):
            w = mx = my = xx = yy = xy = 0.0
            for r in range(max(row - reach, 0), min(row + reach + 1, height)):
                for c in range(max(column - reach, 0), min(column + reach + 1, width)):
                    k = window[r - row + reach] * window[c - column + reach]
                    a, b = x[r, c], y[r, c]
                    w, mx, my = w + k, mx + k * a, my + k * b
                    xx, yy, xy = xx + k * a * a, yy + k * b * b, xy + k * a * b
            c1, c2 = 6.5025 * w * w, 58.5225 * w * w
            value = (2 * mx * my + c1) * (2 * (xy * w - mx * my) + c2)
            value /= (mx * mx + my * my + c1) * (xx * w - mx * mx + yy * w - my * my + c2)
            total, weight = total + w * value, weight + w
    return total / weight


@pytest.mark.parametrize("height, width", [(40, 9), (130, 5), (5, 12)])
def test_daala_equals_its_definition_pixel_by_pixel(height, width):
    x, y = noise(height, width).round()
    y = (0.5 * x + 0.5 * y).round()
    found = float(daala_ssim(planes(x), planes(y), border=0))
    assert found == pytest.approx(slow_daala(x, y), abs=1e-11)
    assert found < 0.99


def test_every_dialect_that_a_protocol_may_name_is_here():
    assert set(get_args(SSIMDialect)) <= set(SSIM_DIALECTS)
