"""What the discriminator and the generator want of the discriminator's logits.

Every loss takes the logits of photos (`real`) and of generated pictures (`fake`) without sigmoid,
either (n, 1) or maps (n, 1, h, w) as a U-Net gives them, and gives one value a sample, the mean
over its positions. D is sigmoid(logit); softplus(x) = log(1 + e^x) is -log D of -x, finite for
every logit.

smoothing: how far the label of photos lies below 1 in the discriminator's loss, 0 <= s < 1; fakes
keep theirs (one-sided, Salimans et al. 2016 section 3.4, where s is 0.1). Losses that ask for no
label raise ValueError for any but 0.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact

AdversarialForm = Literal[
    "non-saturating", "saturating", "relativistic-average", "relativistic", "hinge", "least-squares"
]

Logits = Float[Tensor, "n 1 *hw"]


def discriminator_loss_plain(
    real: Logits, fake: Logits, *, smoothing: float = 0.0
) -> Float[Tensor, " n"]:
    """Return -log D(real) - log(1 - D(fake)); 2 ln 2 where the logits are 0.

    Source: SRGAN equation 2; the sum of both halves, as in BasicSR.
    """
    _check(real, fake)
    _check_smoothing(smoothing)
    return _a_sample(_above(real, smoothing) + F.softplus(exact(fake)))


def generator_loss_non_saturating(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return -log D(fake), which pulls hardest where the discriminator is sure; `real` is unused.

    Source: SRGAN equation 6; docs/papers.md on paper B's equation 3.
    """
    _check(real, fake)
    return _a_sample(F.softplus(-exact(fake)))


