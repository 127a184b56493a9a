import math

import pytest
import torch
from torch import Tensor

from upres.losses.pixel import PIXEL_LOSSES, charbonnier, l1, mse


def pictures() -> tuple[Tensor, Tensor]:
    """Two samples of one row: differences 0, 0.5, -1, 0.1 and 0, 0, 0, 2."""
    hr = torch.tensor([[0.2, 0.0, 1.0, 0.4], [0.1, 0.2, 0.3, -1.0]])
    difference = torch.tensor([[0.0, 0.5, -1.0, 0.1], [0.0, 0.0, 0.0, 2.0]])
    return (hr + difference)[:, None, None], hr[:, None, None]


def test_values_by_hand() -> None:
    sr, hr = pictures()
    torch.testing.assert_close(l1(sr, hr), torch.tensor([0.4, 0.5]))
    torch.testing.assert_close(mse(sr, hr), torch.tensor([1.26 / 4, 1.0]))
    expected = [
        (3 + math.sqrt(0.25 + 9) + math.sqrt(1 + 9) + math.sqrt(0.01 + 9)) / 4,
        (3 + 3 + 3 + math.sqrt(4 + 9)) / 4,
    ]
    torch.testing.assert_close(charbonnier(sr, hr, eps=3.0), torch.tensor(expected))


def test_charbonnier_is_l1_far_away_and_eps_at_zero() -> None:
    sr, hr = torch.full((1, 3, 2, 2), 0.7), torch.zeros(1, 3, 2, 2)
    torch.testing.assert_close(charbonnier(sr, hr), l1(sr, hr), atol=1e-6, rtol=0)
    torch.testing.assert_close(charbonnier(hr, hr), torch.tensor([1e-3]))


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_equal_pictures_have_a_finite_gradient(name: str) -> None:
    sr = torch.rand(1, 3, 2, 2, requires_grad=True)
    PIXEL_LOSSES[name](sr, sr.detach()).sum().backward()
    assert torch.isfinite(sr.grad).all()


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_the_gradient_points_from_hr_to_sr_also_outside_of_0_and_1(name: str) -> None:
    sr = torch.full((1, 3, 2, 2), 1.3, requires_grad=True)
    PIXEL_LOSSES[name](sr, torch.ones(1, 3, 2, 2)).sum().backward()
    assert (sr.grad > 0).all()
