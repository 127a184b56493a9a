"""One optimiser step of each player: the papers' algorithms from top to bottom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from upres.errors import Diverged
from upres.losses.adversarial import ADVERSARIAL_PAIRS
from upres.losses.content import content
from upres.losses.pixel import PIXEL_LOSSES
from upres.recipes.schema import GanLosses, PixelLosses, PixelTerm

Features = Callable[[Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Player:
    """A network that learns: its call under the run's precision, and its optimiser."""

    network: Callable[[Tensor], Tensor]
    parameters: tuple[nn.Parameter, ...]
    optimiser: Optimizer
    clip_norm: float | None = None


@dataclass(frozen=True)
class Found:
    """What a generator step found: its picture and the mean of every term, all detached."""

    sr: Tensor
    terms: Mapping[str, float]  # unweighted
    weighted: Mapping[str, float]
    gradient_shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """What a discriminator step found. accuracy: share of pictures on the right side of 0."""

    loss: float
    accuracy: float
    real: float
    fake: float


def pixel_step(
    fabric: Fabric, generator: Player, lr: Tensor, hr: Tensor, losses: PixelLosses
) -> Found:
    """Update the generator once by the pixels alone.

    lr (n, 3, h, w) and hr (n, 3, s*h, s*w): float32 RGB in 0..1. Raises Diverged.
    """
    sr = generator.network(lr)
    terms = {"pixel": _pixel(sr, hr, losses.pixel)}
    return _update(fabric, generator, sr, terms, {"pixel": losses.pixel.weight}, shares=False)


def generator_step(
    fabric: Fabric,
    generator: Player,
    discriminator: Player,
    features: Features | None,
    lr: Tensor,
    hr: Tensor,
    losses: GanLosses,
    shares: bool,
) -> Found:
    """Update the generator once by pixels, features and the discriminator's opinion.

    Only the generator moves: the discriminator's parameters take no gradient.
    features: picture (n, 3, H, W) in 0..1 -> feature maps by layer name.
    shares: also measure how much of the gradient at the generator's output each term gives.
    Source: Wang et al. 2018 (ESRGAN) section 3.3; Esfahani (USRGAN) equation 5. Raises Diverged.
    """
    sr = generator.network(lr)
    terms = {}
    if losses.pixel.weight:
        terms["pixel"] = _pixel(sr, hr, losses.pixel)
    if losses.content.weight and features is not None:
        with torch.no_grad():
            of_hr = features(hr)
        layers, form = losses.content.layers, losses.content.form
        terms["content"] = content(features(sr), of_hr, layers, form).mean()
    if losses.adversarial.weight:
        _take_gradients(discriminator, False)
        pair = ADVERSARIAL_PAIRS[losses.adversarial.form]
        with torch.no_grad():
            real = discriminator.network(hr)
        terms["adversarial"] = pair.generator(real, discriminator.network(sr)).mean()
        _take_gradients(discriminator, True)
    weights = {name: getattr(losses, name).weight for name in terms}
    return _update(fabric, generator, sr, terms, weights, shares=shares)


def discriminator_step(
    fabric: Fabric, discriminator: Player, hr: Tensor, sr: Tensor, losses: GanLosses
) -> Judgement:
    """Update the discriminator once on real pictures `hr` and the generator's detached `sr`.

    Source: Goodfellow et al. 2014; relativistic average as ESRGAN equation 1. Raises Diverged.
    """
    real, fake = discriminator.network(hr), discriminator.network(sr.detach())
    loss = ADVERSARIAL_PAIRS[losses.adversarial.form].discriminator(real, fake).mean()
    _refuse_non_finite({"discriminator": float(loss.detach())})
    _step(fabric, discriminator, loss)
    right = torch.cat([real.detach() > 0, fake.detach() < 0]).float().mean()
    return Judgement(
        float(loss.detach()),
        float(right),
        float(real.detach().mean()),
        float(fake.detach().mean()),
    )


def _pixel(sr: Tensor, hr: Tensor, term: PixelTerm) -> Tensor:
    return PIXEL_LOSSES[term.form](sr, hr).mean()


def _update(
    fabric: Fabric,
    generator: Player,
    sr: Tensor,
    terms: Mapping[str, Tensor],
    weights: Mapping[str, float],
    *,
    shares: bool,
) -> Found:
    weighted = {name: weights[name] * term for name, term in terms.items()}
    values = {name: float(term.detach()) for name, term in terms.items()}
    _refuse_non_finite(values)
    measured = gradient_shares(sr, weighted) if shares else {}
    _step(fabric, generator, torch.stack(list(weighted.values())).sum())
    return Found(
        sr.detach(),
        values,
        {name: float(term.detach()) for name, term in weighted.items()},
        measured,
    )


def gradient_shares(sr: Tensor, weighted: Mapping[str, Tensor]) -> dict[str, float]:
    """Return each term's share of the sum of gradient norms at the generator's output."""
    norms = {
        name: float(torch.autograd.grad(term, sr, retain_graph=True)[0].norm())
        for name, term in weighted.items()
    }
    total = sum(norms.values())
    return {name: norm / total if total else 0.0 for name, norm in norms.items()}


def _step(fabric: Fabric, player: Player, loss: Tensor) -> None:
    player.optimiser.zero_grad(set_to_none=True)
    fabric.backward(loss)
    if player.clip_norm is not None:
        nn.utils.clip_grad_norm_(player.parameters, player.clip_norm)
    player.optimiser.step()


def _take_gradients(player: Player, value: bool) -> None:
    for parameter in player.parameters:
        parameter.requires_grad_(value)


def _refuse_non_finite(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not torch.isfinite(torch.tensor(value)):
            raise Diverged(f"the {name} loss is {value}")
