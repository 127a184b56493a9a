import pytest
import torch
from torch import Tensor

from upres.losses.gradient import gradient, steepness


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows(*values: list[float]) -> Tensor:
    return torch.tensor(values)[None, None]


def test_values_by_hand() -> None:
    # Of the difference [[1, 0], [3, 7]]: across -1 and 4, down 2 and 7.
    sr, hr = rows([1.5, 0.5], [3.0, 7.0]), rows([0.5, 0.5], [0.0, 0.0])
    torch.testing.assert_close(gradient(sr, hr), torch.tensor([5 / 2 + 9 / 2]))


def test_both_directions_count_the_same_in_a_long_picture() -> None:
    # A slope of 0.1 across everywhere, none down: 0.1, however many of each there are.
    ramp = (0.1 * torch.arange(9.0)).expand(2, 3, 4, 9)
    torch.testing.assert_close(steepness(ramp), torch.full((2,), 0.1))
    torch.testing.assert_close(steepness(ramp.mT), torch.full((2,), 0.1))


def test_an_edge_turned_round_is_wrong_and_a_shifted_level_is_not() -> None:
    hr = rows([0.0, 1.0], [0.0, 1.0])
    torch.testing.assert_close(gradient(1 - hr, hr), torch.tensor([2.0]))
    torch.testing.assert_close(gradient(hr + 0.3, hr), torch.tensor([0.0]))


def test_samples_are_kept_apart() -> None:
    sr, hr = noise(3, 3, 5, 4), noise(3, 3, 5, 4, seed=2)
    alone = torch.cat([gradient(sr[n : n + 1], hr[n : n + 1]) for n in range(3)])
    torch.testing.assert_close(gradient(sr, hr), alone)


def test_slopes_are_those_of_finite_differences_and_none_at_equality() -> None:
    sr, hr = noise(2, 3, 4, 5).requires_grad_(), noise(2, 3, 4, 5, seed=2)
    assert torch.autograd.gradcheck(lambda x: gradient(x, hr), (sr,))
    same = hr.clone().requires_grad_()
    gradient(same, hr).sum().backward()
    assert not same.grad.any()


def test_bfloat16_is_compared_in_float32() -> None:
    sr, hr = noise(2, 3, 4, 5).bfloat16(), noise(2, 3, 4, 5, seed=2).bfloat16()
    found = gradient(sr, hr)
    assert found.dtype == torch.float32
    assert torch.equal(found, gradient(sr.float(), hr.float()))


@pytest.mark.parametrize(("height", "width"), [(1, 8), (8, 1)])
def test_a_picture_of_one_line_has_no_slopes(height: int, width: int) -> None:
    line = noise(1, 3, height, width)
    with pytest.raises(ValueError, match=f"2 pixels a side, not {width}x{height}"):
        gradient(line, line)


def test_different_shapes_are_refused() -> None:
    check = getattr(gradient, "__wrapped__", gradient)  # under the run-time shape check of tests
    with pytest.raises(ValueError, match=r"sr is \(2, 3, 4, 4\) but hr is \(1, 3, 4, 4\)"):
        check(noise(2, 3, 4, 4), noise(1, 3, 4, 4))
