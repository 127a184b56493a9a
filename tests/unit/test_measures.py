"""Fine detail, patterns of the LR grid, distance of weights: against values worked by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from upres.watch.measures import grid_energy, high_frequency, parameter_distance


def wave(period: int, amplitude: float = 0.1, side: int = 84) -> Tensor:
    """Grey 0.5 and a cosine along the rows, (1, 3, side, side)."""
    x = torch.arange(side, dtype=torch.float64)
    row = 0.5 + amplitude * torch.cos(2 * math.pi * x / period)
    return row.float().expand(1, 3, side, side)


def kept(period: int) -> float:
    """The amplitude that 1 - H keeps, H = cos^4(w / 2) the transfer of 1 4 6 4 1 over 16."""
    return 1 - math.cos(math.pi / period) ** 4


def checkerboard(side: int = 84) -> Tensor:
    at = torch.arange(side)
    return (1.0 - 2.0 * ((at[:, None] + at) % 2)).expand(1, 3, side, side)


def on_grid(scale: int, side: int = 84) -> Tensor:
    """1 at the first pixel of every LR pixel, 0 elsewhere."""
    at = (torch.arange(side) % scale == 0).float()
    return (at[:, None] * at).expand(1, 3, side, side)


def noise(seed: int, n: int = 16, side: int = 96) -> Tensor:
    return 0.5 + 0.1 * torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def smooth(n: int = 8, side: int = 96) -> Tensor:
    """A hill of 0..1: what shading looks like."""
    x = torch.linspace(-1, 1, side)
    return torch.exp(-2 * (x[:, None] ** 2 + x**2)).expand(n, 3, side, side)


@pytest.mark.parametrize(("sr", "hr"), [(4, 2), (8, 4), (2, 6)])
def test_energy_of_detail_is_that_of_the_filtered_waves(sr: int, hr: int) -> None:
    # a cosine's mean square is half of its amplitude's, except at period 2 where it is all of it
    square = {period: kept(period) ** 2 / (1 if period == 2 else 2) for period in (sr, hr)}
    measured = high_frequency(wave(sr), wave(hr))
    # 80 pixels are left of 84, not all a whole number of periods, and 8-bit rounding is added
    assert measured == pytest.approx(square[sr] / square[hr], rel=0.01)


def test_detail_is_of_the_luma_by_its_weights() -> None:
    grey, green = wave(4), wave(4).clone()
    green[:, [0, 2]] = 0.5
    assert high_frequency(green, grey) == pytest.approx(0.587**2, rel=1e-3)


def test_doubled_detail_has_four_times_the_energy_and_a_shift_of_brightness_none() -> None:
    assert high_frequency(wave(4, 0.2), wave(4, 0.1)) == pytest.approx(4, rel=1e-3)
    assert high_frequency(wave(4) + 0.2, wave(4)) == pytest.approx(1, rel=1e-4)


def test_a_ramp_is_no_detail_and_flat_pictures_are_equal() -> None:
    ramp = torch.linspace(0, 1, 64).expand(2, 3, 64, 64)
    flat = torch.full((2, 3, 64, 64), 0.3)
    assert high_frequency(ramp, flat) == pytest.approx(1, abs=1e-4)
    assert high_frequency(flat, flat) == 1


def test_flat_crops_of_a_batch_change_nothing() -> None:
    flat = torch.full((1, 3, 84, 84), 0.5)
    sr, hr = torch.cat([wave(4, 0.2), flat]), torch.cat([wave(4, 0.1), flat])
    assert high_frequency(sr, hr) == pytest.approx(4, rel=2e-3)


@pytest.mark.parametrize("amplitude", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_checkerboard_counts_by_its_share_of_the_detail(scale: int, amplitude: float) -> None:
    hr = wave(7)  # 84 is a multiple of 7, 2, 3 and 4: it averages out exactly but for the border
    own = 0.1**2 / 2 * kept(7) ** 2
    expected = amplitude**2 / (amplitude**2 + own)  # (1 - H) of a checkerboard is 1
    measured = grid_energy(hr + amplitude * checkerboard(), hr, scale)
    assert measured == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_pattern_of_the_lr_grid_alone_is_all_of_the_detail(scale: int) -> None:
    flat = torch.full((1, 3, 84, 84), 0.5)
    assert grid_energy(flat + 0.1 * on_grid(scale), flat, scale) == pytest.approx(1, abs=0.01)


def test_a_pattern_of_another_period_does_not_count() -> None:
    flat = torch.full((1, 3, 84, 84), 0.5)
    assert abs(grid_energy(flat + 0.1 * on_grid(7), flat, 4)) < 0.02


def test_without_a_grid_it_is_about_nothing() -> None:
    assert abs(grid_energy(noise(1), noise(2), 4)) < 0.002  # 16 means of 16 * 529 pixels each
    assert abs(grid_energy(noise(1, n=2, side=48), smooth(2, 48), 4)) < 0.03
    assert abs(grid_energy(smooth(), smooth(), 4)) < 1e-6
    assert abs(grid_energy(smooth(), noise(3, n=8), 4)) < 0.05


def test_a_weak_grid_shows_in_noise() -> None:
    # 0.02 of a checkerboard in detail of luma noise: its energy is the noise's, times the
    # filter's gain for white noise (the sum of its squared taps)
    taps = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    filter_ = -torch.outer(taps, taps)
    filter_[2, 2] += 1
    luma = 0.1**2 * (0.299**2 + 0.587**2 + 0.114**2)
    expected = 0.02**2 / (0.02**2 + luma * float(filter_.square().sum()))
    hr = noise(4)
    measured = grid_energy(hr + 0.02 * checkerboard(96), hr, 4)
    assert measured == pytest.approx(expected, rel=0.05)


def test_a_grid_that_the_photo_has_too_is_no_fault() -> None:
    fabric = 0.5 + 0.1 * on_grid(4)
    assert grid_energy(fabric, fabric, 4) == 0
    assert grid_energy(torch.full_like(fabric, 0.5), fabric, 4) == pytest.approx(-1, abs=0.01)


def test_signs_that_differ_between_pictures_do_not_cancel() -> None:
    flat = torch.full((2, 3, 84, 84), 0.5)
    sign = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    assert grid_energy(flat + 0.1 * sign * checkerboard(), flat, 4) == pytest.approx(1, abs=0.01)


def test_strided_convolutions_leave_what_is_measured() -> None:
    """The gradient of a 3x3 convolution of stride 2 has Odena's checkerboard."""
    strided = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    with torch.no_grad():
        strided.weight.fill_(0.1)
    picture = noise(5, n=4).requires_grad_()
    (step,) = torch.autograd.grad(strided(picture).sum(), picture)
    sr = picture.detach() + 0.05 * step / step.std()
    assert grid_energy(sr, picture, 4) > 0.1


