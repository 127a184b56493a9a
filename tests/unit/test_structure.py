"""1 - SSIM and 1 - MS-SSIM: other implementations' values, a second computation, slopes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity
from torch import Tensor

from upres.losses.structure import LEAST_SIDES, STRUCTURE_LOSSES, ms_ssim, ssim

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES = list(STRUCTURE_LOSSES.values())


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def waves(side: int) -> tuple[Tensor, Tensor]:
    """Waves of three colours; the first `sr` has finer waves on top, the second less contrast."""
    axis = torch.arange(side, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    hr = torch.stack(
        [0.5 + 0.4 * torch.sin(x / (7 + 4 * c)) * torch.cos(y / (11 - 2 * c)) for c in range(3)]
    )
    finer = hr + 0.08 * torch.sin(1.7 * x + 0.9 * y) * torch.cos(0.3 * y)
    return torch.stack([finer, 0.8 * hr + 0.1]), torch.stack([hr, hr])


WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def slow_scales(x: np.ndarray, y: np.ndarray) -> list[float]:
    """The five indexes of Wang's msssim.m for one plane, with scipy and his way of halving."""
    offsets = np.arange(11) - 5
    half = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(half, half) / half.sum() ** 2

    def blur(plane: np.ndarray) -> np.ndarray:
        return convolve2d(plane, window, mode="valid")

    def halve(plane: np.ndarray) -> np.ndarray:
        padded = np.pad(plane, ((0, 1), (0, 1)), mode="symmetric")
        return convolve2d(padded, np.ones((2, 2)) / 4, mode="valid")[::2, ::2]

    indexes = []
    for scale in range(5):
        mx, my = blur(x), blur(y)
        vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        found = (2 * cov + 0.0009) / (vx + vy + 0.0009)
        if scale == 4:
            found = found * (2 * mx * my + 0.0001) / (mx**2 + my**2 + 0.0001)
        indexes.append(found.mean())
        x, y = halve(x), halve(y)
    return indexes


def test_ssim_is_that_of_scikit_image_with_wangs_settings() -> None:
    sr, hr = noise(2, 3, 23, 31), noise(2, 3, 23, 31, seed=2)
    sr = 0.7 * hr + 0.3 * sr
    for n, found in enumerate(ssim(sr, hr)):
        expected = structural_similarity(
            hr[n].numpy(),
            sr[n].numpy(),
            data_range=1.0,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert float(found) == pytest.approx(1 - expected, abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (ssim, [0.7397924238821898, 0.9738453912384545]),
        (ms_ssim, [0.9745046219588392, 0.9768623890502202]),
    ],
)
def test_values_are_those_of_pytorch_msssim(loss: Loss, expected: list[float]) -> None:
    # Version 1.0.0 on the same waves, 176 pixels a side, with a window in float64.
    assert (1 - loss(*waves(176))).tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("height", "width"), [(161, 170), (176, 163), (192, 161)])
def test_odd_sides_are_halved_as_wang_does(height: int, width: int) -> None:
    hr = noise(2, 1, height, width)
    sr = 0.6 * hr + 0.4 * noise(2, 1, height, width, seed=2)
    for n, found in enumerate(ms_ssim(sr, hr)):
        expected = np.prod(np.power(slow_scales(sr[n, 0].numpy(), hr[n, 0].numpy()), WEIGHTS))
        assert float(found) == pytest.approx(1 - expected, abs=1e-12)


def test_two_flat_pictures_differ_in_luminance_alone() -> None:
    sr, hr = torch.full((1, 3, 12, 12), 0.4), torch.full((1, 3, 12, 12), 0.6)
    expected = 1 - (2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4)
    assert float(ssim(sr, hr)) == pytest.approx(expected, abs=1e-4)


