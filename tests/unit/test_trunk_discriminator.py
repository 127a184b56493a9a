"""A head that learns on a VGG that does not, and that no save carries."""

import copy

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from upres.networks.features import FeatureNetwork
from upres.networks.trunk_discriminator import TrunkDiscriminator, TrunkDiscriminatorSettings

SMALL = TrunkDiscriminatorSettings(layer="conv2_1", width=8, dense=10)


def network(hr_patch: int = 16, settings: TrunkDiscriminatorSettings = SMALL) -> TrunkDiscriminator:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return TrunkDiscriminator(settings, hr_patch, lively(settings.layer))


def lively(layer: str) -> FeatureNetwork:
    """A trunk whose maps do not fade: torch's own start makes each smaller than the last."""
    trunk = FeatureNetwork("vgg19", (layer,))
    for module in trunk.features:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return trunk


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_neither_its_state_nor_its_parameters_have_the_trunk() -> None:
    discriminator = network()
    layers = {"conv1", "conv2", "linear1", "linear2"}
    assert {key.split(".")[0] for key in discriminator.state_dict()} == layers
    assert {key.split(".")[0] for key, _ in discriminator.named_parameters()} == layers
    # by hand: conv1 128->8, conv2 8->8, linear1 8x4x4... of a 16 patch at half size, halved again
    expected = (128 * 8 * 9 + 8) + (8 * 8 * 16 + 8) + (8 * 16 * 10 + 10) + (10 + 1)
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == expected


def test_the_defaults_are_vgg19_to_its_last_convolution_and_a_head_for_8x8_maps() -> None:
    with torch.device("meta"):
        full = TrunkDiscriminator(TrunkDiscriminatorSettings(), 128)
    assert full.trunk.layers == ("conv5_4",)
    assert sum(p.numel() for p in full.trunk.parameters()) == 20_024_384  # all its convolutions
    assert full.linear1.in_features == 256 * 4 * 4


def test_the_head_works_on_the_trunks_features() -> None:
    discriminator, hr = network().eval(), noise(2, 3, 16, 16)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    x = discriminator.trunk(hr)["conv2_1"]
    assert x.min() < 0  # before the ReLU
    for name, stride in (("conv1", 1), ("conv2", 2)):
        layer = discriminator.get_submodule(name)
        x = leaky(F.conv2d(x, layer.weight, layer.bias, stride, padding=1))
    x = leaky(F.linear(x.flatten(1), discriminator.linear1.weight, discriminator.linear1.bias))
    x = F.linear(x, discriminator.linear2.weight, discriminator.linear2.bias)
    torch.testing.assert_close(discriminator(hr), x)
    assert x.shape == (2, 1)


def test_every_layer_of_the_head_has_spectral_norm() -> None:
    discriminator = network().eval()
    for name in ("conv1", "conv2", "linear1", "linear2"):
        weight = discriminator.get_submodule(name).weight.flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.05)


def test_gradients_reach_the_picture_and_not_the_trunk() -> None:
    discriminator, hr = network(), noise(2, 3, 16, 16).requires_grad_()
    discriminator(hr).sum().backward()
    assert hr.grad is not None and hr.grad.flatten(1).any(dim=1).all()
    assert all(parameter.grad is None for parameter in discriminator.trunk.parameters())
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def test_freezing_and_freeing_the_discriminator_leaves_the_trunk_frozen() -> None:
    discriminator = network().requires_grad_(False).requires_grad_(True).train()
    assert not any(parameter.requires_grad for parameter in discriminator.trunk.parameters())
    assert not discriminator.trunk.training


def test_the_trunk_follows_device_type_and_memory_format() -> None:
    discriminator = network()
    discriminator.to(memory_format=torch.channels_last)
    kernel = discriminator.trunk.features[2].weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    discriminator.double()
    assert discriminator.trunk.features[0].weight.dtype == torch.float64
    assert discriminator(noise(1, 3, 16, 16).double()).dtype == torch.float32
    discriminator.to("meta")
    assert discriminator.trunk.features[0].weight.device.type == "meta"


def test_a_copy_has_a_trunk_of_its_own_with_the_same_weights() -> None:
    first = network().eval()
    second = copy.deepcopy(first)
    assert torch.equal(first(noise(1, 3, 16, 16)), second(noise(1, 3, 16, 16)))
    second.double()
    assert first.trunk.features[0].weight.dtype == torch.float32


def test_saved_weights_give_the_same_logits() -> None:
    first, hr = network().eval(), noise(2, 3, 16, 16)
    second = TrunkDiscriminator(SMALL, 16, first.trunk).eval()
    assert not torch.equal(second(hr), first(hr))
    second.load_state_dict(first.state_dict())
    assert torch.equal(second(hr), first(hr))


def test_logits_and_features_are_float32_under_autocast() -> None:
    discriminator, hr = network().eval(), noise(2, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        assert discriminator.trunk(hr)["conv2_1"].dtype == torch.float32
        mixed = discriminator(hr)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, discriminator(hr), atol=2e-2, rtol=2e-2)


def test_a_trunk_in_half_precision_is_listened_to() -> None:
    discriminator, hr = network().eval(), noise(2, 3, 16, 16)
    exact = discriminator(hr)
    discriminator.trunk.to(torch.bfloat16)
    torch.testing.assert_close(discriminator(hr), exact, atol=5e-2, rtol=5e-2)


def test_a_layer_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValidationError, match=r"vgg16 has no layer 'conv5_4': use conv1_1, .*"):
        TrunkDiscriminatorSettings(network="vgg16")


def test_a_trunk_that_gives_other_layers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gives \('conv1_1',\), not conv2_1 alone"):
        TrunkDiscriminator(SMALL, 16, FeatureNetwork("vgg19", ("conv1_1",)))


def test_patches_that_leave_too_little_or_have_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="hr_patch must be at least 64 for conv5_4, not 48"):
        TrunkDiscriminator(TrunkDiscriminatorSettings(), 48)
    with pytest.raises(ValueError, match="patches are 24x16, but this discriminator judges 16"):
        network()(noise(1, 3, 16, 24))
