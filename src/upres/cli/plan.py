"""What a run would be, before it is started: the recipe, its size, and a timed step."""

import resource
import sys
from collections.abc import Sequence

from upres.cli.live import duration
from upres.cli.stores import training_photos
from upres.networks.build import (
    build_discriminator,
    build_generator,
    count_parameters,
    flops_per_lr_pixel,
)
from upres.processes.devices import Device, Layout
from upres.processes.fabric import fabric_for
from upres.recipes import sources_of
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage
from upres.recipes.text import to_yaml
from upres.training.length import stage_minutes, stage_steps
from upres.training.timing import step_seconds
from upres.upscaling.precision import pick_precision


def plan_text(recipe: Recipe, photos: Sequence[str], layout: Layout) -> str:
    """Return the recipe as YAML, and as comments what a run of it would be and take.

    The time is that of one step of each stage on random pictures, by one process; the memory is
    the program's largest so far. Raises BadSetting as training would.
    """
    generator = build_generator(recipe.generator, recipe.scale, seed=recipe.seed)
    flops = flops_per_lr_pixel(generator)
    pixels = (recipe.crops.hr_patch // recipe.scale) ** 2 * recipe.batch
    lines = [
        f"generator: {count_parameters(generator):,} parameters, {flops / 1e6:.2f} MFLOPs per LR "
        f"pixel, {flops * pixels / 1e9:.1f} GFLOPs for a batch",
    ]
    count = training_photos(photos)
    for name in recipe.stages:
        lines.append(_stage(recipe, name, count, layout.device))
    lines.append(f"largest memory of these steps: {_megabytes():,.0f} MB")
    return to_yaml(recipe, sources_of(recipe)) + "".join(f"# {line}\n" for line in lines)


def _stage(recipe: Recipe, name: str, photos: int, device: Device) -> str:
    stage = recipe.stages[name]
    parts = [f"stage {name}:"]
    if isinstance(stage, GanStage):
        judge = build_discriminator(stage.discriminator, recipe.crops.hr_patch, seed=0)
        parts.append(f"discriminator {count_parameters(judge):,} parameters,")
    fabric = fabric_for(pick_precision(recipe.precision, device), Layout(device=device))
    seconds = step_seconds(fabric, recipe, name)
    parts.append(f"{seconds:.2f} s a step ({recipe.batch / seconds:.1f} images/s),")
    minutes = stage_minutes(recipe, name)
    if minutes is not None:
        parts.append(f"about {minutes * 60 / seconds:,.0f} steps in {minutes:g} minutes")
    else:
        steps = stage_steps(recipe, name, photos) or 0
        parts.append(f"{steps:,} steps, about {duration(steps * seconds)}")
    return " ".join(parts)


def _megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
