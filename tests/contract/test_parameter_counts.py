"""Sizes of the published networks: a wrong layer, bias or growth changes at least one of them.

The numbers are those of the public implementations (BasicSR, Real-ESRGAN, torchvision) and, where
a paper prints one, the paper's.
"""

import pytest
import torch
from torch import nn

from upres.networks.build import (
    DiscriminatorSettings,
    GeneratorSettings,
    build_discriminator,
    build_generator,
    count_parameters,
)
from upres.networks.compact import CompactSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.features import FeatureNetwork, FeatureNetworkName
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.networks.srresnet import SRResNetSettings


def generator(settings: GeneratorSettings, scale: int = 4) -> nn.Module:
    with torch.device("meta"):  # sizes without values: quick
        return build_generator(settings, scale, seed=0)


@pytest.mark.parametrize(
    ("settings", "scale", "count"),
    [
        (SRCNNSettings(middle=1, channels=1), 4, 8_129),
        (SRCNNSettings(middle=1, channels=3), 4, 20_099),
        (SRCNNSettings(middle=3, channels=1), 4, 24_513),
        (SRCNNSettings(middle=3, channels=3), 4, 36_483),
        (SRCNNSettings(middle=5, channels=1), 4, 57_281),
        (SRCNNSettings(middle=5, channels=3), 4, 69_251),
        (SRResNetSettings(), 4, 1_549_462),
        (SRResNetSettings(), 2, 1_401_749),
        (SRResNetSettings(), 8, 1_697_175),
        (SRResNetSettings(blocks=8), 4, 956_558),
        (SRResNetSettings(conv_bias=False), 4, 1_547_350),
        (SRResNetSettings(conv_bias=False), 2, 1_399_637),
        (SRResNetSettings(conv_bias=False), 8, 1_695_063),
        (SRResNetSettings(conv_bias=False, blocks=8), 4, 955_470),
        (MSRResNetSettings(), 4, 1_517_571),
        (MSRResNetSettings(), 3, 1_554_499),
        (MSRResNetSettings(), 2, 1_369_859),
        (RRDBNetSettings(), 4, 16_697_987),
        (RRDBNetSettings(), 2, 16_703_171),
        (RRDBNetSettings(), 1, 16_723_907),
        (RRDBNetSettings(), 8, 16_734_915),
        (RRDBNetSettings(blocks=16), 4, 11_662_019),
        (RRDBNetSettings(blocks=12), 4, 8_784_323),
        (RRDBNetSettings(blocks=6), 4, 4_467_779),
        (RRDBNetSettings(blocks=16, width=32, growth=16), 4, 2_918_755),
        (RRDBNetSettings(upsampling="pixelshuffle"), 4, 16_919_555),
        (RRDBNetSettings(batch_norm="conv"), 4, 16_697_987 + 26_496),
        (RRDBNetSettings(batch_norm="block"), 4, 16_697_987 + 2_944),
        (CompactSettings(convs=32), 4, 1_213_296),
        (CompactSettings(convs=32), 2, 1_192_524),
        (CompactSettings(convs=32), 1, 1_187_331),
        (CompactSettings(convs=16), 4, 621_424),
        (CompactSettings(convs=16), 2, 600_652),
        (CompactSettings(convs=16), 1, 595_459),
    ],
)
def test_generators_have_the_published_number_of_parameters(
    settings: GeneratorSettings, scale: int, count: int
) -> None:
    assert count_parameters(generator(settings, scale)) == count


def test_one_more_block_of_rrdbnet_is_719424_parameters() -> None:
    one, two = (generator(RRDBNetSettings(blocks=blocks)) for blocks in (1, 2))
    assert count_parameters(two) - count_parameters(one) == 719_424


