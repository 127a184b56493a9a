import pytest
import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn

from upres.errors import BadSetting
from upres.networks.build import (
    DiscriminatorSettings,
    GeneratorSettings,
    build_discriminator,
    build_generator,
    count_parameters,
    flops_per_lr_pixel,
    has_batch_norm,
    least_patch,
    least_patch_multiple,
    receptive_radius,
    supported_scales,
)
from upres.networks.compact import CompactSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.features import FeatureNetwork
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.networks.srresnet import SRResNetSettings
from upres.networks.trunk_discriminator import TrunkDiscriminatorSettings
from upres.networks.unet_discriminator import UNetDiscriminatorSettings

SMALL: list[GeneratorSettings] = [
    SRCNNSettings(init="he"),
    SRResNetSettings(blocks=1, width=4),
    MSRResNetSettings(blocks=1, width=4),
    RRDBNetSettings(blocks=1, width=4, growth=2),
    RRDBNetSettings(blocks=1, width=4, growth=2, upsampling="pixelshuffle"),
    CompactSettings(convs=1, width=4),
    CompactSettings(convs=0, width=4, skip="bicubic"),
]

JUDGES: list[DiscriminatorSettings] = [
    VGGDiscriminatorSettings(width=4, norm="spectral"),
    UNetDiscriminatorSettings(width=4),
    TrunkDiscriminatorSettings(layer="conv2_1", width=4, dense=5),
]


class Holder(BaseModel, frozen=True, extra="forbid"):
    generator: GeneratorSettings


class JudgeHolder(BaseModel, frozen=True, extra="forbid"):
    discriminator: DiscriminatorSettings


def weights(network: nn.Module) -> Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


@pytest.mark.parametrize("settings", SMALL)
def test_weights_depend_on_the_seed_alone(settings: GeneratorSettings) -> None:
    torch.rand(3)
    first = weights(build_generator(settings, 2, seed=1))
    torch.rand(5)
    assert torch.equal(weights(build_generator(settings, 2, seed=1)), first)
    assert not torch.equal(weights(build_generator(settings, 2, seed=2)), first)


