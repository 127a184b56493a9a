"""What a study would be, before it is started: its points, and the time by a timed step."""

from collections.abc import Sequence

from upres.cli.live import duration
from upres.cli.stores import training_photos
from upres.processes.devices import Device, Layout
from upres.processes.fabric import fabric_for
from upres.recipes.text import changed
from upres.studies.lengths import lead_minutes
from upres.studies.points import Point
from upres.training.length import stage_minutes, stage_steps
from upres.training.timing import step_seconds
from upres.upscaling.precision import pick_precision


def study_plan(
    points: Sequence[Point], shared: tuple[str, ...], photos: Sequence[str], device: Device
) -> str:
    """Return the points of a study and how often and how long each stage would train.

    The time is that of one step of the recipe's stages on random pictures; judging the points on
    held-out photos comes to it. Raises BadSetting and BadPhotos as training would.
    """
    recipe = points[0].recipe
    if recipe.budget.minutes is not None:
        own = lead_minutes(recipe, len(points), shared)
        recipe = changed(recipe, {"budget.minutes": own})
    count = training_photos(photos)
    fabric = fabric_for(pick_precision(recipe.precision, device), Layout(device=device))
    lines = [f"{len(points)} points:", *(f"  {point.name}" for point in points)]
    total = 0.0
    for name in recipe.stages:
        seconds = step_seconds(fabric, recipe, name)
        minutes = stage_minutes(recipe, name)
        if minutes is None:
            steps = stage_steps(recipe, name, count) or 0
        else:
            steps = round(minutes * 60 / seconds)
        times = 1 if name in shared else len(points)
        total += times * steps * seconds
        often = "once, for all points" if times == 1 else f"{times} times"
        lines.append(
            f"stage {name}: {steps:,} steps of {seconds:.2f} s, about "
            f"{duration(steps * seconds)}, {often}"
        )
    lines.append(f"together about {duration(total)}, and the time to judge {len(points)} models")
    return "".join(f"{line}\n" for line in lines)
