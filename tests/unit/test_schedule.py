"""Rates, weights and other numbers over a stage: values worked by hand, and late places."""

import math
from typing import Any

import pytest
import torch

from upres.errors import BadSetting
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.recipes import RECIPES
from upres.recipes.schedules import (
    Constant,
    Cosine,
    Linear,
    Milestones,
    Ramp,
    Scalar,
    Schedule,
    Steps,
)
from upres.recipes.stages import Adam, Balance, GanStage, PixelStage
from upres.recipes.terms import AdversarialTerm, ContentTerm, GanLosses, PixelLosses, PixelTerm
from upres.training.length import epoch_steps, stage_steps
from upres.training.schedule import (
    Moment,
    rate_factor,
    refuse_late_places,
    set_rate,
    value_at,
    weights_at,
)

EIGHTH, THREE_EIGHTHS = (1 - math.sqrt(0.5)) / 2, (1 + math.sqrt(0.5)) / 2  # sin^2 of 22.5, 67.5
TWO_PLACES = [("steps", (2, 4), 1), ("epochs", (0.5, 1), 4), ("share", (0.25, 0.5), 1)]


def values(scalar: Scalar, last: int, steps: int | None = 8, epoch: int = 1) -> list[float]:
    return [value_at(scalar, Moment(step, steps, epoch)) for step in range(last + 1)]


def factors(schedule: Schedule, last: int, steps: int | None, epoch: int = 1) -> list[float]:
    return [rate_factor(schedule, Moment(step, steps, epoch)) for step in range(last + 1)]


# --- numbers


def test_a_number_without_schedule_stays() -> None:
    assert values(0.3, 3) == [0.3] * 4


@pytest.mark.parametrize(("unit", "at", "epoch"), TWO_PLACES)
def test_steps_change_at_the_step_that_is_reached(
    unit: Any, at: tuple[float, float], epoch: int
) -> None:
    scalar = Steps(at=at, values=(1, 3, 0.5), unit=unit)
    assert values(scalar, 5, steps=8, epoch=epoch) == [1, 1, 3, 3, 0.5, 0.5]


def test_places_between_two_steps_are_reached_at_the_later_one() -> None:
    assert values(Steps(at=(1.5,), values=(1, 2)), 3) == [1, 1, 2, 2]


@pytest.mark.parametrize(("share", "first"), [(0.07, 7), (0.29, 29), (0.57, 57), (0.55, 55)])
def test_a_share_of_a_hundred_steps_is_its_percent(share: float, first: int) -> None:
    scalar = Steps(at=(share,), values=(0, 1), unit="share")  # the float 0.07 * 100 is above 7
    assert values(scalar, 99, steps=100).index(1) == first


@pytest.mark.parametrize(
    ("unit", "begin", "finish", "epoch"),
    [("steps", 2, 6, 1), ("epochs", 1, 3, 2), ("share", 0.25, 0.75, 1)],
)
def test_a_linear_ramp_is_even_between_its_places_and_flat_outside(
    unit: Any, begin: float, finish: float, epoch: int
) -> None:
    ramp = Ramp(start=1, end=3, begin=begin, finish=finish, unit=unit)
    expected = [1, 1, 1, 1.5, 2, 2.5, 3, 3, 3]
    assert values(ramp, 8, steps=8, epoch=epoch) == pytest.approx(expected)


def test_a_cosine_ramp_is_half_a_wave() -> None:
    ramp = Ramp(kind="cosine", start=1, end=3, finish=4)
    expected = [1, 1 + 2 * EIGHTH, 2, 1 + 2 * THREE_EIGHTHS, 3, 3]
    assert values(ramp, 5) == pytest.approx(expected)


def test_a_ramp_may_fall_to_nothing() -> None:
    assert values(Ramp(start=2, end=0, finish=2), 3) == pytest.approx([2, 1, 0, 0])


