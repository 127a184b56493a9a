"""How rates, loss weights and other numbers follow the training: pure functions of a moment."""

import math
from dataclasses import dataclass

from torch.optim import Optimizer

from upres.errors import BadSetting
from upres.recipes.schedules import (
    Constant,
    Cosine,
    Linear,
    Milestones,
    Ramp,
    Scalar,
    Schedule,
    Steps,
    Unit,
)
from upres.recipes.stages import GanStage, PixelStage
from upres.recipes.terms import weights_of


@dataclass(frozen=True)
class Moment:
    """Where a stage is: the number of the optimiser step, from 0, and what it is measured by.

    steps: the stage's length; None while it is being timed, when shares of it lie ahead.
    epoch: steps in an epoch.
    """

    step: int
    steps: int | None
    epoch: int = 1

    def reached(self, place: float, unit: Unit) -> bool:
        """Return whether the step is at or past `place`."""
        begins = self._in_steps(place, unit)
        return begins is not None and self.step >= begins

    def between(self, begin: float, finish: float, unit: Unit) -> float:
        """Return how far the step is from `begin` (0) to `finish` (1)."""
        first, last = self._in_steps(begin, unit), self._in_steps(finish, unit)
        if first is None or last is None:
            return 0.0
        return min(1.0, max(0.0, (self.step - first) / max(1e-9, last - first)))

    def _in_steps(self, place: float, unit: Unit) -> float | None:
        match unit:
            case "steps":
                return place
            case "epochs":
                return place * self.epoch
            case "share":
                return None if self.steps is None else place * self.steps


def value_at(scalar: Scalar, moment: Moment) -> float:
    """Return what a number is at a moment."""
    match scalar:
        case Steps():
            return scalar.values[sum(moment.reached(at, scalar.unit) for at in scalar.at)]
        case Ramp():
            way = moment.between(scalar.begin, scalar.finish, scalar.unit)
            if scalar.kind == "cosine":
                way = (1 - math.cos(math.pi * way)) / 2
            return scalar.start + (scalar.end - scalar.start) * way
        case _:
            return scalar


def rate_factor(schedule: Schedule, moment: Moment) -> float:
    """Return what the rate is multiplied by for the optimiser step of this moment.

    While the stage is being timed only the warm-up acts. A step at or past the end keeps the
    last value.
    """
    warm = 1.0
    if schedule.warmup_steps and moment.step < schedule.warmup_steps:
        warm = (moment.step + 1) / schedule.warmup_steps
    match schedule:
        case Milestones():
            passed = sum(moment.reached(at, schedule.unit) for at in schedule.at)
            return warm * schedule.factor**passed
        case Constant():
            return warm
        case Linear() | Cosine():
            if moment.steps is None:
                return warm
            return warm * (schedule.final + (1 - schedule.final) * _left(schedule, moment))


def _left(schedule: Linear | Cosine, moment: Moment) -> float:
    """How much of a falling schedule is still to come: 1 at first, 0 at the stage's last step."""
    assert moment.steps is not None
    way = min(1.0, moment.step / max(1, moment.steps - 1))
    if isinstance(schedule, Linear):
        return 1 - way
    if way < 1:
        way = way * schedule.periods % 1
    return (1 + math.cos(math.pi * way)) / 2


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Give all parameter groups this rate, times the factor that a group may have."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)


def refuse_late_places(
    name: str, stage: PixelStage | GanStage, steps: int | None, epoch: int
) -> None:
    """Refuse a schedule with a place past the end of the stage, where it would never act.

    steps: the stage's length; None where it is given in minutes, when only shares can be told.
    epoch: steps in an epoch. Raises BadSetting.
    """
    for field, place, unit in _places(stage):
        if unit == "share":
            continue
        where = f"stages.{name}.{field}"
        if steps is None:
            raise BadSetting(
                f"{where} counts {unit}, but the length of stage {name} is given in minutes: "
                "set its unit to share and its places to shares of the stage."
            )
        length = steps / epoch if unit == "epochs" else steps
        if place >= length:
            raise BadSetting(
                f"{where} changes at {place:g} {unit}, but stage {name} ends after {length:g}: "
                "make the stage longer, or set the schedule's unit to share and its places to "
                "shares of the stage."
            )
    if isinstance(stage, GanStage) and steps is not None:
        alone = stage.balance.generator_only_steps
        if alone >= steps:
            raise BadSetting(
                f"stages.{name}.balance.generator_only_steps is {alone}, but the stage has "
                f"{steps} steps: its discriminator would never learn."
            )


def _places(stage: PixelStage | GanStage) -> list[tuple[str, float, Unit]]:
    """The place of the last change of every schedule that has one, with its field."""
    scalars: dict[str, Scalar] = {f"losses.{n}.weight": w for n, w in weights_of(stage.losses)}
    schedules: dict[str, Schedule | None] = {"schedule": stage.schedule}
    if isinstance(stage, GanStage):
        schedules["discriminator_schedule"] = stage.discriminator_schedule
        scalars["losses.adversarial.label_smoothing"] = stage.losses.adversarial.label_smoothing
        scalars |= {"balance.r1": stage.balance.r1, "balance.r2": stage.balance.r2}
    found: list[tuple[str, float, Unit]] = []
    for field, scalar in scalars.items():
        match scalar:
            case Steps():
                found.append((field, scalar.at[-1], scalar.unit))
            case Ramp():  # it changes from its beginning on, and may end with the stage or later
                found.append((field, scalar.begin, scalar.unit))
    for field, schedule in schedules.items():
        if isinstance(schedule, Milestones) and schedule.at:
            found.append((field, schedule.at[-1], schedule.unit))
    return found
