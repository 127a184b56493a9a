"""CIEDE2000 against its authors' pairs and scikit-image; means of channels by hand."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from upres.metrics.colour_shift import channel_shift, ciede2000, colour_difference, lab

# Sharma, Wu and Dalal 2005, table 1: L*, a*, b* twice, and the difference
PAIRS = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def table():
    return torch.tensor([[float(v) for v in line.split()] for line in PAIRS.strip().splitlines()])


def noise(seed, n=2, side=20):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side + 3, 3), dtype=np.uint8)


def planes(pictures):
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()).double()


def test_differences_are_those_of_the_authors_table():
    pairs = table().double()
    one, other = (pairs[:, i : i + 3].T.reshape(1, 3, 1, -1) for i in (0, 3))
    expected = pairs[:, 6]
    assert torch.allclose(colour_difference(one, other)[0, 0], expected, atol=5e-5, rtol=0)
    assert torch.allclose(colour_difference(other, one)[0, 0], expected, atol=5e-5, rtol=0)


def test_pictures_differ_as_in_scikit_image():
    color = pytest.importorskip("skimage.color", reason="scikit-image is not installed")
    sr, hr = noise(0), noise(1)
    sr[0, :5] = 0  # black and grey places too
    hr[0, :3] = 128
    expected = [
        color.deltaE_ciede2000(color.rgb2lab(a), color.rgb2lab(b)).mean()
        for a, b in zip(sr, hr, strict=True)
    ]
    assert ciede2000(planes(sr), planes(hr)).tolist() == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(
        lab(planes(sr))[0].permute(1, 2, 0).numpy(), color.rgb2lab(sr[0]), atol=1e-9
    )


def test_equal_colours_do_not_differ():
    assert ciede2000(planes(noise(2)), planes(noise(2))).tolist() == [0, 0]


def test_a_cast_shows_in_its_channel_with_its_sign():
    hr = np.full((1, 4, 6, 3), 100, np.uint8)
    sr = hr.copy()
    sr[..., 0] += 3
    sr[:, :2, :, 2] -= 8  # half of the picture
    assert channel_shift(planes(sr), planes(hr)).tolist() == [[3, 0, -4]]


def test_shifts_that_cancel_leave_nothing():
    hr = np.full((1, 2, 4, 3), 100, np.uint8)
    sr = hr.copy()
    sr[:, 0] += 5
    sr[:, 1] -= 5
    assert channel_shift(planes(sr), planes(hr)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("measure", [ciede2000, channel_shift])
def test_unlike_sizes_are_refused(measure):
    with pytest.raises((ValueError, TypeCheckError)):
        measure(planes(noise(0, side=20)), planes(noise(0, side=21)))
