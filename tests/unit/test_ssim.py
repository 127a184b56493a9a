"""SSIM in Wang's dialect: worked values, a slow second computation, limits."""

import math

import numpy as np
import pytest
import torch

from upres.metrics.ssim import ssim


def planes(picture):
    return torch.from_numpy(np.asarray(picture, np.float64))[None, None]


def slow_ssim(x, y):
    """The definition, window by window."""
    offsets = np.arange(11) - 5
    half = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(half, half) / half.sum() ** 2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            values.append(
                (2 * ma * mb + 6.5025)
                * (2 * cov + 58.5225)
                / ((ma**2 + mb**2 + 6.5025) * (va + vb + 58.5225))
            )
    return np.mean(values)


def test_the_worked_pair_has_its_value():
    # the dialect's value for this pair: 32x32, a ramp against +10 on a checkerboard
    ramp = (np.arange(1024) % 256).reshape(32, 32)
    checker = np.indices((32, 32)).sum(0) % 2 == 1
    other = np.where(checker, np.minimum(ramp + 10, 255), ramp)
    assert float(ssim(planes(other), planes(ramp), border=0)) == pytest.approx(
        0.9958330415, abs=5e-11
    )


def test_constants_have_a_known_value():
    value = ssim(planes(np.full((16, 16), 100)), planes(np.full((16, 16), 101)), border=0)
    assert float(value) == pytest.approx(0.9999505134, abs=5e-11)


def test_it_equals_the_definition_window_by_window():
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 255, (2, 17, 14))
    assert float(ssim(planes(x), planes(y), border=0)) == pytest.approx(slow_ssim(x, y), abs=1e-10)
    inside = slow_ssim(x[1:-1, 1:-1], y[1:-1, 1:-1])
    assert float(ssim(planes(x), planes(y), border=1)) == pytest.approx(inside, abs=1e-10)


def test_channels_and_images_are_averaged_and_kept_apart():
    rng = np.random.default_rng(6)
    x, y = torch.from_numpy(rng.uniform(0, 255, (2, 2, 3, 12, 13)))
    together = ssim(x, y, border=0)
    assert together.shape == (2,)
    for n in range(2):
        parts = [
            float(ssim(x[n : n + 1, c : c + 1], y[n : n + 1, c : c + 1], border=0))
            for c in range(3)
        ]
        assert float(together[n]) == pytest.approx(math.fsum(parts) / 3)


def test_equal_pictures_score_one():
    picture = planes(np.random.default_rng(7).uniform(0, 255, (20, 20)))
    assert float(ssim(picture, picture, border=4)) == pytest.approx(1, abs=1e-12)


def test_pictures_smaller_than_a_window_are_refused():
    small = planes(np.zeros((18, 30)))
    with pytest.raises(ValueError, match=r"SSIM needs 11 pixels a side, not \(10, 22\)"):
        ssim(small, small, border=4)
