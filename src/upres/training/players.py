"""Settings -> the networks and optimisers of one stage, ready to be called."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from upres.networks.build import build_discriminator, build_generator
from upres.networks.features import FeatureNetwork
from upres.recipes.schema import Recipe
from upres.recipes.stages import SGD, Adam, GanStage, PixelStage
from upres.training.ema import averaged_copy
from upres.training.fabric import in_precision
from upres.training.perceivers import Perceivers
from upres.training.state import StageState
from upres.training.step import Eyes, Player


@dataclass(frozen=True)
class Players:
    """How the networks of a StageState are called in training."""

    generator: Player
    discriminator: Player | None
    eyes: Eyes


def new_state(
    recipe: Recipe,
    stage: PixelStage | GanStage,
    start: Mapping[str, Tensor] | None,
    trunk: FeatureNetwork | None = None,
) -> StageState:
    """Return a stage's state at step 0: seeded networks, or `start` as the generator's weights.

    trunk: the pretrained network of a discriminator that has one.
    """
    generator = build_generator(recipe.generator, recipe.scale, seed=recipe.seed)
    if start is not None:
        generator.load_state_dict(dict(start))
    generator.train()
    average = averaged_copy(generator) if stage.ema is not None else None
    state = StageState(generator, _optimiser(generator, stage.optimiser), average)
    if isinstance(stage, GanStage):
        state.discriminator = build_discriminator(
            stage.discriminator, recipe.crops.hr_patch, seed=recipe.seed + 1, trunk=trunk
        )
        state.discriminator_optimiser = _optimiser(
            state.discriminator, stage.discriminator_optimiser
        )
    return state


def set_up(
    fabric: Fabric,
    recipe: Recipe,
    stage: PixelStage | GanStage,
    state: StageState,
    perceivers: Perceivers,
) -> Players:
    """Return the callables of the step functions under Fabric's precision and memory format."""
    if recipe.channels_last:
        for network in perceivers.networks():
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator = _player(fabric, recipe, stage, state.generator, state.optimiser)
    eyes = Eyes(perceivers.features, perceivers.lpips, perceivers.dists)
    if not isinstance(stage, GanStage):
        return Players(generator, None, eyes)
    if perceivers.features is not None and stage.losses.content.precision == "bf16":
        perceivers.features.to(torch.bfloat16)
    assert state.discriminator is not None and state.discriminator_optimiser is not None
    discriminator = _player(
        fabric, recipe, stage, state.discriminator, state.discriminator_optimiser
    )
    return Players(generator, discriminator, eyes)


def _player(
    fabric: Fabric,
    recipe: Recipe,
    stage: PixelStage | GanStage,
    network: nn.Module,
    optimiser: Optimizer,
) -> Player:
    if recipe.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Player(in_precision(fabric, network), network, optimiser, stage.clip_norm)


def _optimiser(network: nn.Module, settings: Adam | SGD) -> Optimizer:
    match settings:
        case Adam():
            return torch.optim.Adam(
                network.parameters(),
                lr=settings.rate,
                betas=(settings.beta1, settings.beta2),
                eps=settings.epsilon,
                weight_decay=settings.weight_decay,
            )
        case SGD():
            return _descent(network, settings)


def _descent(network: nn.Module, settings: SGD) -> torch.optim.SGD:
    """Descent in two groups: the last convolution, in the order of definition, and the rest."""
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    last = {id(parameter) for module in convolutions[-1:] for parameter in module.parameters()}
    groups = [
        {"params": [p for p in network.parameters() if id(p) not in last], "rate_factor": 1.0},
        {
            "params": [p for p in network.parameters() if id(p) in last],
            "rate_factor": settings.last_layer,
        },
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=settings.rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
