"""The network's arithmetic; its published values are tested where the weights are."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.dists import DISTS


@pytest.fixture(scope="module")
def dists() -> DISTS:
    network = DISTS()
    with torch.random.fork_rng():
        torch.manual_seed(2)
        for module in network.trunk.features:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # so that deep maps do not fade
        network.alpha.uniform_()
        network.beta.uniform_()
    return network


def noise(seed: int, n: int = 2) -> Tensor:
    return torch.rand((n, 3, 32, 40), generator=torch.Generator().manual_seed(seed))


def published(network: DISTS, x: Tensor, y: Tensor) -> Tensor:
    """DISTS_pt.py in its own words, on the same weights."""
    a = np.hanning(5)[1:-1]
    g = torch.Tensor(a[:, None] * a[None, :])
    g = g / torch.sum(g)
    chns = [3, 64, 128, 256, 512, 512]

    def forward_once(h: Tensor) -> list[Tensor]:
        maps = [h]
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, -1, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(1, -1, 1, 1)
        h = (h - mean) / std
        for index in range(30):  # torchvision's VGG16 up to relu5_3
            if index in (4, 9, 16, 23):
                maps.append(h)
                kernel = g[None, None].repeat((h.shape[1], 1, 1, 1))
                h = F.conv2d(h**2, kernel, stride=2, padding=1, groups=h.shape[1])
                h = (h + 1e-12).sqrt()
            else:
                h = network.trunk.features[index](h)
        return [*maps, h]

    w_sum = network.alpha.sum() + network.beta.sum()
    alpha = torch.split(network.alpha / w_sum, chns, dim=1)
    beta = torch.split(network.beta / w_sum, chns, dim=1)
    score = torch.zeros(len(x), 1, 1, 1)
    for k, (f, h) in enumerate(zip(forward_once(x), forward_once(y), strict=True)):
        x_mean, y_mean = f.mean([2, 3], keepdim=True), h.mean([2, 3], keepdim=True)
        s1 = (2 * x_mean * y_mean + 1e-6) / (x_mean**2 + y_mean**2 + 1e-6)
        x_var = ((f - x_mean) ** 2).mean([2, 3], keepdim=True)
        y_var = ((h - y_mean) ** 2).mean([2, 3], keepdim=True)
        xy_cov = (f * h).mean([2, 3], keepdim=True) - x_mean * y_mean
        s2 = (2 * xy_cov + 1e-6) / (x_var + y_var + 1e-6)
        score = score + (alpha[k] * s1 + beta[k] * s2).sum(1, keepdim=True)
    return 1 - score.flatten()


def test_the_distance_is_that_of_the_published_code(dists: DISTS) -> None:
    a, b = noise(1), noise(2)
    b = 0.5 * a + 0.5 * b
    torch.testing.assert_close(dists(a, b), published(dists, a, b), rtol=1e-4, atol=1e-5)
    assert (dists(a, b) > 1e-3).all()


def test_equal_pictures_have_no_distance(dists: DISTS) -> None:
    assert dists(noise(1), noise(1)).abs().max() < 1e-6


def test_neither_order_nor_batch_matters(dists: DISTS) -> None:
    a, b = noise(1), noise(2)
    torch.testing.assert_close(dists(a, b), dists(b, a))
    torch.testing.assert_close(dists(a[1:], b[1:]), dists(a, b)[1:])


def test_shapes_are_those_of_published_weights() -> None:
    with torch.device("meta"):
        state = DISTS().state_dict()
    assert {key for key in state if not key.startswith("trunk.features.")} == {"alpha", "beta"}
    assert tuple(state["alpha"].shape) == tuple(state["beta"].shape) == (1, 1475, 1, 1)
    convs = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # torchvision's VGG16
    names = {f"trunk.features.{n}.{part}" for n in convs for part in ("weight", "bias")}
    assert {key for key in state if key.startswith("trunk.")} == names


def test_as_a_loss_it_moves_the_picture_and_not_itself(dists: DISTS) -> None:
    a = noise(1).requires_grad_()
    dists(a, noise(2)).sum().backward()
    assert a.grad is not None and a.grad.flatten(1).any(dim=1).all()
    assert torch.isfinite(a.grad).all()
    assert all(parameter.grad is None for parameter in dists.parameters())


def test_flat_pictures_have_a_finite_gradient(dists: DISTS) -> None:
    black = torch.zeros(1, 3, 32, 32).requires_grad_()
    dists(black, torch.zeros(1, 3, 32, 32)).sum().backward()
    assert black.grad is not None and torch.isfinite(black.grad).all()


def test_it_never_leaves_eval_mode_and_autocast_does_not_change_it(dists: DISTS) -> None:
    nn.ModuleList([dists]).train()
    assert not any(module.training for module in dists.modules())
    exact = dists(noise(1), noise(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(dists(noise(1), noise(2)), exact)
        assert dists(noise(1).bfloat16(), noise(2).bfloat16()).dtype == torch.float32


def test_its_poolings_follow_device_and_type() -> None:
    moved = DISTS().double()
    assert moved(noise(1).double(), noise(2).double()).shape == (2,)
    assert all(buffer.dtype == torch.float64 for buffer in moved.buffers())


def test_pictures_that_leave_nothing_are_refused(dists: DISTS) -> None:
    with pytest.raises(ValueError, match="too small"):
        dists(torch.rand(1, 3, 15, 20), torch.rand(1, 3, 15, 20))
