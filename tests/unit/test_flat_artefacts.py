"""Artefacts in flat places: patterns whose energy is known by hand."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from upres.metrics.flat_artefacts import flat_artefacts

SIDE = 24


def flat(n=1, value=100.0):
    return torch.full((n, 1, SIDE, SIDE), value, dtype=torch.float64)


def checkerboard(amplitude):
    """Its binomial blur is nothing, so that all of it is fine detail."""
    at = torch.arange(SIDE)
    return amplitude * (1.0 - 2.0 * ((at[:, None] + at) % 2)).double()


@pytest.mark.parametrize("amplitude", [0.5, 2.0, 30.0])
def test_a_pattern_on_a_flat_photo_counts_with_its_energy(amplitude):
    assert flat_artefacts(flat() + checkerboard(amplitude), flat()).item() == pytest.approx(
        amplitude**2
    )


def test_lost_grain_is_below_nothing():
    assert flat_artefacts(flat(), flat() + checkerboard(1.5)).item() == pytest.approx(-2.25)


def test_places_are_flat_below_a_deviation_of_two_levels():
    # 7x7 pixels of a checkerboard have one more of one sign: its variance is a^2 (1 - 1/49^2)
    assert flat_artefacts(flat(), flat() + checkerboard(1.99)).item() == pytest.approx(-(1.99**2))
    assert flat_artefacts(flat(), flat() + checkerboard(2.01)).item() == 0


def test_only_flat_places_count():
    hr = flat()
    hr[..., : SIDE // 2] += checkerboard(40)[:, : SIDE // 2]
    sr = hr + checkerboard(1)
    sr[..., : SIDE // 2] += 20 * torch.rand(SIDE, SIDE // 2, dtype=torch.float64)
    right = sr.clone()
    right[..., : SIDE // 2 + 1] = hr[..., : SIDE // 2 + 1]
    assert flat_artefacts(sr, hr).item() != 0
    # flat windows keep 3 pixels from the texture, the blur reaches 2: the left half is not seen
    assert flat_artefacts(right, hr).item() == pytest.approx(flat_artefacts(sr, hr).item())
    assert flat_artefacts(right, hr).item() == pytest.approx(1)


def test_brightness_and_slow_waves_do_not_count():
    ramp = torch.linspace(0, 5, SIDE, dtype=torch.float64)
    assert flat_artefacts(flat(value=130.0), flat()).item() == pytest.approx(0, abs=1e-20)
    assert flat_artefacts(flat() + ramp, flat()).item() == pytest.approx(0, abs=1e-20)


def test_a_photo_without_flat_places_has_none():
    hr = flat() + checkerboard(50)
    assert flat_artefacts(hr + checkerboard(9), hr).item() == 0


def test_each_picture_has_its_own_value_as_scipy_computes_it():
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    rng = np.random.default_rng(0)
    hr = 100 + rng.normal(0, 1, (2, 30, 26)) * np.linspace(0, 4, 26)
    sr = hr + rng.normal(0, 3, hr.shape)
    taps = np.array([1, 4, 6, 4, 1]) / 16

    def detail(picture):
        return picture - ndimage.convolve(picture, np.outer(taps, taps))

    expected = []
    for one, other in zip(sr, hr, strict=True):
        deviation = ndimage.generic_filter(other, np.std, size=7)
        is_flat = (deviation < 2)[3:-3, 3:-3]
        more = (detail(one) ** 2 - detail(other) ** 2)[3:-3, 3:-3]
        expected.append(more[is_flat].mean())
    found = flat_artefacts(*(torch.from_numpy(p)[:, None] for p in (sr, hr)))
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


def test_small_and_unlike_pictures_are_refused():
    with pytest.raises(ValueError, match="7 pixels"):
        flat_artefacts(flat()[..., :6, :], flat()[..., :6, :])
    with pytest.raises((ValueError, TypeCheckError)):
        flat_artefacts(flat()[..., :9, :], flat())