def test_shares_of_a_length_that_is_not_known_yet_lie_ahead() -> None:
    for unknown in (
        Steps(at=(0.1,), values=(5, 6), unit="share"),
        Ramp(start=5, end=6, finish=0.5, unit="share"),
    ):
        assert values(unknown, 60, steps=None) == [5] * 61
    assert factors(Milestones(at=(0.1,), unit="share"), 60, None) == [1] * 61
    assert factors(Linear(), 60, None) == [1] * 61


# --- factors of rates


def test_linear_reaches_its_final_share_at_the_last_step() -> None:
    assert factors(Linear(final=0.2), 4, 5) == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_cosine_starts_at_the_rate_and_ends_at_its_final_share() -> None:
    cosine = Cosine(final=0.1)
    assert rate_factor(cosine, Moment(0, 101)) == 1.0
    assert rate_factor(cosine, Moment(50, 101)) == pytest.approx(0.55)
    assert rate_factor(cosine, Moment(100, 101)) == pytest.approx(0.1)


def test_a_cosine_of_two_periods_begins_again_in_the_middle() -> None:
    half = [1, THREE_EIGHTHS, 0.5, EIGHTH]
    assert factors(Cosine(final=0, periods=2), 8, 9) == pytest.approx([*half, *half, 0])


@pytest.mark.parametrize("periods", [1, 2, 3])
@pytest.mark.parametrize("step", [101, 102, 500, 10_000])
def test_a_step_past_the_end_keeps_the_last_value(periods: int, step: int) -> None:
    assert rate_factor(Cosine(final=0.1, periods=periods), Moment(step, 101)) == pytest.approx(0.1)
    assert rate_factor(Linear(final=0.1), Moment(step, 101)) == pytest.approx(0.1)


def test_a_stage_of_one_step_has_the_rate() -> None:
    for schedule in (Linear(), Cosine(), Milestones(at=()), Constant()):
        assert factors(schedule, 0, 1) == [1]


def test_warm_up_rises_in_even_steps_to_the_full_rate() -> None:
    warm = [rate_factor(Constant(warmup_steps=4), Moment(step, 100)) for step in range(6)]
    assert warm == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_warm_up_multiplies_what_the_schedule_says() -> None:
    linear, milestones = Linear(warmup_steps=2), Milestones(at=(1,), warmup_steps=2)
    assert factors(linear, 4, 5) == pytest.approx([0.5, 0.75, 0.5, 0.25, 0])
    assert factors(milestones, 2, 5) == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize(("unit", "at", "epoch"), TWO_PLACES)
def test_milestones_multiply_the_rate_where_they_are_reached(
    unit: Any, at: tuple[float, float], epoch: int
) -> None:
    fallen = Milestones(at=at, factor=0.1, unit=unit)
    assert factors(fallen, 5, 8, epoch) == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_while_the_length_is_unknown_only_the_warm_up_acts() -> None:
    assert rate_factor(Cosine(warmup_steps=2), Moment(0, None)) == 0.5
    assert rate_factor(Cosine(warmup_steps=2), Moment(40, None)) == 1.0


def test_each_group_of_parameters_has_its_share_of_the_rate() -> None:
    one, two, three = (torch.nn.Parameter(torch.zeros(1)) for _ in range(3))
    groups = [{"params": [one], "rate_factor": 1.0}, {"params": [two], "rate_factor": 0.1}]
    optimiser = torch.optim.SGD([*groups, {"params": [three]}], 7.0)
    set_rate(optimiser, 0.5)
    set_rate(optimiser, 0.25)  # not of what was before
    assert [group["lr"] for group in optimiser.param_groups] == [0.25, 0.025, 0.25]


# --- the weights of a stage


def pixel_stage(weight: Scalar = 1.0, **fields: Any) -> PixelStage:
    losses = PixelLosses(pixel=PixelTerm(weight=weight))
    return PixelStage(**{"steps": 10, "losses": losses, "optimiser": Adam(rate=1e-4), **fields})