def test_bf16_pictures_are_measured_in_float32_under_autocast_too() -> None:
    sr, hr = wave(4, 0.2), wave(4, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert high_frequency(sr, hr) == pytest.approx(4, rel=1e-3)
        assert grid_energy(sr, sr, 4) == 0
    assert high_frequency(sr.bfloat16(), hr) == high_frequency(sr.bfloat16().float(), hr)


def test_nothing_is_kept_for_a_gradient() -> None:
    sr = wave(4).clone().requires_grad_()
    assert isinstance(high_frequency(sr, sr), float)
    assert sr.grad is None


def test_distance_is_over_all_parameters_together() -> None:
    live, average = nn.Linear(2, 1), nn.Linear(2, 1)
    with torch.no_grad():
        live.weight.copy_(torch.tensor([[3.0, 0.0]]))
        live.bias.fill_(4.0)
        average.weight.copy_(torch.tensor([[3.0, 0.3]]))
        average.bias.fill_(4.4)
    assert parameter_distance(average, live) == pytest.approx(0.5 / 5)
    assert parameter_distance(live, live) == 0


def test_distance_leaves_buffers_out_and_is_no_number_for_a_network_of_zeros() -> None:
    live, average = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    average.running_mean.fill_(9.0)  # type: ignore[union-attr, operator]
    assert parameter_distance(average, live) == 0
    empty = nn.Linear(1, 1)
    with torch.no_grad():
        for parameter in empty.parameters():
            parameter.zero_()
    assert math.isnan(parameter_distance(nn.Linear(1, 1), empty))
