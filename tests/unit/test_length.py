"""How long a stage is."""

from upres.recipes import RECIPES
from upres.recipes.text import changed
from upres.training.length import planned_steps, stage_minutes, stage_steps, steps_in
from upres.training.state import Progress

USRGAN = RECIPES["usrgan"]


def test_paper_b_epoch_is_74_steps_of_2385_images() -> None:
    # paper B 5.1; 2,385 // 32 = 74, so 17 images are left over (docs/papers.md, B8)
    assert stage_steps(USRGAN, "pixel", 2385) == 200 * 74 == 14_800


def test_an_epoch_of_fewer_photos_than_a_batch_is_one_step() -> None:
    assert stage_steps(USRGAN, "pixel", 5) == 200


def test_a_budget_is_parted_by_its_shares() -> None:
    recipe = changed(USRGAN, {"budget.minutes": 30.0, "budget.shares": (1.0, 2.0)})
    assert (stage_minutes(recipe, "pixel"), stage_minutes(recipe, "gan")) == (10.0, 20.0)
    assert stage_steps(recipe, "pixel", 100) is None


def test_a_budget_without_shares_is_parted_equally() -> None:
    recipe = changed(USRGAN, {"budget.minutes": 30.0})
    assert stage_minutes(recipe, "gan") == 15.0


def test_minutes_become_steps_by_the_settled_time_of_a_step() -> None:
    seconds = [9.0] * 10 + [0.5] * 40  # the first ten compile
    # 2 min - 20 s spent - 10 s judging = 90 s = 180 steps of half a second, after the 50
    assert steps_in(2, step=50, spent=20, seconds=seconds, judging=10) == 50 + 180


def test_a_stage_never_gets_shorter_than_what_was_timed() -> None:
    assert steps_in(0.1, step=50, spent=100, seconds=[1.0] * 50, judging=0) == 50


def test_more_minutes_extend_a_stage_that_was_planned_for_fewer() -> None:
    recipe = changed(USRGAN, {"budget.minutes": 60.0})
    planned = Progress(step=400, planned=1000, planned_for_minutes=20.0)
    assert planned_steps(recipe, "pixel", 9, planned) == 1500


def test_a_stage_in_minutes_is_not_planned_before_it_was_timed() -> None:
    assert planned_steps(changed(USRGAN, {"budget.minutes": 60.0}), "gan", 9, Progress()) is None
