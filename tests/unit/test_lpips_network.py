"""The network's arithmetic; its published values are tested where the weights are."""

import pytest
import torch
from torch import Tensor, nn

from upres.networks.lpips import LPIPS


@pytest.fixture(scope="module")
def lpips() -> LPIPS:
    return LPIPS("alexnet")


def noise(seed: int, n: int = 2) -> Tensor:
    return torch.rand((n, 3, 32, 40), generator=torch.Generator().manual_seed(seed))


def test_equal_pictures_have_no_distance_and_others_have_one(lpips: LPIPS) -> None:
    assert torch.equal(lpips(noise(1), noise(1)), torch.zeros(2))
    assert (lpips(noise(1), noise(2)) > 0).all()


def test_the_distance_is_that_of_the_papers_equation_1(lpips: LPIPS) -> None:
    a, b = noise(1), noise(2)
    of_a, of_b, expected = lpips.trunk(a), lpips.trunk(b), torch.zeros(2)
    for layer, head in zip(("relu1", "relu2", "relu3", "relu4", "relu5"), lpips.heads, strict=True):
        unit_a = of_a[layer] / (of_a[layer].square().sum(1, keepdim=True).sqrt() + 1e-10)
        unit_b = of_b[layer] / (of_b[layer].square().sum(1, keepdim=True).sqrt() + 1e-10)
        weighted = head.weight[0] * (unit_a - unit_b).square()
        expected = expected + weighted.sum(dim=1).mean(dim=(1, 2))
    torch.testing.assert_close(lpips(a, b), expected)


def test_neither_order_nor_batch_matters(lpips: LPIPS) -> None:
    a, b = noise(1), noise(2)
    torch.testing.assert_close(lpips(a, b), lpips(b, a))
    torch.testing.assert_close(lpips(a[1:], b[1:]), lpips(a, b)[1:])


def test_shapes_of_the_heads_are_those_of_published_weights() -> None:
    with torch.device("meta"):
        channels = {
            trunk: [LPIPS(trunk).state_dict()[f"heads.{i}.weight"].shape for i in range(5)]
            for trunk in ("alexnet", "vgg16")
        }
    assert [tuple(shape) for shape in channels["alexnet"]] == [
        (1, c, 1, 1) for c in (64, 192, 384, 256, 256)
    ]
    assert [tuple(shape) for shape in channels["vgg16"]] == [
        (1, c, 1, 1) for c in (64, 128, 256, 512, 512)
    ]


def test_pixels_without_any_feature_have_a_finite_gradient() -> None:
    lpips = LPIPS("alexnet")
    for parameter in lpips.trunk.parameters():
        parameter.data.zero_()
    a = noise(1).requires_grad_()
    lpips(a, noise(2)).sum().backward()
    assert torch.isfinite(a.grad).all()


def test_as_a_loss_it_moves_the_picture_and_not_itself(lpips: LPIPS) -> None:
    a = noise(1).requires_grad_()
    lpips(a, noise(2)).sum().backward()
    assert a.grad.any()
    assert all(parameter.grad is None for parameter in lpips.parameters())


def test_it_never_leaves_eval_mode_and_autocast_does_not_change_it(lpips: LPIPS) -> None:
    nn.ModuleList([lpips]).train()
    assert not any(module.training for module in lpips.modules())
    exact = lpips(noise(1), noise(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(lpips(noise(1), noise(2)), exact)
