"""What a recipe is: one method of the field with all its values, frozen and typed."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from upres.data.crops import CropSettings
from upres.images.resize import ResizerName
from upres.losses.structure import LEAST_SIDES
from upres.networks.build import GeneratorSettings, least_patch, least_patch_multiple
from upres.networks.features import layer_stride
from upres.recipes.stages import GanStage, Metric, PixelStage, Stage
from upres.recipes.terms import feature_layers

Precision = Literal["auto", "float32", "bf16", "fp16"]


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
    `gradient_scaler: auto` has one for fp16 and none else. `watch_every`: steps from one look at
    the gradient's shares, the average's distance and the pictures' fine detail to the next.
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
    precision: Precision = "auto"
    gradient_scaler: Literal["auto", "yes", "no"] = "auto"
    compile: Literal["auto", "yes", "no"] = "auto"
    channels_last: bool = True
    budget: Budget = Budget()
    validation: Validation = Validation()
    log_every: int = Field(20, gt=0)
    watch_every: int = Field(100, gt=0)
    save_every: int = Field(500, gt=0)
    keep_last: int = Field(1, gt=0)

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.crops.hr_patch % self.scale:
            raise ValueError(
                f"crops.hr_patch {self.crops.hr_patch} is not a multiple of scale {self.scale}"
            )
        if self.gradient_scaler == "yes" and self.precision in ("bf16", "float32"):
            raise ValueError(
                f"gradient_scaler does nothing in {self.precision}: bf16 has float32's range, so "
                "a power of two that is multiplied in and divided out changes no bit, and only "
                "fp16 needs one (paper B names both; docs/papers.md, B16); set "
                "gradient_scaler=auto"
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
    side = recipe.crops.hr_patch
    structure = stage.losses.structure
    if structure is not None and side < LEAST_SIDES[structure.form]:
        raise ValueError(
            f"crops.hr_patch {side} is too small for {structure.form}, "
            f"which needs {LEAST_SIDES[structure.form]}"
        )
    if not isinstance(stage, GanStage):
        return
    multiple, least = least_patch_multiple(stage.discriminator), least_patch(stage.discriminator)
    if side % multiple or side < least:
        raise ValueError(
            f"the {stage.discriminator.kind} discriminator of {name} needs crops.hr_patch in "
            f"multiples of {multiple} from {least} on, not {side}"
        )
    if is_first and not stage.from_scratch:
        raise ValueError(
            f"stages.{name} is adversarial and first: put a pixel stage before it, "
            f"or set stages.{name}.from_scratch=true"
        )
    content = stage.losses.content
    for layer in feature_layers(stage.losses):
        # A level-5 map of a small patch has one or two positions and teaches a tiling pattern.
        if side - content.jitter + 1 < 4 * layer_stride(content.network, layer):
            less = f" less a jitter of {content.jitter - 1}" if content.jitter > 1 else ""
            raise ValueError(
                f"crops.hr_patch {side}{less} is too small for the content layer {layer}"
            )
