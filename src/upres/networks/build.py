"""Settings -> network, and what can be said of a network without training it."""

import copy
from fractions import Fraction
from math import ceil
from typing import Annotated, TypeAlias, assert_never

import torch
from pydantic import Field
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from upres.errors import BadSetting
from upres.networks import compact, msrresnet, rrdbnet, srcnn, srresnet, unet_discriminator
from upres.networks.compact import Compact, CompactSettings
from upres.networks.discriminators import (
    SMALLEST_PATCH,
    VGGDiscriminator,
    VGGDiscriminatorSettings,
)
from upres.networks.features import FeatureNetwork, layer_stride
from upres.networks.msrresnet import MSRResNet, MSRResNetSettings
from upres.networks.rrdbnet import RRDBNet, RRDBNetSettings
from upres.networks.skip import SKIP_RADIUS
from upres.networks.srcnn import SRCNN, SRCNNSettings
from upres.networks.srresnet import SRResNet, SRResNetSettings
from upres.networks.trunk_discriminator import (
    LEAST_MAP,
    TrunkDiscriminator,
    TrunkDiscriminatorSettings,
)
from upres.networks.unet_discriminator import UNetDiscriminator, UNetDiscriminatorSettings

GeneratorSettings: TypeAlias = Annotated[
    SRCNNSettings | SRResNetSettings | MSRResNetSettings | RRDBNetSettings | CompactSettings,
    Field(discriminator="kind"),
]
DiscriminatorSettings: TypeAlias = Annotated[
    VGGDiscriminatorSettings | UNetDiscriminatorSettings | TrunkDiscriminatorSettings,
    Field(discriminator="kind"),
]


