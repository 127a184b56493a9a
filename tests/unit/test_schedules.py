"""What a schedule may be, how it is written, and how a wrong one is told."""

import math

import pytest
from pydantic import ValidationError

from upres.errors import BadSetting
from upres.recipes import RECIPES
from upres.recipes.schedules import (
    Cosine,
    Milestones,
    Ramp,
    Steps,
    is_zero,
    largest,
)
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage
from upres.recipes.terms import StructureTerm
from upres.recipes.text import changed, differences, from_yaml, override, to_yaml

USRGAN = RECIPES["usrgan"]
WEIGHT = "stages.gan.losses.adversarial.weight"


def gan(recipe: Recipe) -> GanStage:
    stage = recipe.stages["gan"]
    assert isinstance(stage, GanStage)
    return stage


# --- written and read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0.05", 0.05),
        ("5e-2", 0.05),
        (
            "{kind: linear, start: 0, end: 5e-2, finish: 100}",
            Ramp(kind="linear", start=0, end=0.05, begin=0, finish=100, unit="steps"),
        ),
        (
            "{kind: cosine, start: 0.005, end: 0.05, begin: 1, finish: 7, unit: epochs}",
            Ramp(kind="cosine", start=0.005, end=0.05, begin=1, finish=7, unit="epochs"),
        ),
        (
            "{kind: steps, at: [7], values: [0.001, 0.05], unit: epochs}",
            Steps(at=(7,), values=(0.001, 0.05), unit="epochs"),
        ),
        (
            "{kind: steps, at: [0.25, 0.5], values: [0, 1, 2], unit: share}",
            Steps(at=(0.25, 0.5), values=(0, 1, 2), unit="share"),
        ),
    ],
)
def test_a_weight_is_set_to_a_number_or_a_schedule_in_one_word(text: str, meant: object) -> None:
    recipe = override(USRGAN, f"{WEIGHT}={text}")
    assert gan(recipe).losses.adversarial.weight == meant
    assert all(field.startswith(WEIGHT) for field, _, _ in differences(USRGAN, recipe))


def test_the_first_field_of_a_term_that_was_off_begins_it() -> None:
    assert gan(USRGAN).losses.structure is None
    recipe = override(USRGAN, "stages.gan.losses.structure.weight=0.1")
    assert gan(recipe).losses.structure == StructureTerm(form="ssim", weight=0.1)
    recipe = override(recipe, "stages.gan.losses.structure=null")
    assert recipe == USRGAN


def test_the_discriminators_own_schedule_begins_with_its_kind() -> None:
    recipe = override(USRGAN, "stages.gan.discriminator_schedule.kind=cosine")
    assert gan(recipe).discriminator_schedule == Cosine()
    assert gan(recipe).schedule == gan(USRGAN).schedule


def test_one_part_of_a_schedule_is_changed_by_its_name() -> None:
    recipe = override(USRGAN, f"{WEIGHT}={{kind: linear, start: 0, end: 1, finish: 100}}")
    recipe = override(recipe, f"{WEIGHT}.finish=50")
    assert gan(recipe).losses.adversarial.weight == Ramp(start=0, end=1, finish=50)


def test_a_recipe_with_every_kind_of_schedule_reads_back_from_its_yaml() -> None:
    changes = {
        WEIGHT: Ramp(kind="cosine", start=0.0, end=1 / 3, begin=0.1, finish=0.9, unit="share"),
        "stages.gan.losses.pixel.weight": Steps(at=(1.5, 7), values=(1, 1e-9, 3), unit="epochs"),
        "stages.gan.losses.gradient": {"weight": Ramp(start=2, end=0, finish=10).model_dump()},
        "stages.gan.losses.adversarial.label_smoothing": Ramp(start=0.1, end=0, finish=10),
        "stages.gan.balance.r1": Steps(at=(5,), values=(10, 0)),
        "stages.gan.balance.accuracy_band": [0.25, 0.875],
        "stages.gan.schedule": Milestones(at=(0.5, 0.75), unit="share"),
        "stages.gan.discriminator_schedule": Cosine(periods=4, final=0.1, warmup_steps=3),
    }
    recipe = changed(USRGAN, changes)
    again = from_yaml(to_yaml(recipe), name="mine.yaml")
    assert again == recipe
    assert gan(again).losses.adversarial.weight == changes[WEIGHT]
    assert isinstance(gan(again).balance.r1, Steps)


