"""How many steps a stage has: given, counted in epochs, or measured from minutes."""

from collections.abc import Sized

from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage, PixelStage
from upres.training.state import Progress

TIMED_STEPS = 50
_SETTLING_STEPS = 10  # the first ones fill caches and compile


def stage_minutes(recipe: Recipe, name: str) -> float | None:
    """Return the minutes that stage `name` has, or None where its length is not in minutes."""
    if recipe.budget.minutes is not None:
        shares = recipe.budget.shares or (1.0,) * len(recipe.stages)
        own = dict(zip(recipe.stages, shares, strict=True))[name]
        return recipe.budget.minutes * own / sum(shares)
    return recipe.stages[name].minutes


def stage_steps(recipe: Recipe, name: str, photos: int) -> int | None:
    """Return the steps of stage `name`, or None where they must be measured first."""
    stage: PixelStage | GanStage = recipe.stages[name]
    if stage_minutes(recipe, name) is not None:
        return None
    if stage.steps is not None:
        return stage.steps
    assert stage.epochs is not None  # the schema holds that one of the lengths is given
    return max(1, round(stage.epochs * epoch_steps(recipe, range(photos))))


def epoch_steps(recipe: Recipe, photos: Sized) -> int:
    """Return the steps of an epoch: as many full batches as photos (docs/papers.md, B8)."""
    return max(1, len(photos) // recipe.batch)


def planned_steps(recipe: Recipe, name: str, photos: int, progress: Progress) -> int | None:
    """Return the length of a stage that may have been planned before, perhaps for less time."""
    minutes = stage_minutes(recipe, name)
    if minutes is None or progress.planned is None or progress.planned_for_minutes is None:
        return stage_steps(recipe, name, photos)
    return round(progress.planned * minutes / progress.planned_for_minutes)


def steps_in(
    minutes: float, *, step: int, spent: float, seconds: list[float], judging: float
) -> int:
    """Return the length of a stage of `minutes` after some of its steps were timed.

    step: steps that are done. spent: seconds since the stage began. seconds: of each timed step.
    judging: seconds that all validations together will take. At least TIMED_STEPS.
    """
    settled = seconds[_SETTLING_STEPS:] or seconds
    left = minutes * 60 - spent - judging
    return max(TIMED_STEPS, step + int(left / (sum(settled) / len(settled))))
