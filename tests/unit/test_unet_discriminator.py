"""Real-ESRGAN's U-Net discriminator, against its published code's own words."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from upres.networks.unet_discriminator import UNetDiscriminator, UNetDiscriminatorSettings


def network(**settings) -> UNetDiscriminator:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return UNetDiscriminator(UNetDiscriminatorSettings(**{"width": 8, **settings}))


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_it_has_the_published_number_of_parameters_and_tensors() -> None:
    with torch.device("meta"):
        full = UNetDiscriminator(UNetDiscriminatorSettings())
    assert sum(parameter.numel() for parameter in full.parameters()) == 4_376_897
    assert len(full.state_dict()) == 28
    assert sum(buffer.numel() for buffer in full.buffers()) == 17_856


def test_layers_slopes_and_sums_are_those_of_real_esrgan() -> None:
    discriminator, hr = network(norm="none").eval(), noise(2, 3, 16, 24)
    w = discriminator.state_dict()

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    def twice(x: Tensor) -> Tensor:
        return F.interpolate(x, size=(2 * x.shape[-2], 2 * x.shape[-1]), mode="bilinear")

    down = [leaky(F.conv2d(hr, w["conv0.weight"], w["conv0.bias"], padding=1))]
    for number in (1, 2, 3):
        down.append(leaky(F.conv2d(down[-1], w[f"conv{number}.weight"], stride=2, padding=1)))
    x = down.pop()
    for number in (4, 5, 6):
        x = leaky(F.conv2d(twice(x), w[f"conv{number}.weight"], padding=1)) + down.pop()
    for number in (7, 8):
        x = leaky(F.conv2d(x, w[f"conv{number}.weight"], padding=1))
    expected = F.conv2d(x, w["conv9.weight"], w["conv9.bias"], padding=1)
    torch.testing.assert_close(discriminator(hr), expected)


def test_there_is_one_logit_a_pixel_and_no_sigmoid() -> None:
    discriminator = network()
    discriminator.conv9.bias.data.fill_(-8.0)
    logits = discriminator(noise(2, 3, 16, 24))
    assert logits.shape == (2, 1, 16, 24)
    assert logits.max() < -6


def test_spectral_norm_is_on_all_but_the_first_and_the_last_layer() -> None:
    limited = {key.split(".")[0] for key in network().state_dict() if key.endswith("_u")}
    assert limited == {f"conv{number}" for number in range(1, 9)}
    for number in range(1, 9):
        weight = network(width=16).eval().get_submodule(f"conv{number}").weight
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_the_gain_gives_back_what_spectral_norm_takes() -> None:
    hr = noise(4, 3, 32, 32)
    spread = [
        (network(width=16, spectral_gain=gain).eval()(hr)).std().item() for gain in (1.0, 1.8)
    ]
    assert spread[1] > 1.2 * spread[0]


def test_judging_in_eval_mode_leaves_the_discriminator_as_it_was() -> None:
    discriminator = network().eval()
    before = copy.deepcopy(discriminator.state_dict())
    discriminator(noise(1, 3, 16, 16))
    assert all(torch.equal(before[key], value) for key, value in discriminator.state_dict().items())


def test_saved_vectors_give_the_same_logits_and_go_on_alike() -> None:
    first, hr = network(), noise(1, 3, 16, 16)
    second = UNetDiscriminator(UNetDiscriminatorSettings(width=8))
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        assert torch.equal(first(hr), second(hr))


def test_logits_are_float32_under_autocast() -> None:
    discriminator, hr = network().eval(), noise(2, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = discriminator(hr)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, discriminator(hr), atol=2e-2, rtol=0)


def test_sides_that_are_no_multiples_of_eight_are_refused() -> None:
    with pytest.raises(ValueError, match="pictures are 20x16, but the U-Net needs multiples of 8"):
        network()(noise(1, 3, 16, 20))