def test_colours_are_averaged_after_the_product_of_scales() -> None:
    sr, hr = waves(176)
    parts = [ms_ssim(sr[:, c : c + 1], hr[:, c : c + 1]) for c in range(3)]
    torch.testing.assert_close(ms_ssim(sr, hr), torch.stack(parts).mean(dim=0))


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_pictures_cost_nothing_and_have_no_slope(loss: Loss) -> None:
    noisy = noise(1, 3, 161, 161).float()
    for picture in (noisy, torch.zeros_like(noisy), torch.ones_like(noisy)):
        sr = picture.clone().requires_grad_()
        value = loss(sr, picture)
        value.sum().backward()
        assert value.item() == pytest.approx(0, abs=1e-6)
        assert sr.grad.abs().max() < 1e-6  # also: not a number is not less


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss: Loss) -> None:
    side = LEAST_SIDES["ms-ssim" if loss is ms_ssim else "ssim"] + 2
    hr = noise(1, 1, side, side)
    sr = (0.5 * hr + 0.5 * noise(1, 1, side, side, seed=2)).requires_grad_()
    loss(sr, hr).sum().backward()
    for seed in (3, 4):
        direction = noise(*sr.shape, seed=seed) - 0.5
        with torch.no_grad():
            ahead, behind = loss(sr + 1e-6 * direction, hr), loss(sr - 1e-6 * direction, hr)
        expected = float(ahead - behind) / 2e-6
        assert float((sr.grad * direction).sum()) == pytest.approx(expected, rel=1e-5)


def test_a_scale_turned_upside_down_counts_little_and_does_not_stop_the_others() -> None:
    smooth = waves(176)[1][:1, :1]
    chess = 1 - 2 * ((torch.arange(176)[:, None] + torch.arange(176)) % 2)  # gone when halved
    sr, hr = (smooth + 0.1 * chess).requires_grad_(), smooth - 0.1 * chess
    value = ms_ssim(sr, hr)
    value.sum().backward()
    scales = slow_scales(sr.detach()[0, 0].numpy(), hr[0, 0].numpy())
    assert scales[0] < 0 < min(scales[1:])
    expected = 1 - 1e-4 ** WEIGHTS[0] * np.prod(np.power(scales[1:], WEIGHTS[1:]))
    assert value.item() == pytest.approx(expected, abs=1e-12)
    assert torch.isfinite(sr.grad).all()
    assert sr.grad.any()


def test_opposite_pictures_have_a_finite_gradient() -> None:
    sr = noise(1, 3, 161, 161).requires_grad_()
    value = ms_ssim(sr, 1 - sr.detach())
    value.sum().backward()
    assert 0.99 < value.item() < 1
    assert torch.isfinite(sr.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_low_types_and_autocast_are_computed_in_float32(loss: Loss) -> None:
    sr, hr = (picture.float() for picture in waves(161))
    expected = loss(sr, hr)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss(sr, hr), expected)
    rounded = sr.bfloat16(), hr.bfloat16()
    found = loss(*rounded)
    assert found.dtype == torch.float32
    assert torch.equal(found, loss(*(picture.float() for picture in rounded)))
    finer = loss(sr.double(), hr.double())
    torch.testing.assert_close(expected.double(), finer, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("form", "least"), [("ssim", 11), ("ms-ssim", 161)])
def test_pictures_that_leave_no_window_are_refused(form: str, least: int) -> None:
    loss, enough = STRUCTURE_LOSSES[form], noise(1, 3, least, least)
    assert LEAST_SIDES[form] == least
    assert float(loss(enough, enough)) == pytest.approx(0, abs=1e-12)
    small = enough[..., 1:, :]
    message = f"{form} needs pictures of {least} pixels a side, not {least}x{least - 1}"
    with pytest.raises(ValueError, match=message):
        loss(small, small)


@pytest.mark.parametrize("loss", LOSSES)
def test_pictures_of_different_shapes_are_refused(loss: Loss) -> None:
    check = getattr(loss, "__wrapped__", loss)  # under the run-time shape check of tests
    with pytest.raises(ValueError, match=r"sr is \(1, 3, 170, 170\) but hr is \(1, 1, 170, 170\)"):
        check(noise(1, 3, 170, 170), noise(1, 1, 170, 170))
