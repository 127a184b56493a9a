"""Settings -> the networks and optimisers of one stage, ready to be called."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from upres.networks.build import build_discriminator, build_generator
from upres.networks.features import FeatureNetwork
from upres.processes.fabric import computes_in, fabric_for, in_precision
from upres.processes.scaling import new_scaler
from upres.processes.sharding import is_sharded
from upres.processes.together import as_in_first
from upres.recipes.schema import Recipe
from upres.recipes.stages import SGD, Adam, GanStage, PixelStage
from upres.training.ema import averaged_copy
from upres.training.learning import Player
from upres.training.perceivers import Perceivers
from upres.training.state import StageState
from upres.training.step import Eyes


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
    fabric: Fabric | None = None,
) -> StageState:
    """Return a stage's state at step 0: seeded networks, or `start` as the generator's weights.

    trunk: the pretrained network of a discriminator that has one. fabric: where the networks lie
    and how they are spread; by default whole on the processor.
    """
    fabric = fabric or fabric_for("float32")
    generator = build_generator(recipe.generator, recipe.scale, seed=recipe.seed)
    if start is not None:
        generator.load_state_dict(dict(start))
    generator = _placed(fabric, generator.train())
    average = averaged_copy(generator) if stage.ema is not None else None
    generator = _joined(fabric, generator)
    if isinstance(fabric.strategy, ModelParallelStrategy):
        fabric.strategy.setup_module(generator)
        if average is not None:
            fabric.strategy.setup_module(average)
    state = StageState(generator, _optimiser(generator, stage.optimiser), average)
    state.scaler = _scaler(fabric, recipe)
    if isinstance(stage, GanStage):
        discriminator = build_discriminator(
            stage.discriminator, recipe.crops.hr_patch, seed=recipe.seed + 1, trunk=trunk
        )
        discriminator = _joined(fabric, _placed(fabric, discriminator))
        state.discriminator = discriminator
        state.discriminator_optimiser = _optimiser(discriminator, stage.discriminator_optimiser)
        state.discriminator_scaler = _scaler(fabric, recipe)
    return state


def _placed(fabric: Fabric, network: nn.Module) -> nn.Module:
    """The network on the device, with the first process's values in all of them."""
    network.to(fabric.device)
    as_in_first(fabric, [*network.parameters(), *network.buffers()])
    return network


def _joined(fabric: Fabric, network: nn.Module) -> nn.Module:
    """The network whose batch norm sees the batch of all processes; only CUDA can do this."""
    if fabric.world_size == 1 or fabric.device.type != "cuda":
        return network
    joined: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return joined


def _scaler(fabric: Fabric, recipe: Recipe) -> GradScaler:
    return new_scaler(computes_in(fabric), recipe.gradient_scaler, fabric.device.type)


def set_up(
    fabric: Fabric,
    recipe: Recipe,
    stage: PixelStage | GanStage,
    state: StageState,
    perceivers: Perceivers,
    parts: int = 1,
) -> Players:
    """Return the callables of the step functions under Fabric's precision and memory format.

    parts: of a batch, seen one after another (`learning.Player`).
    """
    for network in perceivers.networks():
        network.to(fabric.device)
        _set_layout(recipe, network)

    def player(network: nn.Module, optimiser: Optimizer, scaler: GradScaler) -> Player:
        _set_layout(recipe, network)
        called = in_precision(fabric, network)
        return Player(called, network, optimiser, stage.clip_norm, scaler, parts)

    generator = player(state.generator, state.optimiser, state.scaler)
    eyes = Eyes(perceivers.features, perceivers.lpips, perceivers.dists)
    if not isinstance(stage, GanStage):
        return Players(generator, None, eyes)
    if perceivers.features is not None and stage.losses.content.precision == "bf16":
        perceivers.features.to(torch.bfloat16)
    assert state.discriminator is not None and state.discriminator_optimiser is not None
    judge, learns = state.discriminator, state.discriminator_optimiser
    discriminator = player(judge, learns, state.discriminator_scaler)
    return Players(generator, discriminator, eyes)


def _set_layout(recipe: Recipe, network: nn.Module) -> None:
    if recipe.channels_last and not is_sharded(network):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


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