def generator_loss_saturating(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return log(1 - D(fake)), at most 0, which hardly pulls where the discriminator is sure.

    `real` is unused. Source: paper B equation 3 as it is printed.
    """
    _check(real, fake)
    return _a_sample(-F.softplus(exact(fake)))


def discriminator_loss_relativistic_average(
    real: Logits, fake: Logits, *, smoothing: float = 0.0
) -> Float[Tensor, " n"]:
    """Return how badly photos are told from the mean fake and fakes from the mean photo.

    It is ln 2 where all logits are equal. The means are over the batch and all positions.
    Source: ESRGAN equation 1; the mean of its two halves, as in BasicSR, where the paper prints
    their sum. Gradients flow through the means as in the paper (BasicSR cuts them here).
    """
    _check(real, fake)
    _check_smoothing(smoothing)
    return _not_above(real, fake, smoothing)


def generator_loss_relativistic_average(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the same with the parts exchanged: fakes should look more real than the mean photo.

    Source: ESRGAN equation 2; the mean of its two halves as in BasicSR, so that a weight of 5e-3
    is BasicSR's, and half of the paper's. Take `real` without gradient.
    """
    _check(real, fake)
    return _not_above(fake, real)


def discriminator_loss_relativistic(
    real: Logits, fake: Logits, *, smoothing: float = 0.0
) -> Float[Tensor, " n"]:
    """Return how badly each photo is told from the fake beside it; ln 2 where both are equal.

    Maps are compared position by position: a fake shows the same scene as its photo.
    Source: Huang et al. 2024 (R3GAN) equation 2, there with R1 and R2; the relativistic pairing of
    Jolicoeur-Martineau 2018.
    """
    _check(real, fake)
    _refuse_smoothing(smoothing, "relativistic")
    return _a_sample(F.softplus(exact(fake) - exact(real)))


def generator_loss_relativistic(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the same with the parts exchanged. Take `real` without gradient."""
    _check(real, fake)
    return _a_sample(F.softplus(exact(real) - exact(fake)))


def discriminator_loss_hinge(
    real: Logits, fake: Logits, *, smoothing: float = 0.0
) -> Float[Tensor, " n"]:
    """Return how far photos are below 1 and fakes above -1; 2 where the logits are 0.

    Source: Lim and Ye 2017; Miyato et al. 2018 equation 16; the sum of both halves.
    """
    _check(real, fake)
    _refuse_smoothing(smoothing, "hinge")
    return _a_sample(F.relu(1 - exact(real)) + F.relu(1 + exact(fake)))


def generator_loss_hinge(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return -logit of fakes, whose pull is the same everywhere; `real` is unused.

    Source: Miyato et al. 2018 equation 17.
    """
    _check(real, fake)
    return _a_sample(-exact(fake))


def discriminator_loss_least_squares(
    real: Logits, fake: Logits, *, smoothing: float = 0.0
) -> Float[Tensor, " n"]:
    """Return (real - 1)^2 + fake^2; 1 where the logits are 0, at least 1/2 where they are equal.

    Source: Mao et al. 2017 equation 9 (a = 0, b = 1) without its factor 1/2, as in BasicSR.
    """
    _check(real, fake)
    _check_smoothing(smoothing)
    return _a_sample((exact(real) - (1 - smoothing)).square() + exact(fake).square())


def generator_loss_least_squares(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return (fake - 1)^2; `real` is unused.

    Source: Mao et al. 2017 equation 9 (c = 1) without its factor 1/2, as in BasicSR: a weight here
    is half of the paper's.
    """
    _check(real, fake)
    return _a_sample((exact(fake) - 1).square())


def right_absolute(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the share of logits on their side of 0: photos above, fakes below."""
    return _share(real > 0, fake < 0)


def right_labels(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the share of logits nearer to their own label, 1 of photos and 0 of fakes."""
    return _share(real > 0.5, fake < 0.5)


def right_average(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the share of photos above the mean fake and of fakes below the mean photo."""
    return _share(real > exact(fake).mean(), fake < exact(real).mean())


def right_pairs(real: Logits, fake: Logits) -> Float[Tensor, " n"]:
    """Return the share of photos above the fake beside them; only differences count."""
    return _share(real > fake, fake < real)


class DiscriminatorLoss(Protocol):
    def __call__(self, real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor: ...


class AdversarialPair(NamedTuple):
    """The losses of both players.

    right: the share of a sample's logits that the discriminator has on the side it wants them on.
    needs_real: whether the generator's loss uses the photos' logits.
    smooths: whether the discriminator's loss has a label of photos that can be smoothed.
    averages: whether a sample's loss depends on the other samples of its batch.
    """

    discriminator: DiscriminatorLoss
    generator: Callable[[Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor]
    needs_real: bool
    smooths: bool
    averages: bool = False


ADVERSARIAL_PAIRS: Mapping[AdversarialForm, AdversarialPair] = {
    "non-saturating": AdversarialPair(
        discriminator_loss_plain,
        generator_loss_non_saturating,
        right_absolute,
        needs_real=False,
        smooths=True,
    ),
    "saturating": AdversarialPair(
        discriminator_loss_plain,
        generator_loss_saturating,
        right_absolute,
        needs_real=False,
        smooths=True,
    ),
    "relativistic-average": AdversarialPair(
        discriminator_loss_relativistic_average,
        generator_loss_relativistic_average,
        right_average,
        needs_real=True,
        smooths=True,
        averages=True,
    ),
    "relativistic": AdversarialPair(
        discriminator_loss_relativistic,
        generator_loss_relativistic,
        right_pairs,
        needs_real=True,
        smooths=False,
    ),
    "hinge": AdversarialPair(
        discriminator_loss_hinge,
        generator_loss_hinge,
        right_absolute,
        needs_real=False,
        smooths=False,
    ),
    "least-squares": AdversarialPair(
        discriminator_loss_least_squares,
        generator_loss_least_squares,
        right_labels,
        needs_real=False,
        smooths=True,
    ),
}


def _above(logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of the logits against the label 1 - smoothing, by -log(1 - D) = x - log D."""
    logits = exact(logits)
    return F.softplus(-logits) + smoothing * logits


def _not_above(wanted: Tensor, other: Tensor, smoothing: float = 0.0) -> Tensor:
    """How far `wanted` is from lying above the mean of `other`, and `other` below its mean."""
    wanted, other = exact(wanted), exact(other)
    too_low = _above(wanted - other.mean(), smoothing)
    too_high = F.softplus(other - wanted.mean())
    return _a_sample((too_low + too_high) / 2)


def _a_sample(values: Tensor) -> Tensor:
    return values.flatten(1).mean(dim=1)


def _share(real_is_right: Tensor, fake_is_right: Tensor) -> Tensor:
    return (_a_sample(real_is_right.float()) + _a_sample(fake_is_right.float())) / 2


def _check(real: Tensor, fake: Tensor) -> None:
    # (n, 1) minus (n,) would silently be every logit against every other, (n, n).
    if real.ndim not in (2, 4) or real.shape[1] != 1 or real.shape != fake.shape:
        raise ValueError(
            "logits must both be (n, 1) or (n, 1, h, w), "
            f"not {tuple(real.shape)} and {tuple(fake.shape)}"
        )


def _check_smoothing(smoothing: float) -> None:
    if not 0 <= smoothing < 1:
        raise ValueError(f"label smoothing must be at least 0 and less than 1, not {smoothing:g}")


def _refuse_smoothing(smoothing: float, form: AdversarialForm) -> None:
    if smoothing:
        raise ValueError(f"the {form} loss has no labels to smooth; its smoothing must be 0")