def gan_stage(
    pixel: Scalar = 1.0, adversarial: Scalar = 0.1, smoothing: Scalar = 0.0, **balance: Any
) -> GanStage:
    return GanStage(
        steps=10,
        losses=GanLosses(
            pixel=PixelTerm(weight=pixel),
            content=ContentTerm(weight=0),
            adversarial=AdversarialTerm(weight=adversarial, label_smoothing=smoothing),
        ),
        optimiser=Adam(rate=1e-4),
        discriminator=VGGDiscriminatorSettings(),
        discriminator_optimiser=Adam(rate=1e-4),
        balance=Balance(**balance),
    )


def test_the_adversarial_term_begins_after_the_generators_own_steps() -> None:
    stage = gan_stage(adversarial=Ramp(start=0, end=1, finish=4), generator_only_steps=2)
    found = [weights_at(stage, Moment(step, 10)) for step in range(4)]
    assert [weights["pixel"] for weights in found] == [1.0] * 4
    assert [weights["adversarial"] for weights in found] == [0, 0, 0.5, 0.75]
    assert {tuple(weights) for weights in found} == {("pixel", "adversarial")}  # content never


# --- late places


def steps_then(*at: float, unit: Any = "steps") -> Steps:
    return Steps(at=at, values=tuple(range(1, len(at) + 2)), unit=unit)


@pytest.mark.parametrize(
    "stage",
    [
        pixel_stage(steps_then(2, 10)),
        pixel_stage(steps_then(9.5)),  # the last step is number 9
        pixel_stage(Ramp(start=1, end=2, finish=11)),
        pixel_stage(Ramp(start=1, end=2, begin=10, finish=20)),
        pixel_stage(schedule=Milestones(at=(3, 10))),
    ],
)
def test_a_place_in_steps_past_the_end_is_refused(stage: PixelStage) -> None:
    field = "schedule" if isinstance(stage.schedule, Milestones) else "losses.pixel.weight"
    told = rf"^stages\.mine\.{field} changes until .* steps, but stage mine ends after 10: make the"
    with pytest.raises(BadSetting, match=told):
        refuse_late_places("mine", stage, 10, 3)
    refuse_late_places("mine", stage, 20, 3)


@pytest.mark.parametrize(
    "stage",
    [
        pixel_stage(steps_then(9)),
        pixel_stage(Ramp(start=1, end=2, begin=9, finish=10)),
        pixel_stage(schedule=Milestones(at=(9,))),
        pixel_stage(schedule=Milestones(at=())),
        pixel_stage(schedule=Cosine()),
        pixel_stage(steps_then(0.95, unit="share")),
        pixel_stage(Ramp(start=1, end=2, finish=1, unit="share")),
    ],
)
def test_a_place_before_the_end_is_not(stage: PixelStage) -> None:
    refuse_late_places("mine", stage, 10, 3)


def test_epochs_are_counted_in_steps_of_the_photos_at_hand() -> None:
    stage = pixel_stage(steps_then(3, unit="epochs"))
    refuse_late_places("mine", stage, 10, 3)
    with pytest.raises(BadSetting, match=r"until 3 epochs, but stage mine ends after 2\.5:"):
        refuse_late_places("mine", stage, 10, 4)
    ramp = pixel_stage(Ramp(start=1, end=2, finish=2.5, unit="epochs"))
    refuse_late_places("mine", ramp, 12, 5)  # a stage of 2.5 epochs is 12.5 steps, rounded
    with pytest.raises(BadSetting, match="ends after 2:"):
        refuse_late_places("mine", ramp, 10, 5)


@pytest.mark.parametrize(
    ("stage", "field"),
    [
        (pixel_stage(steps_then(1, unit="share")), "losses.pixel.weight"),
        (pixel_stage(schedule=Milestones(at=(0.5, 1), unit="share")), "schedule"),
    ],
)
@pytest.mark.parametrize("steps", [10, None])
def test_a_change_at_the_very_end_never_acts(
    stage: PixelStage, field: str, steps: int | None
) -> None:
    with pytest.raises(BadSetting, match=rf"stages\.mine\.{field} changes at the end of the stage"):
        refuse_late_places("mine", stage, steps, 3)


FALLING = Ramp(start=0.5, end=0, finish=2)