# --- refused


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (f"{WEIGHT}=-1", f"{WEIGHT} is '-1': input should be greater than or equal to 0."),
        (f"{WEIGHT}=inf", f"{WEIGHT} is 'inf': input should be a finite number."),
        (f"{WEIGHT}=[1, 2]", f"{WEIGHT} is [1, 2]: input should be a valid number."),
        (
            f"{WEIGHT}={{kind: steps, at: [5], values: [1, 2, 3]}}",
            f"{WEIGHT}: 1 changes need 2 values, not 3.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [5, 7], values: [1, 2]}}",
            f"{WEIGHT}: 2 changes need 3 values, not 2.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [5, 3], values: [1, 2, 3]}}",
            f"{WEIGHT}: places must rise, not be 5, 3.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [5, 5], values: [1, 2, 3]}}",
            f"{WEIGHT}: places must rise, not be 5, 5.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [-1], values: [1, 2]}}",
            f"{WEIGHT}.at.0 is -1: input should be greater than or equal to 0.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [.nan], values: [1, 2]}}",
            f"{WEIGHT}.at.0 is nan: input should be a finite number.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [5], values: [1, -2]}}",
            f"{WEIGHT}.values.1 is -2: input should be greater than or equal to 0.",
        ),
        (
            f"{WEIGHT}={{kind: steps, at: [0.5, 1.5], values: [1, 2, 3], unit: share}}",
            f"{WEIGHT}: a share of the stage is at most 1, not 1.5.",
        ),
        (f"{WEIGHT}={{kind: linear, start: 0, finish: 9}}", f"{WEIGHT}.end is missing."),
        (
            f"{WEIGHT}={{kind: linear, start: 0, end: 1, begin: 9, finish: 9}}",
            f"{WEIGHT}: places must rise, not be 9, 9.",
        ),
        (
            f"{WEIGHT}={{kind: cosine, start: 0, end: 1, finish: 2, unit: share}}",
            f"{WEIGHT}: a share of the stage is at most 1, not 2.",
        ),
        (
            f"{WEIGHT}={{kind: linear, start: -1, end: 1, finish: 9}}",
            f"{WEIGHT}.start is -1: input should be greater than or equal to 0.",
        ),
        (
            f"{WEIGHT}={{kind: sudden, start: 0, end: 1, finish: 9}}",
            f"{WEIGHT}.kind is 'sudden': input should be 'linear' or 'cosine'.",
        ),
        (
            f"{WEIGHT}={{kind: linear, start: 0, end: 1, finish: 9, unit: hours}}",
            f"{WEIGHT}.unit is 'hours': input should be 'steps', 'epochs' or 'share'.",
        ),
        (
            f"{WEIGHT}={{kind: linear, start: 0, end: 1, finish: 9, until: 3}}",
            f"{WEIGHT}.until: there is no such field.",
        ),
        (
            "stages.pixel.schedule={kind: milestones, at: [4, 2]}",
            "stages.pixel.schedule: places must rise, not be 4, 2.",
        ),
        (
            "stages.pixel.schedule={kind: milestones, at: [1.2], unit: share}",
            "stages.pixel.schedule: a share of the stage is at most 1, not 1.2.",
        ),
        (
            "stages.pixel.schedule={kind: stairs}",
            "stages.pixel.schedule.kind is 'stairs': "
            "it can be 'constant', 'linear', 'cosine', 'milestones'.",
        ),
        (
            "stages.pixel.schedule={warmup_steps: 5}",
            "stages.pixel.schedule is {'warmup_steps': 5}: it has no kind.",
        ),
        (
            "stages.gan.discriminator_schedule={kind: cosine, periods: 0}",
            "stages.gan.discriminator_schedule.periods is 0: input should be greater than 0.",
        ),
        (
            "stages.gan.losses.structure=0.1",
            "stages.gan.losses.structure is '0.1': it is a section with fields of its own.",
        ),
        (
            "stages.gan.losses.structure.wight=0.1",
            "stages.gan.losses.structure.wight: there is no such field.",
        ),
    ],
)
def test_a_wrong_schedule_is_told_by_its_field(setting: str, told: str) -> None:
    with pytest.raises(BadSetting) as refused:
        override(USRGAN, setting)
    assert str(refused.value) == told


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize("field", ["start", "end", "begin", "finish"])
def test_every_number_of_a_ramp_is_finite_and_not_negative(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Ramp.model_validate({"start": 0, "end": 1, "begin": 1, "finish": 2, field: value})


# --- what is zero throughout


@pytest.mark.parametrize(
    ("scalar", "most"),
    [
        (0.0, 0.0),
        (1e-9, 1e-9),
        (Steps(at=(5,), values=(0, 0)), 0.0),
        (Steps(at=(5, 6), values=(0, 2, 1)), 2.0),
        (Ramp(start=0, end=0, finish=9), 0.0),
        (Ramp(start=0, end=3, finish=9), 3.0),
        (Ramp(start=3, end=0, finish=9), 3.0),
    ],
)
def test_a_value_is_zero_only_where_nothing_of_it_is_more(scalar: object, most: float) -> None:
    assert largest(scalar) == most
    assert is_zero(scalar) == (most == 0)
