"""The pretrained networks that a stage's losses look through, real ones or stand-ins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from upres.networks.dists import DISTS
from upres.networks.features import FeatureNetwork, FeatureNetworkName
from upres.networks.lpips import LPIPS
from upres.networks.trunk_discriminator import TrunkDiscriminatorSettings
from upres.recipes.stages import GanStage, PixelStage
from upres.recipes.terms import feature_layers, weights_of
from upres.weights.perceptual import TRUNK_OF, LPIPSName, load_dists, load_features, load_lpips

Features = Callable[[Tensor], Mapping[str, Tensor]]
Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Perceivers:
    """What a stage's losses need; None where no term asks for it.

    features: of the content and style terms. trunk: of a discriminator that has one.
    """

    features: FeatureNetwork | None = None
    lpips: LPIPS | None = None
    dists: DISTS | None = None
    trunk: FeatureNetwork | None = None

    def networks(self) -> list[nn.Module]:
        """Return those that are there."""
        found = (getattr(self, field.name) for field in fields(self))
        return [network for network in found if network is not None]


@dataclass(frozen=True)
class Need:
    """Published files that a stage cannot do without, and the field that would avoid them."""

    what: str
    files: tuple[str, ...]
    remedy: str


def published_needs(stage: PixelStage | GanStage) -> list[Need]:
    """Return what must be on this machine, or be fetched, before the stage can begin."""
    acting, losses = dict(weights_of(stage.losses)), stage.losses
    needs = []
    if losses.lpips is not None and "lpips" in acting:
        name = losses.lpips.trunk
        trunk_and_heads = (TRUNK_OF[name], f"lpips-{name}")
        needs.append(Need("the LPIPS term", trunk_and_heads, "losses.lpips=null"))
    if "dists" in acting:
        needs.append(Need("the DISTS term", ("vgg16", "dists"), "losses.dists=null"))
    if isinstance(stage, GanStage):
        remedies = {"content": "losses.content.weight=0", "style": "losses.style=null"}
        needs += [
            Need(f"the {term} term", (stage.losses.content.network,), remedy)
            for term, remedy in remedies.items()
            if term in acting
        ]
    if isinstance(stage, GanStage) and isinstance(stage.discriminator, TrunkDiscriminatorSettings):
        judge = stage.discriminator
        needs.append(Need("the discriminator", (judge.network,), "discriminator.kind=vgg"))
    return needs


def load_perceivers(stage: PixelStage | GanStage, weights_dir: Path | None) -> Perceivers:
    """Return the stage's networks with their published weights. Raises MissingWeights."""
    return _assembled(
        stage,
        features=partial(load_features, weights_dir=weights_dir),
        lpips=partial(load_lpips, weights_dir=weights_dir),
        dists=partial(load_dists, weights_dir=weights_dir),
    )


def untrained_perceivers(stage: PixelStage | GanStage) -> Perceivers:
    """Return networks of the same shapes with random weights: for timing and for tests."""
    return _assembled(
        stage,
        features=FeatureNetwork,
        lpips=lambda name: LPIPS(TRUNK_OF[name]),
        dists=DISTS,
    )


def _assembled(
    stage: PixelStage | GanStage,
    *,
    features: Callable[[FeatureNetworkName, Sequence[str]], FeatureNetwork],
    lpips: Callable[[LPIPSName], LPIPS],
    dists: Callable[[], DISTS],
) -> Perceivers:
    acting, losses = dict(weights_of(stage.losses)), stage.losses
    found = Perceivers()
    if losses.lpips is not None and "lpips" in acting:
        found = replace(found, lpips=lpips(losses.lpips.trunk))
    if "dists" in acting:
        found = replace(found, dists=dists())
    if not isinstance(stage, GanStage):
        return found
    layers = feature_layers(stage.losses)
    if layers:
        found = replace(found, features=features(stage.losses.content.network, layers))
    judge = stage.discriminator
    if isinstance(judge, TrunkDiscriminatorSettings):
        found = replace(found, trunk=features(judge.network, (judge.layer,)))
    return found
