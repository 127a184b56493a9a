"""Settings -> the networks and optimisers of one stage, ready to be called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.networks.build import build_discriminator, build_generator
from upres.networks.features import FeatureNetwork
from upres.recipes.schema import Adam, ContentTerm, GanStage, PixelStage, Recipe
from upres.training.ema import averaged_copy
from upres.training.fabric import in_precision
from upres.training.state import StageState
from upres.training.step import Features, Player
from upres.weights.perceptual import load_features


@dataclass(frozen=True)
class Players:
    """How the networks of a StageState are called in training."""

    generator: Player
    discriminator: Player | None
    features: Features | None


def new_state(
    recipe: Recipe, stage: PixelStage | GanStage, start: Mapping[str, Tensor] | None
) -> StageState:
    """Return a stage's state at step 0: seeded networks, or `start` as the generator's weights."""
    generator = build_generator(recipe.generator, recipe.scale, seed=recipe.seed)
    if start is not None:
        generator.load_state_dict(dict(start))
    generator.train()
    average = averaged_copy(generator) if stage.ema is not None else None
    state = StageState(generator, _adam(generator, stage.optimiser), average)
    if isinstance(stage, GanStage):
        state.discriminator = build_discriminator(
            stage.discriminator, recipe.crops.hr_patch, seed=recipe.seed + 1
        )
        state.discriminator_optimiser = _adam(state.discriminator, stage.discriminator_optimiser)
    return state


def set_up(
    fabric: Fabric,
    recipe: Recipe,
    stage: PixelStage | GanStage,
    state: StageState,
    features: FeatureNetwork | None,
) -> Players:
    """Return the callables of the step functions under Fabric's precision and memory format."""
    generator = _player(fabric, recipe, stage, state.generator, state.optimiser)
    if not isinstance(stage, GanStage):
        return Players(generator, None, None)
    assert state.discriminator is not None and state.discriminator_optimiser is not None
    discriminator = _player(
        fabric, recipe, stage, state.discriminator, state.discriminator_optimiser
    )
    return Players(
        generator, discriminator, _content_features(features, stage.losses.content, recipe)
    )


def stage_features(stage: PixelStage | GanStage, weights_dir: Path | None) -> FeatureNetwork | None:
    """Return the pretrained network of the stage's content term. Raises MissingWeights."""
    if not isinstance(stage, GanStage) or stage.losses.content.weight == 0:
        return None
    term = stage.losses.content
    return load_features(term.network, tuple(term.layers), weights_dir)


def _player(
    fabric: Fabric,
    recipe: Recipe,
    stage: PixelStage | GanStage,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> Player:
    if recipe.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Player(
        in_precision(fabric, network), tuple(network.parameters()), optimiser, stage.clip_norm
    )


def _content_features(
    features: FeatureNetwork | None, term: ContentTerm, recipe: Recipe
) -> Features | None:
    if features is None:
        return None
    if recipe.channels_last:
        features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if term.precision == "bf16":
        features.to(torch.bfloat16)
    return features


def _adam(network: nn.Module, settings: Adam) -> torch.optim.Adam:
    return torch.optim.Adam(
        network.parameters(),
        lr=settings.rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
    )