def build_generator(settings: GeneratorSettings, scale: int, *, seed: int) -> nn.Module:
    """Return a generator whose weights depend on `seed` alone; other draws are undisturbed.

    Its `forward` takes LR (n 3 h w), RGB 0..1, and returns (n 3 h*scale w*scale), not clamped.
    Raises BadSetting for a scale that the network does not have.
    """
    if scale not in supported_scales(settings):
        raise BadSetting(
            f"scale: {settings.kind} cannot enlarge by {scale}; "
            f"choose one of {', '.join(map(str, supported_scales(settings)))}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # unlike torch.manual_seed, the CPU's only
        match settings:
            case SRCNNSettings():
                return SRCNN(settings, scale)
            case SRResNetSettings():
                return SRResNet(settings, scale)
            case MSRResNetSettings():
                return MSRResNet(settings, scale)
            case RRDBNetSettings():
                return RRDBNet(settings, scale)
            case CompactSettings():
                return Compact(settings, scale)
            case _:
                assert_never(settings)


def build_discriminator(
    settings: DiscriminatorSettings,
    hr_patch: int,
    *,
    seed: int,
    trunk: FeatureNetwork | None = None,
) -> nn.Module:
    """Return a discriminator for patches of side `hr_patch`; weights depend on `seed` alone.

    Its `forward` takes pictures (n 3 hr_patch hr_patch), RGB 0..1, and returns logits: (n 1), or
    for kind "unet" one a pixel, (n 1 hr_patch hr_patch).
    trunk: the pretrained network that kind "trunk" looks through; without one it looks through
        random weights. Other kinds do not look at it.
    Raises ValueError for a patch that does not fit `least_patch` and `least_patch_multiple`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        match settings:
            case VGGDiscriminatorSettings():
                return VGGDiscriminator(settings, hr_patch)
            case UNetDiscriminatorSettings():
                if hr_patch % unet_discriminator.MULTIPLE:
                    raise ValueError(
                        f"hr_patch must be a multiple of {unet_discriminator.MULTIPLE}, "
                        f"not {hr_patch}"
                    )
                return UNetDiscriminator(settings)
            case TrunkDiscriminatorSettings():
                return TrunkDiscriminator(settings, hr_patch, trunk)
            case _:
                assert_never(settings)


def least_patch_multiple(settings: DiscriminatorSettings) -> int:
    """Return what the side of a discriminator's patches must be a multiple of, in pixels.

    The VGG style can be built for other sides, but would not see their last rows and columns.
    """
    match settings:
        case VGGDiscriminatorSettings():
            return SMALLEST_PATCH
        case UNetDiscriminatorSettings():
            return unet_discriminator.MULTIPLE
        case TrunkDiscriminatorSettings():
            return layer_stride(settings.network, settings.layer)
        case _:
            assert_never(settings)


def least_patch(settings: DiscriminatorSettings) -> int:
    """Return the smallest side of the patches that a discriminator can judge, in pixels."""
    smallest = least_patch_multiple(settings)
    return LEAST_MAP * smallest if isinstance(settings, TrunkDiscriminatorSettings) else smallest


def has_batch_norm(settings: GeneratorSettings | DiscriminatorSettings) -> bool:
    """Return whether a picture's result in training depends on the other pictures of its batch.

    Such a network cannot learn from a large batch in several small ones as if from one.
    """
    match settings:
        case SRResNetSettings():
            return True
        case RRDBNetSettings():
            return settings.batch_norm != "none"
        case VGGDiscriminatorSettings():
            return settings.norm == "batch"
        case SRCNNSettings() | MSRResNetSettings() | CompactSettings():
            return False
        case UNetDiscriminatorSettings() | TrunkDiscriminatorSettings():
            return False
        case _:
            assert_never(settings)


def supported_scales(settings: GeneratorSettings) -> tuple[int, ...]:
    """Return the scales that a network with these settings can be built for."""
    match settings:
        case SRCNNSettings():
            return srcnn.SCALES
        case SRResNetSettings():
            return tuple(srresnet.STAGES)
        case MSRResNetSettings():
            return tuple(msrresnet.STAGES)
        case RRDBNetSettings():
            return tuple(rrdbnet.STAGES[settings.upsampling])
        case CompactSettings():
            return compact.SCALES
        case _:
            assert_never(settings)


def receptive_radius(settings: GeneratorSettings, scale: int) -> int:
    """Return how far, in LR pixels, an output pixel looks around its place, rounded up.

    A tile with this much picture around it gives exactly the whole picture's values. Where the
    network unshuffles (RRDBNet x2 and x1) tiles must also begin at a multiple of the factor.
    """
    match settings:
        case SRCNNSettings():
            hr_radius = 4 + settings.middle // 2 + 2
            radius = Fraction(hr_radius, scale) + SKIP_RADIUS["bicubic"]
        case SRResNetSettings():
            stages = srresnet.STAGES[scale]
            radius = 4 + 2 * settings.blocks + 1 + _shuffle_radius(stages) + Fraction(4, scale)
        case MSRResNetSettings():
            stages = msrresnet.STAGES[scale]
            radius = 1 + 2 * settings.blocks + _shuffle_radius(stages) + Fraction(2, scale)
        case RRDBNetSettings():
            radius = _rrdbnet_radius(settings, scale)
        case CompactSettings():
            radius = Fraction(settings.convs + 2)
        case _:
            assert_never(settings)
    return max(ceil(radius), SKIP_RADIUS[settings.skip])


def _rrdbnet_radius(settings: RRDBNetSettings, scale: int) -> Fraction:
    stages = rrdbnet.STAGES[settings.upsampling][scale]
    unshuffle = rrdbnet.UNSHUFFLE[settings.upsampling].get(scale, 1)
    body = 1 + 15 * settings.blocks + 1
    if settings.upsampling == "pixelshuffle":
        up = _shuffle_radius(stages)
    else:
        up = _nearest_radius(stages)
    # After unshuffling, a pixel of the body is a square of LR pixels: its far corner counts.
    return unshuffle * (body + up) + Fraction(2, scale) + (unshuffle - 1)


def _shuffle_radius(stages: tuple[int, ...]) -> Fraction:
    """Radius of 3x3 convolutions each of which enlarges what the next one sees."""
    radius, size = Fraction(0), 1
    for factor in stages:
        radius += Fraction(1, size)
        size *= factor
    return radius


def _nearest_radius(stages: tuple[int, ...]) -> Fraction:
    """Radius of 3x3 convolutions that see what was enlarged before them."""
    radius, size = Fraction(0), 1
    for factor in stages:
        size *= factor
        radius += Fraction(1, size)
    return radius


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable values."""
    return sum(parameter.numel() for parameter in module.parameters())


def flops_per_lr_pixel(network: nn.Module, *, channels: int = 3) -> float:
    """Return the floating-point operations of a generator per LR pixel.

    A multiplication with its addition counts as two. Only convolutions and matrix products are
    counted, in a copy that looks at a few pixels. `channels` is what the network takes: 3 but for
    SRCNN on luma.
    """
    side = 4  # every network's work is in proportion to the area; 4 is the largest unshuffle
    looker = copy.deepcopy(network).to("cpu", torch.float32).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        looker(torch.zeros(1, channels, side, side))
    return float(counter.get_total_flops() / side**2)
