"""One optimiser step of each player: the papers' algorithms from top to bottom."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import Tensor

from upres.errors import Diverged
from upres.losses.adversarial import ADVERSARIAL_PAIRS, AdversarialForm
from upres.losses.regularisers import gradient_penalty
from upres.processes.together import of_all
from upres.recipes.terms import GanLosses, PixelLosses
from upres.training.learning import Player, add_gradients, mean_of, parts_of, step
from upres.training.perceivers import Distance, Features
from upres.training.terms import feature_terms, picture_terms


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
    """What a generator step found: its pictures and the mean of every term, all detached.

    sr is this process's part of the batch; all numbers are of the whole batch.
    """

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

    def look(lr: Tensor, hr: Tensor) -> _Look:
        sr = generator.network(lr)
        terms = picture_terms(sr, hr, aim.losses, aim.weights, lpips=eyes.lpips, dists=eyes.dists)
        return _Look(sr, terms, aim.weights)

    looks = (look(*part) for part in parts_of(generator, lr, hr))
    return _update(fabric, generator, looks, norms=norms)


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

    def look(lr: Tensor, hr: Tensor) -> _Look:
        sr = generator.network(lr)
        losses, weights = aim.losses, aim.weights
        terms = picture_terms(sr, hr, losses, weights, lpips=eyes.lpips, dists=eyes.dists)
        terms |= feature_terms(sr, hr, losses, weights, eyes.features)
        if weights.get("adversarial"):
            form = losses.adversarial.form
            terms["adversarial"] = _opinion(fabric, discriminator, hr, sr, form)
            if aim.adaptive_limit is not None:
                factor = _levelling_factor(fabric, sr, terms, weights, aim.adaptive_limit)
                weights = {**weights, "adversarial": weights["adversarial"] * factor}
        return _Look(sr, terms, weights)

    looks = (look(*part) for part in parts_of(generator, lr, hr))
    return _update(fabric, generator, looks, norms=norms)


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
    discriminator.optimiser.zero_grad(set_to_none=True)
    seen = []
    for photos, fakes in parts_of(discriminator, hr, sr.detach()):
        real, fake = _scores(fabric, discriminator, photos, fakes, form)
        loss = ADVERSARIAL_PAIRS[form].discriminator(real, fake, smoothing=smoothing).mean()
        for weight, pictures in ((penalties.r1, photos), (penalties.r2, fakes)):
            if weight:
                loss = loss + weight * _penalty(discriminator, pictures)
        add_gradients(fabric, discriminator, loss)
        seen.append(_judged(form, real.detach(), fake.detach(), loss.detach()))
    mean = mean_of(fabric, seen)
    _refuse_non_finite({"discriminator": mean["loss"]})
    step(fabric, discriminator)
    return Judgement(**mean, updated=1.0)


@torch.no_grad()
def asked(
    fabric: Fabric,
    discriminator: Player,
    hr: Tensor,
    sr: Tensor,
    form: AdversarialForm,
    *,
    smoothing: float = 0.0,
) -> Judgement:
    """Return what the discriminator says of the pictures; nothing of it changes."""
    # In training mode even this would move batch norm's and spectral norm's estimates.
    discriminator.module.eval()
    seen = []
    for photos, fakes in parts_of(discriminator, hr, sr):
        real, fake = _scores(fabric, discriminator, photos, fakes, form)
        loss = ADVERSARIAL_PAIRS[form].discriminator(real, fake, smoothing=smoothing).mean()
        seen.append(_judged(form, real, fake, loss))
    discriminator.module.train()
    return Judgement(**mean_of(fabric, seen), updated=0.0)


def _opinion(
    fabric: Fabric, discriminator: Player, hr: Tensor, sr: Tensor, form: AdversarialForm
) -> Tensor:
    """What the discriminator, which learns nothing of it, makes the generator wish for."""
    pair = ADVERSARIAL_PAIRS[form]
    _take_gradients(discriminator, False)
    with torch.no_grad():
        real = discriminator.network(hr)
    fake = discriminator.network(sr)
    _take_gradients(discriminator, True)
    if pair.averages:
        real, fake = of_all(fabric, real), of_all(fabric, fake)
    return pair.generator(real, fake).mean()


def _scores(
    fabric: Fabric, discriminator: Player, hr: Tensor, sr: Tensor, form: AdversarialForm
) -> tuple[Tensor, Tensor]:
    """Logits of photos and fakes; of all processes' where a sample's loss depends on the others."""
    real, fake = discriminator.network(hr), discriminator.network(sr)
    if ADVERSARIAL_PAIRS[form].averages:
        return of_all(fabric, real), of_all(fabric, fake)
    return real, fake


def _judged(form: AdversarialForm, real: Tensor, fake: Tensor, loss: Tensor) -> dict[str, float]:
    right = ADVERSARIAL_PAIRS[form].right(real, fake).mean()
    return {
        "loss": float(loss),
        "accuracy": float(right),
        "real": float(real.mean()),
        "fake": float(fake.mean()),
    }


def _penalty(discriminator: Player, pictures: Tensor) -> Tensor:
    pictures = pictures.detach().requires_grad_(True)
    with torch.autocast(pictures.device.type, enabled=False):  # a derivative of a derivative
        return gradient_penalty(discriminator.module(pictures), pictures).mean()


@dataclass(frozen=True)
class _Look:
    """What one part of a batch gave: pictures, the mean of every term, and their weights."""

    sr: Tensor
    terms: Mapping[str, Tensor]
    weights: Mapping[str, float]


def _update(fabric: Fabric, generator: Player, looks: Iterable[_Look], *, norms: bool) -> Found:
    """Add up the gradients of all parts of the batch, then step once."""
    generator.optimiser.zero_grad(set_to_none=True)
    pictures, values, weighted, squares = [], [], [], []
    weights: Mapping[str, float] = {}
    for look in looks:
        products = {name: look.weights[name] * term for name, term in look.terms.items()}
        if norms:
            squares.append({n: norm**2 for n, norm in gradient_norms(look.sr, products).items()})
        add_gradients(fabric, generator, torch.stack(list(products.values())).sum())
        pictures.append(look.sr.detach())
        values.append({name: float(term.detach()) for name, term in look.terms.items()})
        weighted.append({name: float(term.detach()) for name, term in products.items()})
        weights = {name: look.weights[name] for name in look.terms}
    terms = mean_of(fabric, values)
    _refuse_non_finite(terms)
    step(fabric, generator)
    return Found(
        torch.cat(pictures),
        terms,
        weights,
        mean_of(fabric, weighted),
        _norms_of_all(fabric, squares) if norms else {},
    )


def gradient_norms(sr: Tensor, terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the norm of each term's gradient at the generator's output."""
    return {
        name: float(torch.autograd.grad(term, sr, retain_graph=True)[0].norm())
        for name, term in terms.items()
    }


def _norms_of_all(fabric: Fabric, squares: list[dict[str, float]]) -> dict[str, float]:
    """The norms over the whole batch, of which each part's mean loss is an equal share."""
    shares = len(squares) * fabric.world_size
    return {n: math.sqrt(square / shares) for n, square in mean_of(fabric, squares).items()}


def _levelling_factor(
    fabric: Fabric,
    sr: Tensor,
    terms: Mapping[str, Tensor],
    weights: Mapping[str, float],
    limit: float,
) -> float:
    """What brings the adversarial gradient to the norm of all the others together."""
    others = [weights[name] * term for name, term in terms.items() if name != "adversarial"]
    if not others:
        return 1.0
    parties = {"others": torch.stack(others).sum(), "adversarial": terms["adversarial"]}
    squares = {name: norm**2 for name, norm in gradient_norms(sr, parties).items()}
    norms = _norms_of_all(fabric, [squares])
    found = norms["adversarial"]
    return min(limit, norms["others"] / found) if found else limit


def _take_gradients(player: Player, value: bool) -> None:
    for parameter in player.module.parameters():
        parameter.requires_grad_(value)


def _refuse_non_finite(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not torch.isfinite(torch.tensor(value)):
            raise Diverged(f"the {name} loss is {value}")
