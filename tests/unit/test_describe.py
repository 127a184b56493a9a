"""Tables of networks: what is used, in its order, with shapes and counts worked by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from upres.networks.build import build_discriminator, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.describe import Layer, describe_network, without_repetition
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srresnet import SRResNetSettings
from upres.networks.trunk_discriminator import TrunkDiscriminatorSettings
from upres.networks.unet_discriminator import UNetDiscriminatorSettings


class Toy(nn.Module):
    """Its layers are used in another order than they are made in."""

    def __init__(self) -> None:
        super().__init__()
        self.last = spectral_norm(nn.Linear(4 * 4 * 6, 2))
        self.first = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.act = nn.PReLU()
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.first(x)))
        x = F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2)
        x = F.interpolate(F.interpolate(x, scale_factor=2), (4, 6), mode="bilinear")
        return self.last(x.flatten(1))


def test_layers_stand_in_the_order_of_their_use_with_what_comes_out() -> None:
    toy = Toy()
    found = describe_network(toy, 1, 8, 12)
    assert found.layers == (
        Layer("first", "conv 3x3, stride 2", (4, 4, 6), 4 * 9 + 4),
        Layer("norm", "batch norm", (4, 4, 6), 8),
        Layer("act", "PReLU", (4, 4, 6), 1),
        Layer("", "pixel shuffle x2", (1, 8, 12), 0),
        Layer("", "pixel unshuffle /2", (4, 4, 6), 0),
        Layer("", "nearest x2", (4, 8, 12), 0),
        Layer("", "bilinear resize", (4, 4, 6), 0),
        Layer("last", "dense, spectral norm", (2,), 96 * 2 + 2),
    )
    assert (found.input, found.output) == ((1, 8, 12), (2,))
    assert found.parameters == 40 + 8 + 1 + 194
    assert found.flops == 2 * (4 * 9 * 24) + 2 * (96 * 2)


def test_the_network_is_left_as_it_was() -> None:
    toy = Toy()
    before = {key: value.clone() for key, value in toy.state_dict().items()}
    describe_network(toy, 1, 8, 12)
    assert toy.training
    assert not any(module._forward_hooks for module in toy.modules())
    assert all(torch.equal(before[key], value) for key, value in toy.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "inside"),
    [
        (RRDBNetSettings(blocks=3, width=4, growth=2), 3 * 15),
        (SRResNetSettings(blocks=3, width=4), 3 * 5),
    ],
)
def test_equal_blocks_are_told_once(settings, inside: int) -> None:
    network = build_generator(settings, 4, seed=0)
    full = describe_network(network, 3, 8, 8).layers
    short = without_repetition(full)
    assert len(full) - len(short) == inside * 2 // 3
    told = [layer for layer in short if layer.times > 1]
    assert {layer.times for layer in told} == {3}
    assert all(layer.name.startswith("body.*.") for layer in told)
    assert sum(layer.parameters * layer.times for layer in short) == sum(
        parameter.numel() for parameter in network.parameters()
    )


def test_blocks_that_differ_are_told_one_by_one() -> None:
    layers = [Layer("body.0.conv", "conv 3x3", (4, 8, 8), 9), Layer("head", "dense", (1,), 2)]
    other = Layer("body.1.conv", "conv 3x3", (8, 8, 8), 9)
    assert without_repetition([layers[0], other, layers[1]]) == (layers[0], other, layers[1])


def test_a_list_of_single_layers_stays_as_it_is() -> None:
    layers = describe_network(build_generator(CompactSettings(convs=2), 4, seed=0), 3, 8, 8).layers
    assert without_repetition(layers) == layers
    assert [layer.name for layer in layers if layer.name] == [f"body.{n}" for n in range(7)]


def test_a_unet_ends_at_the_size_of_its_picture() -> None:
    network = build_discriminator(UNetDiscriminatorSettings(), 64, seed=0)
    found = describe_network(network, 3, 64, 64)
    assert found.output == (1, 64, 64)
    shapes = {layer.name: layer.output for layer in found.layers if layer.name}
    assert shapes["conv3"] == (512, 8, 8)
    assert shapes["conv6"] == (64, 64, 64)
    assert [layer.kind for layer in found.layers].count("bilinear x2") == 3


def test_the_frozen_trunk_is_a_row_of_its_own_and_does_not_count_as_learning() -> None:
    settings = TrunkDiscriminatorSettings(layer="conv2_1", width=8, dense=10)
    found = describe_network(build_discriminator(settings, 16, seed=0), 3, 16, 16)
    # VGG19 to conv2_1: 3->64, 64->64, 64->128, 3x3 kernels with biases
    counted = (3 * 64 + 64 * 64 + 64 * 128) * 9 + 64 + 64 + 128
    assert found.layers[0] == Layer("trunk", "pretrained, to conv2_1", (128, 8, 8), counted, True)
    assert found.parameters == sum(layer.parameters for layer in found.layers[1:])
