"""What a recipe is: one method of the field with all its values, frozen and typed."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from upres.data.crops import CropSettings
from upres.images.resize import ResizerName
from upres.networks.build import DiscriminatorSettings, GeneratorSettings
from upres.networks.features import FeatureNetworkName, layer_names, layer_stride

Metric = Literal["psnr_y", "ssim_y", "lpips_alex"]
LENGTHS = ("steps", "epochs", "minutes")


class Adam(BaseModel, frozen=True, extra="forbid"):
    """Adam (Kingma and Ba 2015) with every value named."""

    rate: float = Field(gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)


class Constant(BaseModel, frozen=True, extra="forbid"):
    """The rate stays."""

    kind: Literal["constant"] = "constant"
    warmup_steps: int = Field(0, ge=0)


class Cosine(BaseModel, frozen=True, extra="forbid"):
    """Half a cosine from the rate to `final` times the rate at the stage's last step."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(0.01, ge=0, le=1)
    warmup_steps: int = Field(0, ge=0)


class Milestones(BaseModel, frozen=True, extra="forbid"):
    """The rate is multiplied by `factor` at each of the given steps."""

    kind: Literal["milestones"] = "milestones"
    steps: tuple[int, ...]
    factor: float = Field(0.5, gt=0)
    warmup_steps: int = Field(0, ge=0)


Schedule = Annotated[Constant | Cosine | Milestones, Field(discriminator="kind")]


class PixelTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the pixels, both pictures in 0..1."""

    form: Literal["l1", "mse", "charbonnier"] = "l1"
    weight: float = Field(1.0, ge=0)


class ContentTerm(BaseModel, frozen=True, extra="forbid"):
    """Distance of the features of a pretrained network."""

    weight: float = Field(1.0, ge=0)
    network: FeatureNetworkName = "vgg19"
    layers: Mapping[str, float] = Field(default_factory=lambda: {"conv5_4": 1.0}, min_length=1)
    form: Literal["l1", "squared"] = "squared"
    # Both pictures lose 0 to jitter - 1 pixels at the top and left, drawn anew each step: else
    # the features' pooling grid always lies alike on the LR grid and leaves a pattern there.
    jitter: int = Field(1, ge=1)
    precision: Literal["float32", "bf16"] = "float32"

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        known = layer_names(self.network)
        for layer in self.layers:
            if layer not in known:
                raise ValueError(
                    f"{self.network} has no layer {layer!r}; it has {', '.join(known)}"
                )
        return self


class AdversarialTerm(BaseModel, frozen=True, extra="forbid"):
    """What the discriminator says of the generator's pictures."""

    weight: float = Field(0.005, ge=0)
    form: Literal["non-saturating", "saturating", "relativistic-average"] = "non-saturating"


class PixelLosses(BaseModel, frozen=True, extra="forbid"):
    pixel: PixelTerm = PixelTerm()


class GanLosses(BaseModel, frozen=True, extra="forbid"):
    pixel: PixelTerm = PixelTerm()
    content: ContentTerm = ContentTerm()
    adversarial: AdversarialTerm = AdversarialTerm()


class _Length(BaseModel, frozen=True, extra="forbid"):
    """How long a stage is: exactly one of the three is given."""

    steps: int | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    minutes: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a stage has one length of {', '.join(LENGTHS)}; given: {given}")
        return self


class PixelStage(_Length, frozen=True, extra="forbid"):
    """The generator learns the pixels alone."""

    kind: Literal["pixel"] = "pixel"
    losses: PixelLosses = PixelLosses()
    optimiser: Adam
    schedule: Schedule = Constant()
    ema: float | None = Field(None, gt=0, lt=1)
    clip_norm: float | None = Field(None, gt=0)
    best: tuple[Metric, ...] = Field(("psnr_y",), min_length=1)
    handover: Literal["best", "last"] = "best"
    handover_weights: Literal["ema", "raw"] = "ema"


