"""One optimiser step of each player: the papers' algorithms from top to bottom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from upres.errors import Diverged
from upres.losses.adversarial import ADVERSARIAL_PAIRS, AdversarialForm
from upres.losses.regularisers import gradient_penalty
from upres.recipes.terms import GanLosses, PixelLosses
from upres.training.perceivers import Distance, Features
from upres.training.terms import feature_terms, picture_terms


@dataclass(frozen=True)
class Player:
    """A network that learns: its call under the run's precision, and its optimiser.

    module: the network itself, which computes in float32 when it is called.
    """

    network: Callable[[Tensor], Tensor]
    module: nn.Module
    optimiser: Optimizer
    clip_norm: float | None = None


@dataclass(frozen=True)
class Eyes:
    """What a generator is judged through; None where no term asks for it."""

    features: Features | None = None
    lpips: Distance | None = None
    dists: Distance | None = None


@dataclass(frozen=True)
class PixelAim:
    """What the generator is to do without a discriminator: terms, and their weights now."""

    losses: PixelLosses
    weights: Mapping[str, float]


@dataclass(frozen=True)
class GanAim:
    """What the generator is to do against a discriminator: terms, and their weights now.

    adaptive_limit: if given, the adversarial term is first brought to the norm of the others, by
    at most this factor.
    """

    losses: GanLosses
    weights: Mapping[str, float]
    adaptive_limit: float | None = None


@dataclass(frozen=True)
class Found:
    """What a generator step found: its picture and the mean of every term, all detached."""

    sr: Tensor
    terms: Mapping[str, float]  # unweighted
    weights: Mapping[str, float]  # those that acted
    weighted: Mapping[str, float]
    gradient_norms: Mapping[str, float] = field(default_factory=dict)  # of weighted terms


@dataclass(frozen=True)
class Penalties:
    """Weights of the penalties on the discriminator's gradient at photos and at fakes."""

    r1: float = 0.0
    r2: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """What a discriminator step found. accuracy: share of logits on the side it wants them on.

    real, fake: mean logits. updated: 1 if it learned, 0 if it was only asked.
    """

    loss: float
    accuracy: float
    real: float
    fake: float
    updated: float


def pixel_step(
    fabric: Fabric,
    generator: Player,
    eyes: Eyes,
    lr: Tensor,
    hr: Tensor,
    aim: PixelAim,
    norms: bool = False,
) -> Found:
    """Update the generator once by the pictures alone.

    lr (n, 3, h, w) and hr (n, 3, s*h, s*w): float32 RGB in 0..1.
    norms: also measure the gradient of each term. Raises Diverged.
    """
    sr = generator.network(lr)
    terms = picture_terms(sr, hr, aim.losses, aim.weights, lpips=eyes.lpips, dists=eyes.dists)
    return _update(fabric, generator, sr, terms, aim.weights, norms=norms)


def generator_step(
    fabric: Fabric,
    generator: Player,
    discriminator: Player,
    eyes: Eyes,
    lr: Tensor,
    hr: Tensor,
    aim: GanAim,
    norms: bool = False,
) -> Found:
    """Update the generator once by pictures, features and the discriminator's opinion.

    Only the generator moves: the discriminator's parameters take no gradient.
    Source: Wang et al. 2018 (ESRGAN) section 3.3; Esfahani (USRGAN) equation 5; the adaptive
    weight: Esser et al. 2021 (VQGAN) equation 7. Raises Diverged.
    """
    sr = generator.network(lr)
    losses, weights = aim.losses, aim.weights
    terms = picture_terms(sr, hr, losses, weights, lpips=eyes.lpips, dists=eyes.dists)
    terms |= feature_terms(sr, hr, losses, weights, eyes.features)
    if weights.get("adversarial"):
        pair = ADVERSARIAL_PAIRS[losses.adversarial.form]
        _take_gradients(discriminator, False)
        with torch.no_grad():
            real = discriminator.network(hr)
        terms["adversarial"] = pair.generator(real, discriminator.network(sr)).mean()
        _take_gradients(discriminator, True)
        if aim.adaptive_limit is not None:
            factor = _levelling_factor(sr, terms, weights, aim.adaptive_limit)
            weights = {**weights, "adversarial": weights["adversarial"] * factor}
    return _update(fabric, generator, sr, terms, weights, norms=norms)


