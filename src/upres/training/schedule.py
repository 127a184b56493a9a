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
        begins = self.in_steps(place, unit)
        return begins is not None and self.step >= begins

    def between(self, begin: float, finish: float, unit: Unit) -> float:
        """Return how far the step is from `begin` (0) to `finish` (1)."""
        first, last = self.in_steps(begin, unit), self.in_steps(finish, unit)
        if first is None or last is None:
            return 0.0
        return min(1.0, max(0.0, (self.step - first) / max(1e-9, last - first)))

    def in_steps(self, place: float, unit: Unit) -> float | None:
        """Return `place` in steps; None for a share of a length that is not known."""
        match unit:
            case "steps":
                return place
            case "epochs":
                return _rounded(place * self.epoch)
            case "share":
                return None if self.steps is None else _rounded(place * self.steps)


def _rounded(steps: float) -> float:
    """Take 0.07 of 100 steps for 7, where the product of the floats is a little more."""
    return round(steps, 6)


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


def weights_at(stage: PixelStage | GanStage, moment: Moment) -> dict[str, float]:
    """Return what each of the stage's terms weighs at a moment, by name."""
    weights = {name: value_at(weight, moment) for name, weight in weights_of(stage.losses)}
    if isinstance(stage, GanStage) and moment.step < stage.balance.generator_only_steps:
        weights["adversarial"] = 0.0
    return weights


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
    epoch: steps in an epoch. Raises BadSetting, also where at some time no term weighs anything.
    """
    for field, schedule in _followed(stage):
        late = _late_place(schedule, steps, epoch)
        if late is None:
            continue
        where = f"stages.{name}.{field}"
        if steps is None and schedule.unit != "share":
            raise BadSetting(
                f"{where} counts {schedule.unit}, but the length of stage {name} is given in "
                "minutes: set its unit to share and its places to shares of the stage."
            )
        if schedule.unit == "share":
            raise BadSetting(
                f"{where} changes at the end of the stage, where it never acts: its last place "
                "must be a share below 1."
            )
        assert steps is not None
        length = steps / epoch if schedule.unit == "epochs" else steps
        raise BadSetting(
            f"{where} changes until {late:g} {schedule.unit}, but stage {name} ends after "
            f"{length:g}: make the stage longer, or set the schedule's unit to share and its "
            "places to shares of the stage."
        )
    if isinstance(stage, GanStage) and steps is not None:
        alone = stage.balance.generator_only_steps
        if alone >= steps:
            raise BadSetting(
                f"stages.{name}.balance.generator_only_steps is {alone}, but the stage has "
                f"{steps} steps: its discriminator would never learn."
            )
    _refuse_idle_steps(name, stage, steps, epoch)


def _late_place(schedule: Steps | Ramp | Milestones, steps: int | None, epoch: int) -> float | None:
    """The last place of a schedule if it cannot act in the stage, or cannot be told."""
    place = schedule.finish if isinstance(schedule, Ramp) else schedule.at[-1]
    if schedule.unit == "share":  # a ramp may end with the stage
        return None if isinstance(schedule, Ramp) or place < 1 else place
    if steps is None:
        return place
    reached = place * epoch if schedule.unit == "epochs" else place
    # an epoch's share of a step is rounded as the stage's own length is
    late = round(reached) > steps if isinstance(schedule, Ramp) else _rounded(reached) > steps - 1
    return place if late else None


def _refuse_idle_steps(
    name: str, stage: PixelStage | GanStage, steps: int | None, epoch: int
) -> None:
    """Refuse weights that are all 0 at once, at first or after one of their changes."""
    length = steps or 1_000_000  # any: without it there are but shares
    start = Moment(0, length, epoch)
    turns = {0.0}
    for _, weight in weights_of(stage.losses):
        match weight:
            case Steps():
                turns |= {start.in_steps(at, weight.unit) or 0.0 for at in weight.at}
            case Ramp():
                turns.add(start.in_steps(weight.finish, weight.unit) or 0.0)
    for step in sorted(math.ceil(turn) for turn in turns):
        if step < length and not any(weights_at(stage, Moment(step, length, epoch)).values()):
            where = f"at step {step + 1}" if steps else f"at a share of {step / length:g}"
            raise BadSetting(
                f"stages.{name}.losses: all terms weigh 0 {where}, where nothing would move the "
                "generator: give one of them a weight above 0 there."
            )


def _followed(stage: PixelStage | GanStage) -> list[tuple[str, Steps | Ramp | Milestones]]:
    """Every schedule of the stage that has places, with its field."""
    fields: dict[str, Scalar | Schedule | None] = {
        f"losses.{name}.weight": weight for name, weight in weights_of(stage.losses)
    }
    fields["schedule"] = stage.schedule
    if isinstance(stage, GanStage):
        fields["discriminator_schedule"] = stage.discriminator_schedule
        fields["losses.adversarial.label_smoothing"] = stage.losses.adversarial.label_smoothing
        fields |= {"balance.r1": stage.balance.r1, "balance.r2": stage.balance.r2}
    return [
        (field, schedule)
        for field, schedule in fields.items()
        if isinstance(schedule, Steps | Ramp) or (isinstance(schedule, Milestones) and schedule.at)
    ]