class GanStage(_Length, frozen=True, extra="forbid"):
    """The generator learns against a discriminator, with pixel and content terms beside it."""

    kind: Literal["gan"] = "gan"
    losses: GanLosses = GanLosses()
    optimiser: Adam
    discriminator: DiscriminatorSettings
    discriminator_optimiser: Adam
    schedule: Schedule = Constant()
    ema: float | None = Field(None, gt=0, lt=1)
    clip_norm: float | None = Field(None, gt=0)
    from_scratch: bool = False
    best: tuple[Metric, ...] = Field(("lpips_alex", "psnr_y"), min_length=1)
    handover: Literal["best", "last"] = "last"
    handover_weights: Literal["ema", "raw"] = "ema"


Stage = Annotated[PixelStage | GanStage, Field(discriminator="kind")]


class Budget(BaseModel, frozen=True, extra="forbid"):
    """Minutes for the whole recipe; they replace the stages' own lengths where given.

    `shares` says how they are parted among the stages, in their order; equally where it is not
    given.
    """

    minutes: float | None = Field(None, gt=0)
    shares: tuple[float, ...] | None = None


class Validation(BaseModel, frozen=True, extra="forbid"):
    """How a stage is judged while it runs; LR is made by the protocol."""

    times: int = Field(20, gt=0)
    every: int | None = Field(None, gt=0)
    protocol: str = "sr-y-float"
    metrics: tuple[Metric, ...] = Field(("psnr_y", "ssim_y", "lpips_alex"), min_length=1)
    pictures: int = Field(8, gt=0)
    side: int = Field(192, ge=48)


class Recipe(BaseModel, frozen=True, extra="forbid"):
    """One method: data, generator and stages, with every value that changes the result.

    `budget.minutes` replaces the stages' lengths. `precision: auto` is bf16 where the processor
    has it. `compile: auto` lets a short trial at the start of a long stage decide.
    """

    name: str
    source: str
    scale: Literal[2, 3, 4]
    generator: GeneratorSettings
    resizer: ResizerName = "matlab"
    crops: CropSettings
    batch: int = Field(gt=0)
    stages: Mapping[str, Stage] = Field(min_length=1)
    seed: int = Field(0, ge=0)
    precision: Literal["auto", "float32", "bf16"] = "auto"
    compile: Literal["auto", "yes", "no"] = "auto"
    channels_last: bool = True
    budget: Budget = Budget()
    validation: Validation = Validation()
    log_every: int = Field(20, gt=0)
    shares_every: int = Field(200, gt=0)
    save_every: int = Field(500, gt=0)
    keep_last: int = Field(1, gt=0)

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.crops.hr_patch % self.scale:
            raise ValueError(
                f"crops.hr_patch {self.crops.hr_patch} is not a multiple of scale {self.scale}"
            )
        shares = self.budget.shares
        if shares is not None and len(shares) != len(self.stages):
            raise ValueError(
                f"budget.shares has {len(shares)} values but there are {len(self.stages)} stages"
            )
        for position, (name, stage) in enumerate(self.stages.items()):
            _check_stage(name, stage, is_first=position == 0, recipe=self)
        return self


def _check_stage(
    name: str, stage: PixelStage | GanStage, *, is_first: bool, recipe: Recipe
) -> None:
    """Refuse what cannot work, before anything is started."""
    missing = set(stage.best) - set(recipe.validation.metrics)
    if missing:
        raise ValueError(
            f"stages.{name}.best asks for {sorted(missing)}, not in validation.metrics"
        )
    if not isinstance(stage, GanStage):
        return
    side = recipe.crops.hr_patch
    if side % 16:
        raise ValueError(f"the discriminator of {name} needs crops.hr_patch in multiples of 16")
    if is_first and not stage.from_scratch:
        raise ValueError(
            f"stages.{name} is adversarial and first: put a pixel stage before it, "
            f"or set stages.{name}.from_scratch=true"
        )
    for layer in stage.losses.content.layers:
        # A level-5 map of a small patch has one or two positions and teaches a tiling pattern.
        if side // layer_stride(stage.losses.content.network, layer) < 4:
            raise ValueError(f"crops.hr_patch {side} is too small for the content layer {layer}")
