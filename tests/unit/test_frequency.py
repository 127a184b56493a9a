import math

import numpy as np
import pytest
import torch
from torch import Tensor

from upres.losses.frequency import frequency


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_values_by_hand() -> None:
    # 2x2 pixels a b / c d: the spectrum is real, (a+b+c+d, a-b+c-d, a+b-c-d, a-b-c+d) / 2; with
    # as many imaginary parts of 0.
    difference = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    hr = torch.full((1, 1, 2, 2), 0.25)
    expected = (15 + abs(-5) + abs(-9) + 3) / 2 / 8
    torch.testing.assert_close(frequency(hr + difference, hr), torch.tensor([expected]))


def test_a_shifted_level_is_one_number_of_the_spectrum() -> None:
    # 0.5 everywhere on 6x8: a constant wave of 0.5 sqrt(48) among 6 * 5 complex numbers.
    hr = noise(2, 3, 6, 8)
    expected = 0.5 * math.sqrt(48) / (2 * 6 * 5)
    found = frequency(hr + 0.5, hr)
    torch.testing.assert_close(found, torch.full((2,), expected, dtype=torch.float64))


@pytest.mark.parametrize(("height", "width"), [(6, 8), (7, 5), (9, 4)])
def test_it_is_that_of_numpys_whole_spectrum_up_to_the_half_left_out(
    height: int, width: int
) -> None:
    sr, hr = noise(2, 3, height, width), noise(2, 3, height, width, seed=2)
    whole = np.fft.fft2(sr.numpy()) - np.fft.fft2(hr.numpy())
    kept = whole[..., : width // 2 + 1] / math.sqrt(height * width)
    expected = (np.abs(kept.real) + np.abs(kept.imag)).mean(axis=(1, 2, 3)) / 2
    torch.testing.assert_close(frequency(sr, hr), torch.from_numpy(expected))


def test_the_value_of_noise_does_not_grow_with_the_picture() -> None:
    small, large = (float(frequency(noise(1, 3, s, s), 0 * noise(1, 3, s, s))) for s in (64, 256))
    assert large == pytest.approx(small, rel=0.1)


def test_slopes_are_those_of_finite_differences_and_none_at_equality() -> None:
    sr, hr = noise(2, 1, 4, 5).requires_grad_(), noise(2, 1, 4, 5, seed=2)
    assert torch.autograd.gradcheck(lambda x: frequency(x, hr), (sr,))
    same = hr.clone().requires_grad_()
    value = frequency(same, hr)
    value.sum().backward()
    assert not value.any()
    assert not same.grad.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_types_and_odd_sides_are_transformed_in_float32(dtype: torch.dtype) -> None:
    sr, hr = noise(2, 3, 15, 9).to(dtype), noise(2, 3, 15, 9, seed=2).to(dtype)
    sr = sr.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = frequency(sr, hr)
    found.sum().backward()
    assert found.dtype == torch.float32
    assert torch.equal(found, frequency(sr.float(), hr.float()))
    assert torch.isfinite(sr.grad).all()
    assert sr.grad.any()


def test_different_shapes_are_refused() -> None:
    check = getattr(frequency, "__wrapped__", frequency)  # under the run-time check of tests
    with pytest.raises(ValueError, match=r"sr is \(2, 3, 4, 4\) but hr is \(2, 3, 4, 5\)"):
        check(noise(2, 3, 4, 4), noise(2, 3, 4, 5))