@pytest.mark.parametrize(
    ("settings", "tensors"),
    [
        (RRDBNetSettings(), 702),
        (RRDBNetSettings(blocks=6), 192),
        (MSRResNetSettings(), 74),
        (CompactSettings(convs=32), 101),
        (CompactSettings(convs=16), 53),
    ],
)
def test_files_of_generators_have_the_published_number_of_tensors(
    settings: GeneratorSettings, tensors: int
) -> None:
    assert len(generator(settings).state_dict()) == tensors


def test_batch_norm_of_srresnet_keeps_4257_running_values() -> None:
    assert sum(b.numel() for b in generator(SRResNetSettings()).buffers()) == 4_257


@pytest.mark.parametrize(
    ("settings", "hr_patch", "count"),
    [
        (VGGDiscriminatorSettings(layout="srgan", dense=1024, conv_bias=True), 96, 23_565_505),
        (VGGDiscriminatorSettings(layout="srgan", dense=1024, conv_bias=True), 128, 38_245_569),
        (VGGDiscriminatorSettings(layout="srgan", dense=1024, conv_bias=True), 256, 138_908_865),
        (VGGDiscriminatorSettings(layout="srgan", dense=1024), 96, 23_563_649),
        (VGGDiscriminatorSettings(layout="srgan", dense=1024), 128, 38_243_713),
        (VGGDiscriminatorSettings(layout="srgan", dense=1024), 256, 138_907_009),
        (VGGDiscriminatorSettings(), 128, 14_499_401),
        (VGGDiscriminatorSettings(), 256, 21_055_049),
        (VGGDiscriminatorSettings(norm="spectral"), 128, 14_496_521),
    ],
)
def test_discriminators_have_the_published_number_of_parameters(
    settings: DiscriminatorSettings, hr_patch: int, count: int
) -> None:
    with torch.device("meta"):
        assert count_parameters(build_discriminator(settings, hr_patch, seed=0)) == count


@pytest.mark.parametrize(
    ("name", "deepest", "count"),
    [
        ("vgg19", "conv5_4", 20_024_384),  # torchvision's 143,667,240 less its dense layers
        ("vgg16", "conv5_3", 14_714_688),
        ("alexnet", "conv5", 2_469_696),
    ],
)
def test_feature_networks_have_the_published_number_of_parameters(
    name: FeatureNetworkName, deepest: str, count: int
) -> None:
    assert count_parameters(FeatureNetwork(name, (deepest,))) == count


@pytest.mark.parametrize(
    ("settings", "scale", "keys"),
    [
        (
            RRDBNetSettings(blocks=1),
            4,
            {"conv_first", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"}
            | {f"body.0.rdb{dense}.conv{conv}" for dense in (1, 2, 3) for conv in range(1, 6)},
        ),
        (
            MSRResNetSettings(blocks=1),
            4,
            {"conv_first", "body.0.conv1", "body.0.conv2"}
            | {"upconv1", "upconv2", "conv_hr", "conv_last"},
        ),
        (
            MSRResNetSettings(blocks=1),
            3,
            {"conv_first", "body.0.conv1", "body.0.conv2", "upconv1", "conv_hr", "conv_last"},
        ),
        (CompactSettings(convs=1), 4, {f"body.{index}" for index in range(5)}),
        (SRCNNSettings(), 4, {"conv1", "conv2", "conv3"}),
    ],
)
def test_generators_use_the_public_key_names(
    settings: GeneratorSettings, scale: int, keys: set[str]
) -> None:
    found = {key.rpartition(".")[0] for key in generator(settings, scale).state_dict()}
    assert found == keys


def test_the_discriminator_uses_the_key_names_of_basicsr() -> None:
    keys = build_discriminator(VGGDiscriminatorSettings(width=8), 128, seed=0).state_dict()
    convs = {f"conv{level}_{half}" for level in range(5) for half in range(2)}
    norms = {name.replace("conv", "bn") for name in convs} - {"bn0_0"}
    assert {key.split(".")[0] for key in keys} == convs | norms | {"linear1", "linear2"}
    assert [key for key in keys if key.startswith("conv") and key.endswith("bias")] == [
        "conv0_0.bias"
    ]
