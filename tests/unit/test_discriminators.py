import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.discriminators import VGGDiscriminator, VGGDiscriminatorSettings


def network(hr_patch: int = 32, **settings) -> VGGDiscriminator:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return VGGDiscriminator(
            VGGDiscriminatorSettings(**{"width": 8, "dense": 10, **settings}), hr_patch
        )


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def sigmas(discriminator: nn.Module) -> list[float]:
    """The true spectral norms of the weights in use, which spectral norm promises to be 1."""
    layers = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in layers]


@pytest.mark.parametrize("layout", ["srgan", "basicsr"])
def test_layers_and_slopes_are_those_of_the_layout(layout: str) -> None:
    discriminator, hr = network(layout=layout), noise(2, 3, 32, 32)
    w = {key: value * 1.0 for key, value in discriminator.state_dict().items()}
    discriminator.eval()  # fresh running statistics: batch norm divides by sqrt(1 + 1e-5)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    x = hr
    for level in range({"srgan": 4, "basicsr": 3}[layout]):
        for half in range(2):
            name = f"conv{level}_{half}"
            x = F.conv2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), 1 + half, padding=1)
            x = leaky(x if name == "conv0_0" else x / (1 + 1e-5) ** 0.5)
    x = leaky(F.linear(x.flatten(1), w["linear1.weight"], w["linear1.bias"]))
    x = F.linear(x, w["linear2.weight"], w["linear2.bias"])
    torch.testing.assert_close(discriminator(hr), x, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("hr_patch", "side"), [(16, 4), (32, 4), (48, 6), (64, 4), (80, 5), (96, 6), (112, 7), (144, 4)]
)
def test_levels_leave_a_map_of_four_to_seven_pixels(hr_patch: int, side: int) -> None:
    discriminator = network(hr_patch, width=4)
    channels = discriminator.get_submodule(f"conv{discriminator.levels - 1}_1").out_channels
    assert discriminator.linear1.in_features == channels * side**2
    assert discriminator(noise(2, 3, hr_patch, hr_patch)).shape == (2, 1)


@pytest.mark.parametrize("hr_patch", [16, 40, 96])
def test_the_layout_of_srgan_ends_at_a_sixteenth_of_any_patch(hr_patch: int) -> None:
    discriminator = network(hr_patch, layout="srgan")
    assert discriminator.linear1.in_features == 64 * math.ceil(hr_patch / 16) ** 2
    assert discriminator(noise(2, 3, hr_patch, hr_patch)).shape == (2, 1)


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_the_answer_is_a_logit(norm: str) -> None:
    # With a sigmoid at the end no bias could carry it beyond 1.
    discriminator = network(norm=norm)
    discriminator.linear2.bias.data.fill_(-8.0)
    assert discriminator(noise(2, 3, 32, 32)).max() < -6
    assert not any(isinstance(module, nn.Sigmoid) for module in discriminator.modules())


def test_batch_norm_has_torchs_epsilon_and_is_not_on_the_first_convolution() -> None:
    norms = [m for m in network().modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 5
    assert {norm.eps for norm in norms} == {1e-5}


def test_spectral_norm_replaces_batch_norm_on_every_layer() -> None:
    discriminator = network(norm="spectral")
    assert not any(isinstance(module, nn.BatchNorm2d) for module in discriminator.modules())
    limited = {key.split(".")[0] for key in discriminator.state_dict() if key.endswith("_u")}
    assert limited == {f"conv{level}_{half}" for level in range(3) for half in range(2)} | {
        "linear1",
        "linear2",
    }


def test_a_fresh_spectral_norm_is_right_within_a_few_hundredths() -> None:
    # Without any iteration before the first use it would be off by a factor, here of 4 to 40.
    discriminator = network(64, norm="spectral", width=32, dense=100)
    assert sigmas(discriminator.eval()) == pytest.approx([1.0] * 10, abs=0.05)


def test_spectral_norm_comes_to_1_while_the_discriminator_is_used() -> None:
    discriminator, hr = network(norm="spectral"), noise(1, 3, 32, 32)
    with torch.no_grad():
        for _ in range(100):
            discriminator(hr)
    assert sigmas(discriminator.eval()) == pytest.approx([1.0] * 8, abs=0.01)


def test_judging_in_eval_mode_leaves_the_discriminator_as_it_was() -> None:
    for norm in ("batch", "spectral"):
        discriminator = network(norm=norm).eval()
        before = copy.deepcopy(discriminator.state_dict())
        discriminator(noise(2, 3, 32, 32))
        after = discriminator.state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before)


def test_saved_spectral_norm_gives_the_same_logits_and_goes_on_alike() -> None:
    first, hr = network(norm="spectral"), noise(2, 3, 32, 32)
    second = VGGDiscriminator(VGGDiscriminatorSettings(norm="spectral", width=8, dense=10), 32)
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        assert torch.equal(first(hr), second(hr))


def test_logits_are_float32_under_autocast() -> None:
    for norm in ("batch", "spectral"):
        discriminator, hr = network(norm=norm).eval(), noise(2, 3, 32, 32)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = discriminator(hr)
        assert mixed.dtype == torch.float32
        torch.testing.assert_close(mixed, discriminator(hr), atol=2e-2, rtol=0)


def test_a_patch_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="patches are 40x32, but this discriminator judges 32"):
        network()(noise(1, 3, 32, 40))


def test_a_patch_under_sixteen_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="hr_patch must be at least 16, not 12"):
        network(12)
