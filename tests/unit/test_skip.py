import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from upres.networks.skip import SKIP_RADIUS, Skip, plain_enlargement, with_skip

PICTURES: tuple[Skip, ...] = ("nearest", "bilinear", "bicubic")


def noise(h: int, w: int) -> Tensor:
    return torch.rand(2, 3, h, w, generator=torch.Generator().manual_seed(1))


def keys(distance: float, a: float = -0.5) -> float:
    """Keys 1981, equation 4: the weight of a pixel at this distance."""
    x = abs(distance)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def test_nearest_repeats_each_pixel() -> None:
    lr = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    expected = torch.tensor([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])
    assert torch.equal(plain_enlargement(lr, 2, "nearest")[0, 0], expected.float())


def test_bilinear_has_half_pixel_centres() -> None:
    lr = torch.tensor([[[[0.0, 1.0]]]])
    row = plain_enlargement(lr, 2, "bilinear")[0, 0, 0]
    torch.testing.assert_close(row, torch.tensor([0.0, 0.25, 0.75, 1.0]))


def test_bicubic_answers_a_single_pixel_with_keys_kernel_of_minus_a_half() -> None:
    lr = torch.zeros(1, 1, 11, 11)
    lr[0, 0, 5, :] = 1  # constant along rows, so that the other axis does not matter
    column = plain_enlargement(lr, 4, "bicubic")[0, 0, :, 22]
    expected = [keys((index + 0.5) / 4 - 0.5 - 5) for index in range(44)]
    torch.testing.assert_close(column, torch.tensor(expected), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_pillows_up_to_the_edges(scale: int) -> None:
    lr = noise(9, 7)
    plane = Image.fromarray(lr[0, 0].numpy())
    expected = np.asarray(plane.resize((7 * scale, 9 * scale), Image.Resampling.BICUBIC))
    found = plain_enlargement(lr, scale, "bicubic")[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("skip", PICTURES)
def test_memory_format_does_not_change_the_enlargement(skip: Skip) -> None:
    lr = noise(6, 5)
    last = lr.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(
        plain_enlargement(last, 3, skip), plain_enlargement(lr, 3, skip), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("skip", PICTURES)
def test_a_single_pixel_becomes_a_flat_picture(skip: Skip) -> None:
    lr = torch.full((1, 3, 1, 1), 0.3)
    torch.testing.assert_close(plain_enlargement(lr, 4, skip), torch.full((1, 3, 4, 4), 0.3))


@pytest.mark.parametrize("skip", PICTURES)
def test_the_radius_covers_every_pixel_that_counts(skip: Skip) -> None:
    lr = torch.zeros(1, 1, 1, 11)
    lr[..., 5] = 1
    touched = plain_enlargement(lr, 4, skip)[0, 0, 0].nonzero().flatten() // 4 - 5
    assert touched.abs().max() == SKIP_RADIUS[skip]


def test_none_has_no_enlargement() -> None:
    with pytest.raises(ValueError, match="'none' has no plain enlargement"):
        plain_enlargement(noise(2, 2), 2, "none")


def test_without_a_skip_the_computed_picture_stays_as_it_is() -> None:
    computed = noise(8, 8)
    assert torch.equal(with_skip(computed, noise(2, 2), 4, "none"), computed)


def test_a_bfloat16_sum_is_made_in_the_type_of_the_picture() -> None:
    lr = noise(2, 2)
    computed = torch.zeros(2, 3, 8, 8, dtype=torch.bfloat16)
    found = with_skip(computed, lr, 4, "nearest")
    assert found.dtype == torch.float32
    assert torch.equal(found, plain_enlargement(lr, 4, "nearest"))
