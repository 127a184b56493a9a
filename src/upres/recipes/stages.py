"""The stages of a recipe: who learns, by which losses, with which optimiser, for how long."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, Field, model_validator

from upres.networks.build import DiscriminatorSettings
from upres.recipes.schedules import Constant, Scalar, Schedule, is_zero
from upres.recipes.terms import GanLosses, PixelLosses, weights_of

Metric = Literal["psnr_y", "ssim_y", "lpips_alex"]
LENGTHS = ("steps", "epochs", "minutes")


class Adam(BaseModel, frozen=True, extra="forbid"):
    """Adam (Kingma and Ba 2015) with every value named."""

    kind: Literal["adam"] = "adam"
    rate: float = Field(gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)


class SGD(BaseModel, frozen=True, extra="forbid"):
    """Gradient descent with momentum; `last_layer` multiplies the last convolution's rate."""

    kind: Literal["sgd"] = "sgd"
    rate: float = Field(gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    last_layer: float = Field(1.0, gt=0)
    weight_decay: float = Field(0.0, ge=0)


Optimiser: TypeAlias = Annotated[Adam | SGD, Field(discriminator="kind")]


class Balance(BaseModel, frozen=True, extra="forbid"):
    """What keeps generator and discriminator level; at the defaults, nothing.

    generator_only_steps: so many steps at first without the discriminator.
    discriminator_steps: its updates for each of the generator's, each on crops of its own.
    accuracy_band: it learns only while its accuracy, a running mean, lies in this band.
    adaptive: the adversarial term's gradient at the generator's output is brought to the norm of
        all others together before its weight acts; Esser et al. 2021 (VQGAN) equation 7 does so
        at the last layer. adaptive_limit: the largest such factor (there 1e4).
    r1, r2: weight of the penalty on the discriminator's gradient at photos and at generated
        pictures (Mescheder et al. 2018; both: Huang et al. 2024), computed at every
        `penalty_every`-th step and then as many times as large.
    """

    generator_only_steps: int = Field(0, ge=0)
    discriminator_steps: int = Field(1, ge=1)
    accuracy_band: tuple[float, float] | None = None
    adaptive: bool = False
    adaptive_limit: float = Field(1e4, gt=0)
    r1: Scalar = 0.0
    r2: Scalar = 0.0
    penalty_every: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _band_is_one(self) -> Self:
        if self.accuracy_band is not None:
            low, high = self.accuracy_band
            if not 0 <= low < high <= 1:
                raise ValueError(f"accuracy_band must rise within 0..1, not {low:g} to {high:g}")
        return self


class _Stage(BaseModel, frozen=True, extra="forbid"):
    """What both kinds of stage have; exactly one of the three lengths is given."""

    steps: int | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    minutes: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a stage has one length of {', '.join(LENGTHS)}; given: {given}")
        return self


class PixelStage(_Stage, frozen=True, extra="forbid"):
    """The generator learns the pixels alone."""

    kind: Literal["pixel"] = "pixel"
    losses: PixelLosses = PixelLosses()
    optimiser: Optimiser
    schedule: Schedule = Constant()
    ema: float | None = Field(None, gt=0, lt=1)
    clip_norm: float | None = Field(None, gt=0)
    best: tuple[Metric, ...] = Field(("psnr_y",), min_length=1)
    handover: Literal["best", "last"] = "best"
    handover_weights: Literal["ema", "raw"] = "ema"

    @model_validator(mode="after")
    def _something_acts(self) -> Self:
        _refuse_no_terms(self.losses)
        return self


class GanStage(_Stage, frozen=True, extra="forbid"):
    """The generator learns against a discriminator, with pixel and content terms beside it.

    discriminator_schedule: of its rate; without one it follows `schedule`.
    """

    kind: Literal["gan"] = "gan"
    losses: GanLosses = GanLosses()
    optimiser: Optimiser
    discriminator: DiscriminatorSettings
    discriminator_optimiser: Optimiser
    schedule: Schedule = Constant()
    discriminator_schedule: Schedule | None = None
    balance: Balance = Balance()
    ema: float | None = Field(None, gt=0, lt=1)
    clip_norm: float | None = Field(None, gt=0)
    from_scratch: bool = False
    best: tuple[Metric, ...] = Field(("lpips_alex", "psnr_y"), min_length=1)
    handover: Literal["best", "last"] = "last"
    handover_weights: Literal["ema", "raw"] = "ema"

    @model_validator(mode="after")
    def _something_acts(self) -> Self:
        _refuse_no_terms(self.losses)
        others = {name for name, _ in weights_of(self.losses)} - {"adversarial"}
        if self.balance.adaptive and not others:
            raise ValueError("balance.adaptive needs another term beside the adversarial one")
        if self.balance.generator_only_steps and not others:
            raise ValueError(
                "balance.generator_only_steps needs another term beside the adversarial one: "
                "nothing would move the generator in these steps"
            )
        if self.balance.adaptive and is_zero(self.losses.adversarial.weight):
            raise ValueError("balance.adaptive needs an adversarial weight above 0")
        return self


Stage: TypeAlias = Annotated[PixelStage | GanStage, Field(discriminator="kind")]


def _refuse_no_terms(losses: PixelLosses | GanLosses) -> None:
    if not list(weights_of(losses)):
        raise ValueError("all terms weigh 0: nothing would move the generator")
