"""How long one step of a stage takes here, measured on random pictures and untrained networks."""

import time

import torch
from lightning_fabric import Fabric
from torch import Tensor

from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage, PixelStage
from upres.recipes.terms import weights_of
from upres.training.perceivers import untrained_perceivers
from upres.training.players import Players, new_state, set_up
from upres.training.step import (
    GanAim,
    PixelAim,
    discriminator_step,
    generator_step,
    pixel_step,
)

_STEPS = 3  # the first one fills caches


def step_seconds(fabric: Fabric, recipe: Recipe, name: str) -> float:
    """Return the seconds of the quickest of a few steps of stage `name`, not compiled."""
    stage = recipe.stages[name]
    perceivers = untrained_perceivers(stage)
    state = new_state(recipe, stage, None, perceivers.trunk)
    players = set_up(fabric, recipe, stage, state, perceivers)
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
    weights = dict.fromkeys(dict(weights_of(stage.losses)), 1.0)  # all that ever act
    if isinstance(stage, PixelStage):
        aim = PixelAim(stage.losses, weights)
        pixel_step(fabric, players.generator, players.eyes, lr, hr, aim)
        return
    assert players.discriminator is not None  # a GAN stage has one
    limit = stage.balance.adaptive_limit if stage.balance.adaptive else None
    found = generator_step(
        fabric,
        players.generator,
        players.discriminator,
        players.eyes,
        lr,
        hr,
        GanAim(stage.losses, weights, limit),
    )
    for _ in range(stage.balance.discriminator_steps):
        form = stage.losses.adversarial.form
        discriminator_step(fabric, players.discriminator, hr, found.sr, form)