@pytest.mark.parametrize(
    ("stage", "field", "unit"),
    [
        (pixel_stage(steps_then(2)), "losses.pixel.weight", "steps"),
        (pixel_stage(steps_then(2, unit="epochs")), "losses.pixel.weight", "epochs"),
        (pixel_stage(schedule=Milestones(at=(2,))), "schedule", "steps"),
        (gan_stage(adversarial=FALLING), "losses.adversarial.weight", "steps"),
        (gan_stage(smoothing=FALLING), "losses.adversarial.label_smoothing", "steps"),
        (gan_stage(r1=Steps(at=(2,), values=(1, 0))), "balance.r1", "steps"),
        (gan_stage(r2=FALLING), "balance.r2", "steps"),
        (
            gan_stage().model_copy(update={"discriminator_schedule": Milestones(at=(2,))}),
            "discriminator_schedule",
            "steps",
        ),
    ],
)
def test_places_in_steps_are_refused_where_the_length_is_in_minutes(
    stage: PixelStage | GanStage, field: str, unit: str
) -> None:
    told = rf"^stages\.mine\.{field} counts {unit}, but .* in minutes: set its unit to share"
    with pytest.raises(BadSetting, match=told):
        refuse_late_places("mine", stage, None, 3)
    refuse_late_places("mine", stage, 100, 3)
    with pytest.raises(BadSetting, match=rf"^stages\.mine\.{field} changes until 2 {unit}"):
        refuse_late_places("mine", stage, 1, 1)


def test_a_discriminator_that_would_never_learn_is_refused() -> None:
    stage = gan_stage(generator_only_steps=10)
    with pytest.raises(BadSetting, match="has 10 steps: its discriminator would never learn"):
        refuse_late_places("mine", stage, 10, 3)
    refuse_late_places("mine", stage, 11, 3)
    refuse_late_places("mine", stage, None, 3)


OFF_AT_2, OFF_AT_5 = Steps(at=(2,), values=(1, 0)), Steps(at=(5,), values=(1, 0))
RISING_FROM_5 = Ramp(start=0, end=1, begin=5, finish=9)


@pytest.mark.parametrize(
    ("stage", "step"),
    [
        (pixel_stage(OFF_AT_5), 6),
        (pixel_stage(Steps(at=(3.5,), values=(1, 0))), 5),
        (pixel_stage(Steps(at=(2, 4), values=(0, 1, 2))), 1),
        (pixel_stage(Ramp(start=1, end=0, finish=6)), 7),
        (pixel_stage(Ramp(start=0, end=1, finish=6)), 1),
        (gan_stage(OFF_AT_2, OFF_AT_5), 6),
        (gan_stage(OFF_AT_2, generator_only_steps=5), 3),
        (gan_stage(Ramp(start=1, end=0, finish=5), RISING_FROM_5), 6),
    ],
)
def test_a_moment_at_which_nothing_moves_the_generator_is_refused(
    stage: PixelStage | GanStage, step: int
) -> None:
    told = rf"^stages\.mine\.losses: all terms weigh 0 at step {step}, where nothing would move"
    with pytest.raises(BadSetting, match=told):
        refuse_late_places("mine", stage, 10, 3)


def test_terms_that_take_turns_are_not() -> None:
    refuse_late_places("mine", gan_stage(OFF_AT_5, Steps(at=(5,), values=(0, 1))), 10, 3)
    shares = Steps(at=(0.5,), values=(1, 0), unit="share")
    refuse_late_places("mine", gan_stage(shares), None, 3)
    with pytest.raises(BadSetting, match=r"all terms weigh 0 at a share of 0\.5,"):
        refuse_late_places("mine", pixel_stage(shares), None, 3)


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_has_a_late_place(name: str) -> None:
    recipe, photos = RECIPES[name], 800
    for stage_name, stage in recipe.stages.items():
        steps = stage_steps(recipe, stage_name, photos)
        refuse_late_places(stage_name, stage, steps, epoch_steps(recipe, range(photos)))
