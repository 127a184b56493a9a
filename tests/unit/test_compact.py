import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.compact import Compact, CompactSettings
from upres.networks.skip import plain_enlargement


def network(scale: int = 4, **settings) -> Compact:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Compact(CompactSettings(**settings), scale)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_layers_are_those_of_srvggnetcompact() -> None:
    compact, lr = network(width=6, convs=2, scale=3), noise(2, 3, 5, 7)
    named = {key: value + 0.1 for key, value in compact.state_dict().items()}
    compact.load_state_dict(named)
    x = lr
    for index in range(0, 7, 2):
        x = F.conv2d(x, named[f"body.{index}.weight"], named[f"body.{index}.bias"], padding=1)
        if index < 6:
            slopes = named[f"body.{index + 1}.weight"]
            x = torch.where(x > 0, x, x * slopes[:, None, None])
    expected = F.pixel_shuffle(x, 3) + lr.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3)
    torch.testing.assert_close(compact(lr), expected)


def test_training_starts_very_near_the_plain_enlargement() -> None:
    compact, lr = network(), noise(2, 3, 16, 16)
    away = compact(lr) - plain_enlargement(lr, 4, "nearest")
    assert 0 < away.square().mean().sqrt() < 0.03


def test_features_keep_their_size_through_the_sixteen_layers() -> None:
    compact, x = network(), noise(1, 3, 16, 16)
    sizes = []
    for layer in compact.body[:-1]:
        x = layer(x)
        if isinstance(layer, nn.PReLU):
            sizes.append(x.square().mean().sqrt().item())
    assert 0.25 < sizes[-1] / sizes[0] < 4


def test_the_last_convolution_starts_with_a_hundredth_of_hes_deviation() -> None:
    last = network().body[-1]
    he = math.sqrt(2 / (1 + 0.25**2) / (9 * 64))
    assert last.weight.std().item() == pytest.approx(0.01 * he, rel=0.05)
    assert not last.bias.any()


def test_nothing_is_clamped() -> None:
    compact = network(width=4, convs=0)
    lr = torch.full((1, 3, 4, 4), 1.3, requires_grad=True)
    sr = compact(lr)
    sr.sum().backward()
    assert sr.max() > 1.2
    assert (lr.grad > 0).all()


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_any_size_comes_out_scale_times_as_large(scale: int) -> None:
    compact = network(scale=scale, width=4, convs=1)
    assert compact(noise(1, 3, 1, 5)).shape == (1, 3, scale, 5 * scale)


def test_under_autocast_the_answer_is_float32_and_close() -> None:
    compact, lr = network(skip="bicubic"), noise(1, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = compact(lr)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, compact(lr), atol=1e-3, rtol=0)


def test_every_parameter_learns_from_the_first_step() -> None:
    compact = network(width=8, convs=3)
    compact(noise(1, 3, 8, 8)).square().sum().backward()
    assert all(parameter.grad.any() for parameter in compact.parameters())


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"enlarges by one of \(1, 2, 3, 4\), not by 5"):
        network(scale=5)
