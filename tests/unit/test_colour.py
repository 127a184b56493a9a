"""Luma against MATLAB's `rgb2ycbcr` values."""

import numpy as np
import pytest

from upres.images.colour import grey, luma


# From the matrix of BT.601, worked by hand
@pytest.mark.parametrize(
    "rgb, exact, whole",
    [
        ((0, 0, 0), 16, 16),
        ((255, 255, 255), 235, 235),
        ((255, 0, 0), 81.481, 81),
        ((0, 255, 0), 144.553, 145),
        ((0, 0, 255), 40.966, 41),
        ((128, 128, 128), 125.929412, 126),
        ((200, 100, 50), 122.665882, 123),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_luma_equals_matlab(rgb, exact, whole, kind):
    pixel = np.array([[rgb]], kind)
    np.testing.assert_allclose(luma(pixel, rounded=False), [[exact]], atol=5e-7)
    assert luma(pixel, rounded=True).tolist() == [[whole]]


def test_exact_halves_are_rounded_up():
    # 65,481 R + 128,553 G + 24,966 B = 127,500 modulo 255,000: every such pixel of a coarse grid
    r, g, b = np.meshgrid(np.arange(256), np.arange(0, 256, 5), np.arange(256), indexing="ij")
    sums = 65481 * r + 128553 * g + 24966 * b
    halves = sums % 255_000 == 127_500
    assert halves.sum() > 20
    pixels = np.stack([r, g, b], axis=-1)[halves][None].astype(np.uint8)
    whole = 16 + (sums[halves] + 127_500) // 255_000
    assert luma(pixels, rounded=True).tolist() == [whole.tolist()]


def test_a_grey_picture_is_its_own_luma():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (luma(ramp, rounded=False) == ramp).all()
    assert luma(ramp + 0.5, rounded=True)[0, :3].tolist() == [1, 2, 3]


def test_equal_channels_return_themselves_as_grey():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_allclose(grey(ramp[..., None].repeat(3, 2)), ramp, atol=1e-12)


def test_an_error_of_luma_is_219_255ths_of_one_of_grey():
    dark, light = np.full((1, 1, 3), 100, np.uint8), np.full((1, 1, 3), 110, np.uint8)
    np.testing.assert_allclose(luma(light, False) - luma(dark, False), 10 * 219 / 255, rtol=1e-12)
