"""How long one step of a stage takes here, measured on random pictures and untrained networks."""

import time

import torch
from lightning_fabric import Fabric
from torch import Tensor

from upres.networks.features import FeatureNetwork
from upres.recipes.schema import GanStage, PixelStage, Recipe
from upres.training.players import Players, new_state, set_up
from upres.training.step import discriminator_step, generator_step, pixel_step

_STEPS = 3  # the first one fills caches


def step_seconds(fabric: Fabric, recipe: Recipe, name: str) -> float:
    """Return the seconds of the quickest of a few steps of stage `name`, not compiled."""
    stage = recipe.stages[name]
    state = new_state(recipe, stage, None)
    players = set_up(fabric, recipe, stage, state, _untrained_features(stage))
    drawn = torch.Generator().manual_seed(0)
    side = recipe.crops.hr_patch
    hr = torch.rand(recipe.batch, side, side, 3, generator=drawn).permute(0, 3, 1, 2)
    lr = hr[..., :: recipe.scale, :: recipe.scale]
    times = []
    for _ in range(_STEPS):
        began = time.perf_counter()
        _step(fabric, stage, players, lr, hr)
        times.append(time.perf_counter() - began)
    return min(times)


def _step(
    fabric: Fabric, stage: PixelStage | GanStage, players: Players, lr: Tensor, hr: Tensor
) -> None:
    if isinstance(stage, PixelStage):
        pixel_step(fabric, players.generator, lr, hr, stage.losses)
        return
    assert players.discriminator is not None  # a GAN stage has one
    found = generator_step(
        fabric,
        players.generator,
        players.discriminator,
        players.features,
        lr,
        hr,
        stage.losses,
        shares=False,
    )
    discriminator_step(fabric, players.discriminator, hr, found.sr, stage.losses)


def _untrained_features(stage: PixelStage | GanStage) -> FeatureNetwork | None:
    if not isinstance(stage, GanStage) or stage.losses.content.weight == 0:
        return None
    return FeatureNetwork(stage.losses.content.network, tuple(stage.losses.content.layers))
