"""PSNR: values known by hand, invariances, limits."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError

from upres.metrics.psnr import psnr

FLAT = torch.full((2, 3, 12, 10), 100.0)


@pytest.mark.parametrize("error, decibels", [(1, 48.1308036087), (2, 42.1102036954)])
def test_constant_errors_have_known_values(error, decibels):
    values = psnr(FLAT + error, FLAT, border=0)
    assert values.dtype == torch.float64
    assert values.tolist() == pytest.approx([decibels] * 2, abs=5e-11)


def test_equal_pictures_are_infinitely_good():
    assert psnr(FLAT, FLAT, border=2).tolist() == [math.inf] * 2


def test_errors_in_the_border_do_not_count():
    spoilt = FLAT.clone() + 1
    spoilt[..., :3, :] = spoilt[..., -3:, :] = spoilt[..., :, :3] = spoilt[..., :, -3:] = 0
    assert psnr(spoilt, FLAT, border=3).tolist() == pytest.approx([48.1308036087] * 2)
    assert psnr(spoilt, FLAT, border=2)[0] < 20


def test_channels_share_one_mean():
    spoilt = FLAT.clone()
    spoilt[:, 0] += 3  # a mean squared error of 9 / 3
    expected = 10 * math.log10(255**2 / 3)
    assert psnr(spoilt, FLAT, border=0).tolist() == pytest.approx([expected] * 2)


def test_each_image_has_its_own_value():
    spoilt = FLAT.clone()
    spoilt[1] += 1
    assert psnr(spoilt, FLAT, border=0).tolist() == pytest.approx([math.inf, 48.1308036087])


def test_the_peak_scales_with_the_values():
    ours = psnr((FLAT + 1) / 255, FLAT / 255, border=0, peak=1.0)
    assert ours.tolist() == pytest.approx([48.1308] * 2, abs=1e-4)


def test_wrong_shapes_and_borders_are_refused():
    # the checker of shapes, where it is switched on, refuses before the function can
    with pytest.raises((ValueError, TypeCheckError), match=r"1, ?3, ?12, ?10"):
        psnr(FLAT[:1], FLAT, border=0)
    with pytest.raises(ValueError, match="border of 5 leaves nothing of 10x12"):
        psnr(FLAT, FLAT, border=5)
