"""What the discriminator and the generator want of the discriminator's logits.

Every loss takes the logits of photos (`real`) and of generated pictures (`fake`), each (n, 1)
without sigmoid, and gives one value a sample. D is sigmoid(logit); softplus(x) = log(1 + e^x)
is -log D of -x, finite for every logit.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

AdversarialForm = Literal["non-saturating", "saturating", "relativistic-average"]

Logits = Float[Tensor, "n 1"]


def discriminator_loss_plain(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return -log D(real) - log(1 - D(fake)); 2 ln 2 where the logits are 0.

    Source: SRGAN equation 2; the sum of both halves, as in BasicSR.
    """
    _check(real, fake)
    return (F.softplus(-real) + F.softplus(fake)).flatten()


def generator_loss_non_saturating(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return -log D(fake), which pulls hardest where the discriminator is sure; `real` is unused.

    Source: SRGAN equation 6; docs/papers.md on paper B's equation 3.
    """
    _check(real, fake)
    return F.softplus(-fake).flatten()


def generator_loss_saturating(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return log(1 - D(fake)), at most 0, which hardly pulls where the discriminator is sure.

    `real` is unused. Source: paper B equation 3 as it is printed.
    """
    _check(real, fake)
    return -F.softplus(fake).flatten()


def discriminator_loss_relativistic_average(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return how badly photos are told from the mean fake and fakes from the mean photo.

    It is ln 2 where all logits are equal.
    Source: ESRGAN equation 1; the mean of its two halves, as in BasicSR, where the paper prints
    their sum. Gradients flow through the means as in the paper (BasicSR cuts them here).
    """
    _check(real, fake)
    return _not_above(real, fake)


def generator_loss_relativistic_average(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the same with the parts exchanged: fakes should look more real than the mean photo.

    Source: ESRGAN equation 2; the mean of its two halves as in BasicSR, so that a weight of 5e-3
    is BasicSR's, and half of the paper's. Take `real` without gradient.
    """
    _check(real, fake)
    return _not_above(fake, real)


class AdversarialPair(NamedTuple):
    """The losses of both players. needs_real: whether the generator's uses the photos' logits."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    needs_real: bool


ADVERSARIAL_PAIRS: Mapping[AdversarialForm, AdversarialPair] = {
    "non-saturating": AdversarialPair(
        discriminator_loss_plain, generator_loss_non_saturating, needs_real=False
    ),
    "saturating": AdversarialPair(
        discriminator_loss_plain, generator_loss_saturating, needs_real=False
    ),
    "relativistic-average": AdversarialPair(
        discriminator_loss_relativistic_average,
        generator_loss_relativistic_average,
        needs_real=True,
    ),
}


def _not_above(wanted: Tensor, other: Tensor) -> Tensor:
    """How far `wanted` is from lying above the mean of `other`, and `other` below its mean."""
    too_low = F.softplus(other.mean() - wanted)
    too_high = F.softplus(other - wanted.mean())
    return ((too_low + too_high) / 2).flatten()


def _check(real: Tensor, fake: Tensor) -> None:
    # (n, 1) minus (n,) would silently be every logit against every other, (n, n).
    if real.ndim != 2 or real.shape[1] != 1 or real.shape != fake.shape:
        raise ValueError(
            f"logits must both be (n, 1), not {tuple(real.shape)} and {tuple(fake.shape)}"
        )
