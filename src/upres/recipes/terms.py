"""The terms of a stage's loss: which distance, and how much it weighs."""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from upres.losses.adversarial import ADVERSARIAL_PAIRS, AdversarialForm
from upres.networks.features import FeatureNetworkName, layer_names
from upres.recipes.schedules import Scalar, is_zero, largest


def _refuse_unknown_layers(network: FeatureNetworkName, layers: Mapping[str, float]) -> None:
    known = layer_names(network)
    for layer in layers:
        if layer not in known:
            raise ValueError(f"{network} has no layer {layer!r}; it has {', '.join(known)}")


class PixelTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the pixels, both pictures in 0..1."""

    form: Literal["l1", "mse", "charbonnier"] = "l1"
    weight: Scalar = 1.0


class StructureTerm(BaseModel, frozen=True, extra="forbid"):
    """1 - SSIM, or 1 - MS-SSIM, of RGB pictures."""

    form: Literal["ssim", "ms-ssim"] = "ssim"
    weight: Scalar = 1.0


class GradientTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the pictures' gradients."""

    weight: Scalar = 1.0


class FrequencyTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the pictures' Fourier transforms."""

    weight: Scalar = 1.0


class VariationTerm(BaseModel, frozen=True, extra="forbid"):
    """Total variation of the generator's picture alone."""

    weight: Scalar = 1.0


class LPIPSTerm(BaseModel, frozen=True, extra="forbid"):
    """LPIPS 0.1; a model that learnt by it should not be judged by it."""

    trunk: Literal["alex", "vgg"] = "vgg"
    weight: Scalar = 1.0


class DISTSTerm(BaseModel, frozen=True, extra="forbid"):
    """DISTS; a model that learnt by it should not be judged by it."""

    weight: Scalar = 1.0


class ContentTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the features of a pretrained network."""

    weight: Scalar = 1.0
    network: FeatureNetworkName = "vgg19"
    layers: Mapping[str, float] = Field(default_factory=lambda: {"conv5_4": 1.0}, min_length=1)
    form: Literal["l1", "squared"] = "squared"
    # Both pictures lose 0 to jitter - 1 pixels at the top and left, drawn anew each step: else
    # the features' pooling grid always lies alike on the LR grid and leaves a pattern there.
    jitter: int = Field(1, ge=1)
    precision: Literal["float32", "bf16"] = "float32"

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        _refuse_unknown_layers(self.network, self.layers)
        return self


class StyleTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the Gram matrices of the content term's network, at layers of its own."""

    weight: Scalar = 1.0
    layers: Mapping[str, float] = Field(default_factory=lambda: {"conv5_4": 1.0}, min_length=1)


class AdversarialTerm(BaseModel, frozen=True, extra="forbid"):
    """What the discriminator says of the generator's pictures."""

    weight: Scalar = 0.005
    form: AdversarialForm = "non-saturating"
    label_smoothing: Scalar = 0.0  # the discriminator takes photos for 1 - this much real

    @model_validator(mode="after")
    def _smoothing_has_a_meaning(self) -> Self:
        if not is_zero(self.label_smoothing) and not ADVERSARIAL_PAIRS[self.form].smooths:
            raise ValueError(f"the {self.form} loss has no labels to smooth")
        if largest(self.label_smoothing) >= 1:
            raise ValueError(
                f"label_smoothing must stay below 1, not reach {largest(self.label_smoothing):g}"
            )
        return self


class PixelLosses(BaseModel, frozen=True, extra="forbid"):
    """What a generator learns by where there is no discriminator; terms without value are off."""

    pixel: PixelTerm = PixelTerm()
    structure: StructureTerm | None = None
    gradient: GradientTerm | None = None
    frequency: FrequencyTerm | None = None
    variation: VariationTerm | None = None
    lpips: LPIPSTerm | None = None
    dists: DISTSTerm | None = None


class GanLosses(PixelLosses, frozen=True, extra="forbid"):
    """What a generator learns by against a discriminator: these terms beside the pictures' own."""

    content: ContentTerm = ContentTerm()
    style: StyleTerm | None = None
    adversarial: AdversarialTerm = AdversarialTerm()

    @model_validator(mode="after")
    def _style_layers_exist(self) -> Self:
        if self.style is not None:
            _refuse_unknown_layers(self.content.network, self.style.layers)
        return self


def weights_of(losses: PixelLosses | GanLosses) -> Iterator[tuple[str, Scalar]]:
    """Yield the name and weight of every term that acts at some time, in the order of fields."""
    for name in type(losses).model_fields:
        term = getattr(losses, name)
        if term is not None and not is_zero(term.weight):
            yield name, term.weight


def feature_layers(losses: PixelLosses | GanLosses) -> tuple[str, ...]:
    """Return the layers of the content term's network that the terms need; none: no network."""
    acting = dict(weights_of(losses))
    layers: dict[str, None] = {}
    if isinstance(losses, GanLosses):
        if "content" in acting:
            layers |= dict.fromkeys(losses.content.layers)
        if losses.style is not None and "style" in acting:
            layers |= dict.fromkeys(losses.style.layers)
    return tuple(layers)
