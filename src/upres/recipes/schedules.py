"""How a value follows the training: numbers that change, and factors of learning rates.

A place in a stage is given in optimiser steps, in epochs, or as a share of the stage's length
(0..1), which keeps a schedule's form when a stage is made longer or shorter.
"""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

Unit: TypeAlias = Literal["steps", "epochs", "share"]
Amount: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Steps(BaseModel, frozen=True, extra="forbid"):
    """values[0] until at[0], then values[1] until at[1], and so on."""

    kind: Literal["steps"] = "steps"
    at: tuple[Amount, ...] = Field(min_length=1)
    values: tuple[Amount, ...]
    unit: Unit = "steps"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _refuse_disorder(self.at, self.unit)
        if len(self.values) != len(self.at) + 1:
            raise ValueError(
                f"{len(self.at)} changes need {len(self.at) + 1} values, not {len(self.values)}"
            )
        return self


class Ramp(BaseModel, frozen=True, extra="forbid"):
    """`start` until `begin`, then evenly or by half a cosine to `end` at `finish`."""

    kind: Literal["linear", "cosine"] = "linear"
    start: Amount
    end: Amount
    begin: Amount = 0.0
    finish: Amount
    unit: Unit = "steps"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _refuse_disorder((self.begin, self.finish), self.unit)
        return self


def _kind_of(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    if isinstance(value, dict | Steps | Ramp):
        return "steps" if kind == "steps" else "ramp"
    return "number"


Scalar: TypeAlias = Annotated[
    Annotated[Amount, Tag("number")]
    | Annotated[Steps, Tag("steps")]
    | Annotated[Ramp, Tag("ramp")],
    Discriminator(_kind_of),
]


class Constant(BaseModel, frozen=True, extra="forbid"):
    """The rate stays."""

    kind: Literal["constant"] = "constant"
    warmup_steps: int = Field(0, ge=0)


class Linear(BaseModel, frozen=True, extra="forbid"):
    """Evenly from the rate to `final` times the rate at the stage's last step."""

    kind: Literal["linear"] = "linear"
    final: float = Field(0.0, ge=0, le=1)
    warmup_steps: int = Field(0, ge=0)


class Cosine(BaseModel, frozen=True, extra="forbid"):
    """Half a cosine from the rate to `final` times the rate, `periods` times in the stage."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(0.01, ge=0, le=1)
    periods: int = Field(1, gt=0)
    warmup_steps: int = Field(0, ge=0)


class Milestones(BaseModel, frozen=True, extra="forbid"):
    """The rate is multiplied by `factor` at each of the given places."""

    kind: Literal["milestones"] = "milestones"
    at: tuple[Amount, ...]
    factor: float = Field(0.5, gt=0)
    unit: Unit = "steps"
    warmup_steps: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _refuse_disorder(self.at, self.unit)
        return self


Schedule: TypeAlias = Annotated[
    Constant | Linear | Cosine | Milestones, Field(discriminator="kind")
]


def is_zero(scalar: Scalar) -> bool:
    """Return whether a value is 0 throughout."""
    return largest(scalar) == 0


def largest(scalar: Scalar) -> float:
    """Return the largest number that a value takes."""
    match scalar:
        case Steps():
            return max(scalar.values)
        case Ramp():
            return max(scalar.start, scalar.end)
        case _:
            return scalar


def _refuse_disorder(places: tuple[float, ...], unit: Unit) -> None:
    if list(places) != sorted(set(places)):
        named = ", ".join(f"{place:g}" for place in places)
        raise ValueError(f"places must rise, not be {named}")
    if unit == "share" and any(place > 1 for place in places):
        raise ValueError(f"a share of the stage is at most 1, not {max(places):g}")