def test_building_disturbs_nobody_elses_draws() -> None:
    torch.manual_seed(0)
    expected = torch.rand(4)
    torch.manual_seed(0)
    build_generator(SMALL[-1], 4, seed=1)
    build_discriminator(VGGDiscriminatorSettings(width=4), 16, seed=1)
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("settings", JUDGES)
def test_a_discriminators_weights_depend_on_the_seed_alone(settings: DiscriminatorSettings) -> None:
    first, again, other = (
        weights(build_discriminator(settings, 16, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("settings", JUDGES)
def test_discriminators_are_recognised_by_their_kind(settings: DiscriminatorSettings) -> None:
    fields = {"discriminator": settings.model_dump(mode="json")}
    assert JudgeHolder.model_validate(fields).discriminator == settings


@pytest.mark.parametrize("settings", JUDGES)
def test_discriminators_judge_their_least_patch_and_its_next_multiple(
    settings: DiscriminatorSettings,
) -> None:
    for side in (least_patch(settings), least_patch(settings) + least_patch_multiple(settings)):
        logits = build_discriminator(settings, side, seed=0)(torch.rand(2, 3, side, side))
        map_of_logits = isinstance(settings, UNetDiscriminatorSettings)
        assert logits.shape == ((2, 1, side, side) if map_of_logits else (2, 1))


def test_the_least_patches_are_those_of_the_networks() -> None:
    assert [(least_patch(s), least_patch_multiple(s)) for s in JUDGES] == [(16, 16), (8, 8), (8, 2)]
    assert least_patch(TrunkDiscriminatorSettings()) == 64  # conv5_4: a position every 16 pixels
    assert least_patch_multiple(TrunkDiscriminatorSettings()) == 16


def test_a_patch_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="hr_patch must be a multiple of 8, not 20"):
        build_discriminator(UNetDiscriminatorSettings(width=4), 20, seed=0)


def test_the_given_trunk_is_looked_through() -> None:
    trunk = FeatureNetwork("vgg19", ("conv2_1",))
    assert build_discriminator(JUDGES[2], 16, seed=0, trunk=trunk).trunk is trunk


@pytest.mark.parametrize(
    "settings",
    [
        *SMALL,
        *JUDGES,
        RRDBNetSettings(blocks=1, width=4, growth=2, batch_norm="block"),
        RRDBNetSettings(blocks=1, width=4, growth=2, batch_norm="conv"),
        VGGDiscriminatorSettings(width=4, norm="batch"),
    ],
)
def test_batch_norm_is_reported_where_there_is_one(
    settings: GeneratorSettings | DiscriminatorSettings,
) -> None:
    if isinstance(settings, tuple(type(judge) for judge in JUDGES)):
        network = build_discriminator(settings, 16, seed=0)
    else:
        network = build_generator(settings, 4, seed=0)
    found = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert has_batch_norm(settings) == found


@pytest.mark.parametrize("settings", SMALL)
def test_every_supported_scale_is_built_and_another_is_refused_with_the_choices(
    settings: GeneratorSettings,
) -> None:
    scales = supported_scales(settings)
    for scale in scales:
        network = build_generator(settings, scale, seed=0).eval()
        assert network(torch.rand(1, 3, 4, 5)).shape == (1, 3, 4 * scale, 5 * scale)
    with pytest.raises(BadSetting) as refused:
        build_generator(settings, 5, seed=0)
    choices = ", ".join(map(str, scales))
    assert str(refused.value) == (
        f"scale: {settings.kind} cannot enlarge by 5; choose one of {choices}."
    )


@pytest.mark.parametrize("settings", SMALL)
def test_settings_are_recognised_by_their_kind(settings: GeneratorSettings) -> None:
    assert Holder.model_validate({"generator": settings.model_dump()}).generator == settings


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"generator\.rrdbnet\.bloks"):
        Holder.model_validate({"generator": {"kind": "rrdbnet", "bloks": 2}})


def reach(settings: GeneratorSettings, scale: int) -> int:
    """How far in LR pixels a change of one of them is seen, found by changing pixels."""
    network = build_generator(settings, scale, seed=0).eval().double()
    for parameter in network.parameters():
        parameter.data.fill_(0.2)  # nothing cancels out, is cut off by a ReLU or is lost in sums
    middle = 4 * (receptive_radius(settings, scale) // 4 + 2)
    lr = torch.rand(1, 3, 2 * middle, 4, dtype=torch.float64)
    plain, found = network(lr), 0
    for at in range(middle, middle + 4):  # each place within an unshuffled square
        changed = lr.clone()
        changed[..., at, :] += 0.5
        rows = (network(changed) - plain).abs().amax(dim=(0, 1, 3)).nonzero().flatten() // scale
        found = max(found, at - int(rows.min()), int(rows.max()) - at)
    return found


@pytest.mark.parametrize("settings", SMALL)
def test_the_receptive_radius_covers_what_a_pixel_can_reach_and_little_more(
    settings: GeneratorSettings,
) -> None:
    for scale in supported_scales(settings):
        radius = receptive_radius(settings, scale)
        assert 0 <= radius - reach(settings, scale) <= max(1, 4 // scale)


def test_parameters_are_counted_by_hand() -> None:
    assert count_parameters(nn.Conv2d(3, 5, 3)) == 3 * 5 * 9 + 5


def test_flops_are_two_for_each_weight_and_position() -> None:
    # Compact works at LR size: each weight of its convolutions once a pixel.
    compact = build_generator(CompactSettings(), 4, seed=0)
    convolution_weights = 9 * (3 * 64 + 16 * 64 * 64 + 64 * 48)
    assert flops_per_lr_pixel(compact) == 2 * convolution_weights
    # SRCNN works at HR size: 57,184 weights without biases, 16 HR pixels an LR pixel.
    srcnn = build_generator(SRCNNSettings(channels=1), 4, seed=0)
    assert flops_per_lr_pixel(srcnn, channels=1) == 2 * 57_184 * 16


def test_counting_flops_leaves_the_network_as_it_was() -> None:
    network = build_generator(SRResNetSettings(blocks=1, width=4), 4, seed=0)
    flops_per_lr_pixel(network)
    assert network.training
    assert network.bn_body.num_batches_tracked == 0