def discriminator_step(
    fabric: Fabric,
    discriminator: Player,
    hr: Tensor,
    sr: Tensor,
    form: AdversarialForm,
    *,
    smoothing: float = 0.0,
    penalties: Penalties = Penalties(),
) -> Judgement:
    """Update the discriminator once on real pictures `hr` and the generator's detached `sr`.

    smoothing: the label of photos is 1 less this much.
    Source: Goodfellow et al. 2014; relativistic average as ESRGAN equation 1; penalties as
    Mescheder et al. 2018, with the half of their gamma. Raises Diverged.
    """
    pair = ADVERSARIAL_PAIRS[form]
    real, fake = discriminator.network(hr), discriminator.network(sr.detach())
    loss = pair.discriminator(real, fake, smoothing=smoothing).mean()
    for weight, pictures in ((penalties.r1, hr), (penalties.r2, sr)):
        if weight:
            loss = loss + weight * _penalty(discriminator, pictures)
    _refuse_non_finite({"discriminator": float(loss.detach())})
    _step(fabric, discriminator, loss)
    return _judgement(form, real, fake, float(loss.detach()), updated=True)


@torch.no_grad()
def asked(
    discriminator: Player, hr: Tensor, sr: Tensor, form: AdversarialForm, *, smoothing: float = 0.0
) -> Judgement:
    """Return what the discriminator says of the pictures; nothing of it changes."""
    # In training mode even this would move batch norm's and spectral norm's estimates.
    discriminator.module.eval()
    real, fake = discriminator.network(hr), discriminator.network(sr)
    discriminator.module.train()
    loss = ADVERSARIAL_PAIRS[form].discriminator(real, fake, smoothing=smoothing).mean()
    return _judgement(form, real, fake, float(loss), updated=False)


def _judgement(
    form: AdversarialForm, real: Tensor, fake: Tensor, loss: float, *, updated: bool
) -> Judgement:
    real, fake = real.detach(), fake.detach()
    right = ADVERSARIAL_PAIRS[form].right(real, fake).mean()
    return Judgement(loss, float(right), float(real.mean()), float(fake.mean()), float(updated))


def _penalty(discriminator: Player, pictures: Tensor) -> Tensor:
    pictures = pictures.detach().requires_grad_(True)
    with torch.autocast(pictures.device.type, enabled=False):  # a derivative of a derivative
        return gradient_penalty(discriminator.module(pictures), pictures).mean()


def _update(
    fabric: Fabric,
    generator: Player,
    sr: Tensor,
    terms: Mapping[str, Tensor],
    weights: Mapping[str, float],
    *,
    norms: bool,
) -> Found:
    weighted = {name: weights[name] * term for name, term in terms.items()}
    values = {name: float(term.detach()) for name, term in terms.items()}
    _refuse_non_finite(values)
    measured = gradient_norms(sr, weighted) if norms else {}
    _step(fabric, generator, torch.stack(list(weighted.values())).sum())
    return Found(
        sr.detach(),
        values,
        {name: weights[name] for name in terms},
        {name: float(term.detach()) for name, term in weighted.items()},
        measured,
    )


def gradient_norms(sr: Tensor, terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the norm of each term's gradient at the generator's output."""
    return {
        name: float(torch.autograd.grad(term, sr, retain_graph=True)[0].norm())
        for name, term in terms.items()
    }


def _levelling_factor(
    sr: Tensor, terms: Mapping[str, Tensor], weights: Mapping[str, float], limit: float
) -> float:
    """What brings the adversarial gradient to the norm of all the others together."""
    others = [weights[name] * term for name, term in terms.items() if name != "adversarial"]
    if not others:
        return 1.0
    wanted = gradient_norms(sr, {"others": torch.stack(others).sum()})["others"]
    found = gradient_norms(sr, {"adversarial": terms["adversarial"]})["adversarial"]
    return min(limit, wanted / found) if found else limit


def _step(fabric: Fabric, player: Player, loss: Tensor) -> None:
    player.optimiser.zero_grad(set_to_none=True)
    fabric.backward(loss)
    if player.clip_norm is not None:
        nn.utils.clip_grad_norm_(player.module.parameters(), player.clip_norm)
    player.optimiser.step()


def _take_gradients(player: Player, value: bool) -> None:
    for parameter in player.module.parameters():
        parameter.requires_grad_(value)


def _refuse_non_finite(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not torch.isfinite(torch.tensor(value)):
            raise Diverged(f"the {name} loss is {value}")
