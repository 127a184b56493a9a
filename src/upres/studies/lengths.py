"""How long each run of a study is: equally long, and together as long as was asked for."""

from collections.abc import Callable
from pathlib import Path

from upres.recipes.schema import Recipe
from upres.recipes.text import changed, from_yaml
from upres.training.journal import read_events
from upres.training.length import stage_minutes


def with_budget(
    recipe: Recipe, folder: Path, points: int, shared: tuple[str, ...], note: Callable[[str], None]
) -> Recipe:
    """Return `recipe` with its first point's part of the study's minutes, if it has a budget.

    folder: of the first point's run. What has begun there keeps its length, so that points can be
    added to a study; `note` is told so.
    """
    if recipe.budget.minutes is None:
        return recipe
    minutes = lead_minutes(recipe, points, shared)
    begun = folder / "recipe.yaml"
    if begun.exists():
        kept = from_yaml(begun.read_text(encoding="utf-8"), name=str(begun)).budget.minutes
        if kept is not None and abs(kept - minutes) > 1e-9:
            note(f"{folder} has begun with {kept:.3g} minutes: all points keep its length")
            minutes = kept
    return changed(recipe, {"budget.minutes": minutes})


def lead_minutes(recipe: Recipe, points: int, shared: tuple[str, ...]) -> float:
    """Return the first point's part of the minutes of a study; the others train fewer stages.

    recipe: with the study's minutes as its budget. shared: stages that the first trains for all.
    Of two equal stages, the first shared by 7 points, a study is 8 stages long, its first point 2.
    """
    assert recipe.budget.minutes is not None  # the caller has asked
    shares = recipe.budget.shares or (1.0,) * len(recipe.stages)
    whole = sum(shares)
    own = whole - sum(
        share for name, share in zip(recipe.stages, shares, strict=True) if name in shared
    )
    return recipe.budget.minutes * whole / (whole + (points - 1) * own)


def as_long(recipe: Recipe, lead: Recipe, folder: Path) -> Recipe:
    """Return `recipe` with the steps of the finished first run for what that has in minutes.

    lead: the first run's recipe. folder: where it is. Minutes alone would be other steps for each
    point, as busy as the machine is.
    """
    ends: dict[str, int] = {}
    for event in read_events(folder / "metrics.jsonl"):
        if event["event"] == "validation":
            ends[event["stage"]] = event["step"]
    timed = [name for name in lead.stages if stage_minutes(lead, name) is not None]
    steps = {f"stages.{name}.steps": ends[name] for name in timed}
    return changed(recipe, {"budget.minutes": None, **steps})
