"""Whether a recipe can be trained in a layout: refused in a sentence before anything begins."""

from upres.errors import BadSetting
from upres.losses.adversarial import ADVERSARIAL_PAIRS
from upres.networks.build import has_batch_norm
from upres.processes.devices import Layout, shares
from upres.processes.scaling import check_precision
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage, PixelStage
from upres.upscaling.precision import ComputePrecision


def refuse_layout(recipe: Recipe, precision: ComputePrecision, layout: Layout) -> None:
    """Raise BadSetting where the batch cannot be parted, or parts of it would mean another loss."""
    check_precision(precision, recipe.gradient_scaler, layout)
    shares(recipe.batch, layout)
    if layout.accumulate == 1:
        return
    if has_batch_norm(recipe.generator):
        _refuse_parts("the generator has batch norm, whose statistics", "choose one without it")
    for name, stage in recipe.stages.items():
        _refuse_parts_of_stage(name, stage)


def own_statistics(recipe: Recipe, layout: Layout) -> list[str]:
    """Return the networks whose batch norm sees its own process's share of a batch only."""
    if layout.count == 1 or layout.device == "cuda":
        return []
    found = ["the generator"] if has_batch_norm(recipe.generator) else []
    for name, stage in recipe.stages.items():
        if isinstance(stage, GanStage) and has_batch_norm(stage.discriminator):
            found.append(f"the discriminator of stage {name}")
    return found


def _refuse_parts_of_stage(name: str, stage: PixelStage | GanStage) -> None:
    if not isinstance(stage, GanStage):
        return
    form = stage.losses.adversarial.form
    if has_batch_norm(stage.discriminator):
        what = f"the discriminator of stage {name} has batch norm, whose statistics"
        _refuse_parts(what, f"set stages.{name}.discriminator.norm=spectral")
    if ADVERSARIAL_PAIRS[form].averages:
        what = f"the {form} loss of stage {name} compares with means that"
        _refuse_parts(what, f"set stages.{name}.losses.adversarial.form=relativistic")
    if stage.balance.adaptive:
        what = f"the adaptive weight of stage {name} compares gradients that"
        _refuse_parts(what, f"set stages.{name}.balance.adaptive=false")


def _refuse_parts(what: str, remedy: str) -> None:
    raise BadSetting(
        f"{what} need the whole batch, which --accumulate sees in parts: leave --accumulate out, "
        f"use more processes, or {remedy}."
    )
