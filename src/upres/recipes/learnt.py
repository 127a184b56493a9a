"""Which metrics a recipe's losses are: a model must not be praised for what it was trained on."""

from collections.abc import Mapping
from typing import Any

from upres.recipes.schema import Recipe
from upres.recipes.terms import GanLosses, PixelLosses, weights_of


def metrics_learnt(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the metrics that a stage of `recipe` has as a loss, without spaces.

    recipe: as a checkpoint's header has it; none of this program's gives none.
    A mean squared error is PSNR. Any layer of a feature network in a content or style loss makes
    all distances by that network's features learnt ("vgg19").
    """
    try:
        stages = Recipe.model_validate(recipe).stages.values()
    except ValueError:  # no recipe, or one of another version
        return ()
    names = {name for stage in stages for name in _of_stage(stage.losses)}
    return tuple(sorted(names))


def _of_stage(losses: PixelLosses | GanLosses) -> set[str]:
    acting = {name for name, _ in weights_of(losses)}
    names = set()
    if "pixel" in acting and losses.pixel.form == "mse":
        names.add("psnr")
    if "structure" in acting and losses.structure is not None:
        names.add(losses.structure.form.replace("-", "_"))
    if "lpips" in acting and losses.lpips is not None:
        names.add(f"lpips_{losses.lpips.trunk}")
    if "dists" in acting:
        names.add("dists")
    if {"content", "style"} & acting and isinstance(losses, GanLosses):
        names.add(losses.content.network)  # the style term has the same network
    return names
