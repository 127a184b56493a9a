"""MS-SSIM: the definition in numpy and scipy, values by hand, limits."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from upres.metrics.ms_ssim import ms_ssim

SHARES = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def planes(picture):
    return torch.from_numpy(np.asarray(picture, np.float64))[None, None]


def blurred(picture):
    """The 11x11 Gaussian of sigma 1.5 where it lies inside."""
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    for axis in (0, 1):
        picture = correlate1d(picture, weights, axis=axis)
    return picture[5:-5, 5:-5]


def halved(picture):
    """Means of 2x2, the picture continued by its mirror; then every second."""
    mirrored = np.pad(picture, (0, 1), mode="symmetric")
    means = sum(
        mirrored[r : r + picture.shape[0], c : c + picture.shape[1]] for r, c in np.ndindex(2, 2)
    )
    return means[::2, ::2] / 4


def by_the_definition(x, y):
    index = 1.0
    for number, share in enumerate(SHARES):
        mx, my = blurred(x), blurred(y)
        vx, vy = blurred(x * x) - mx**2, blurred(y * y) - my**2
        contrast = (2 * (blurred(x * y) - mx * my) + 58.5225) / (vx + vy + 58.5225)
        means = (2 * mx * my + 6.5025) / (mx**2 + my**2 + 6.5025)
        last = number == len(SHARES) - 1
        index *= float(np.mean(contrast * means if last else contrast)) ** share
        x, y = halved(x), halved(y)
    return index


@pytest.mark.parametrize("height, width", [(176, 200), (183, 205)])
def test_it_equals_the_definition_also_where_sides_are_odd(height, width):
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 255, (height, width)).cumsum(0).cumsum(1)
    x = 255 * (x - x.min()) / np.ptp(x)
    y = 0.8 * x + rng.normal(0, 8, x.shape)
    found = float(ms_ssim(planes(y), planes(x), border=0))
    assert found == pytest.approx(by_the_definition(y, x), abs=1e-11)
    assert 0.3 < found < 0.95


def test_a_shift_of_brightness_counts_at_the_coarsest_size_alone():
    # means of 100 and 101 everywhere: ((2 * 100 * 101 + 6.5025) / (100^2 + 101^2 + 6.5025))^.1333
    flat = planes(np.full((176, 176), 100))
    assert float(ms_ssim(flat + 1, flat, border=0)) == pytest.approx(
        0.9999505134**0.1333, abs=1e-10
    )


def test_equal_pictures_score_one_and_opposites_nothing():
    picture = planes(np.random.default_rng(7).uniform(0, 255, (200, 190)))
    smooth = picture.cumsum(dim=3) / 200
    assert float(ms_ssim(picture, picture.clone(), border=4)) == 1
    assert float(ms_ssim(smooth, smooth.clone(), border=0)) == 1
    assert float(ms_ssim(255 - picture, picture, border=4)) == 0


def test_channels_are_averaged_images_kept_apart_and_the_peak_scales():
    sr, hr = torch.from_numpy(np.random.default_rng(6).uniform(0, 255, (2, 2, 3, 178, 176)))
    sr = (sr + hr) / 2
    together = ms_ssim(sr, hr, border=0)
    apart = ms_ssim(sr.reshape(6, 1, 178, 176), hr.reshape(6, 1, 178, 176), border=0)
    assert together.tolist() == pytest.approx(apart.reshape(2, 3).mean(dim=1).tolist())
    assert together[0] != together[1]
    scaled = ms_ssim(sr / 255, hr / 255, border=0, peak=1.0)
    assert scaled.tolist() == pytest.approx(together.tolist(), abs=1e-12)


def test_pictures_that_leave_no_window_at_the_coarsest_size_are_refused():
    small = planes(np.zeros((183, 300)))
    with pytest.raises(ValueError, match=r"MS-SSIM needs 176 pixels a side, not \(175, 292\)"):
        ms_ssim(small, small, border=4)
