import pytest
import torch

from upres.losses.variation import total_variation


def test_values_by_hand() -> None:
    # Across 1, 2, 4, 1; down 3, 4, 7 (2x3 pixels): means 2 and 14/3.
    picture = torch.tensor([[0.0, 1.0, 3.0], [3.0, -3.0, -4.0]])
    flat = torch.full((2, 3), 0.7)
    found = total_variation(torch.stack([picture, flat])[:, None])
    torch.testing.assert_close(found, torch.tensor([(1 + 2 + 6 + 1) / 4 + (3 + 4 + 7) / 3, 0.0]))


def test_it_is_anisotropic() -> None:
    # A slope of 3 across and 4 down is 7 here; the isotropic form has 5.
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(5.0), indexing="ij")
    slanted = (3 * x + 4 * y)[None, None]
    torch.testing.assert_close(total_variation(slanted), torch.tensor([7.0]))


def test_the_slope_is_that_of_finite_differences_and_none_where_flat() -> None:
    generator = torch.Generator().manual_seed(1)
    sr = torch.rand(2, 3, 4, 5, generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(total_variation, (sr,))
    flat = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    total_variation(flat).sum().backward()
    assert not flat.grad.any()


def test_a_step_downhill_makes_noise_smoother() -> None:
    sr = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
    total_variation(sr).sum().backward()
    assert (total_variation(sr - sr.grad) < total_variation(sr)).all()


def test_bfloat16_is_summed_in_float32() -> None:
    sr = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert torch.equal(total_variation(sr), total_variation(sr.float()))


def test_a_picture_of_one_line_is_refused() -> None:
    with pytest.raises(ValueError, match="2 pixels a side, not 5x1"):
        total_variation(torch.zeros(1, 3, 1, 5))
