import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.msrresnet import MSRResNet, MSRResNetSettings


def network(scale: int = 4, blocks: int = 2, width: int = 6) -> MSRResNet:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return MSRResNet(MSRResNetSettings(blocks=blocks, width=width), scale)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("scale", "shuffles"), [(2, (2,)), (3, (3,)), (4, (2, 2))])
def test_layers_are_those_of_basicsr(scale: int, shuffles: tuple[int, ...]) -> None:
    msrresnet, lr = network(scale), noise(2, 3, 5, 6)
    w = {key: value * 10 + 0.01 for key, value in msrresnet.state_dict().items()}
    msrresnet.load_state_dict(w)

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.1 * x)

    x = leaky(conv("conv_first", lr))
    for block in range(2):
        x = x + conv(f"body.{block}.conv2", conv(f"body.{block}.conv1", x).clamp(min=0))
    for number, factor in enumerate(shuffles, start=1):
        x = leaky(F.pixel_shuffle(conv(f"upconv{number}", x), factor))
    x = conv("conv_last", leaky(conv("conv_hr", x)))
    bilinear = F.interpolate(lr, scale_factor=scale, mode="bilinear", align_corners=False)
    torch.testing.assert_close(msrresnet(lr), x + bilinear, rtol=1e-4, atol=1e-4)


def test_every_convolution_starts_at_a_tenth_of_hes_deviation() -> None:
    for conv in network(blocks=1, width=64).modules():
        if isinstance(conv, nn.Conv2d):
            expected = 0.1 * math.sqrt(2 / (9 * conv.in_channels))
            assert conv.weight.std().item() == pytest.approx(expected, rel=0.06)
            assert not conv.bias.any()


def test_under_autocast_the_answer_is_float32() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert network()(noise(1, 3, 1, 3)).dtype == torch.float32


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"enlarges by one of \(2, 3, 4\), not by 8"):
        network(8)
