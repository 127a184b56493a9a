import math

import pytest
import torch
from torch import Tensor

from upres.losses.adversarial import (
    ADVERSARIAL_PAIRS,
    AdversarialForm,
    discriminator_loss_plain,
    discriminator_loss_relativistic_average,
    generator_loss_non_saturating,
    generator_loss_relativistic_average,
    generator_loss_saturating,
)
from upres.networks.build import build_discriminator, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.discriminators import VGGDiscriminatorSettings

LN2 = math.log(2)
FORMS: list[AdversarialForm] = ["non-saturating", "saturating", "relativistic-average"]
LOSSES = [loss for form in FORMS for loss in ADVERSARIAL_PAIRS[form][:2]]


def logits(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


def close(found: Tensor, *expected: float) -> None:
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_a_discriminator_that_cannot_tell_costs_two_ln2_or_ln2() -> None:
    same = logits(0, 0, 0)
    close(discriminator_loss_plain(same, same), *[2 * LN2] * 3)
    close(generator_loss_non_saturating(same, same), *[LN2] * 3)
    close(generator_loss_saturating(same, same), *[-LN2] * 3)
    tie = logits(5, 5, 5)  # relative: the level itself does not count
    close(discriminator_loss_relativistic_average(tie, tie), *[LN2] * 3)
    close(generator_loss_relativistic_average(tie, tie), *[LN2] * 3)


def test_perfect_logits_cost_the_discriminator_next_to_nothing() -> None:
    # With a second sigmoid inside, 0.5032 would be the floor.
    for form in FORMS:
        loss = ADVERSARIAL_PAIRS[form].discriminator(logits(8, 8), logits(-8, -8))
        assert loss.max() < 1e-3


def test_each_half_of_the_plain_loss_is_counted_for_its_own_sample() -> None:
    found = discriminator_loss_plain(logits(2, -1), logits(0.5, -3))
    close(found, softplus(-2) + softplus(0.5), softplus(1) + softplus(-3))


def test_relativistic_values_of_two_samples_are_those_of_esrgan_equations_1_and_2() -> None:
    real, fake = logits(3, 1), logits(-2, 0)  # means 2 and -1
    close(
        discriminator_loss_relativistic_average(real, fake),
        (softplus(-(3 + 1)) + softplus(-2 - 2)) / 2,
        (softplus(-(1 + 1)) + softplus(0 - 2)) / 2,
    )
    close(
        generator_loss_relativistic_average(real, fake),
        (softplus(3 + 1) + softplus(-(-2 - 2))) / 2,
        (softplus(1 + 1) + softplus(-(0 - 2))) / 2,
    )


def test_relativistic_losses_exchange_roles_when_photos_and_fakes_do() -> None:
    real, fake = logits(2, 0.5, -1), logits(-0.3, 1, 0)
    close(
        generator_loss_relativistic_average(real, fake),
        *discriminator_loss_relativistic_average(fake, real).tolist(),
    )


def test_the_relativistic_generator_looks_at_the_photos_spread_too() -> None:
    fake = logits(0.2, -0.4)
    even = generator_loss_relativistic_average(logits(1, 1), fake).mean()
    spread = generator_loss_relativistic_average(logits(3, -1), fake).mean()
    assert (even - spread).abs() > 0.1


def test_relativistic_losses_depend_on_differences_only() -> None:
    real, fake = logits(2, 0.5), logits(-1, 0)
    for loss in (discriminator_loss_relativistic_average, generator_loss_relativistic_average):
        close(loss(real + 7, fake + 7), *loss(real, fake).tolist())


def test_gradients_flow_through_the_means() -> None:
    # One sample at a tie: softplus(fake - real) twice, halved; its slope is -1/2 for the photo.
    # With the means cut off only half of that would be left.
    real, fake = logits(0.0).requires_grad_(), logits(0.0)
    discriminator_loss_relativistic_average(real, fake).sum().backward()
    close(real.grad.flatten(), -0.5)


def test_a_common_shift_of_all_logits_has_no_gradient() -> None:
    real, fake = logits(2, 0.5).requires_grad_(), logits(-1, 0.3).requires_grad_()
    discriminator_loss_relativistic_average(real, fake).mean().backward()
    close((real.grad.sum() + fake.grad.sum())[None], 0.0)


def test_the_saturating_loss_hardly_pulls_where_the_discriminator_has_won() -> None:
    slopes = {}
    for loss in (generator_loss_saturating, generator_loss_non_saturating):
        fake = logits(-6.0).requires_grad_()
        loss(logits(6.0), fake).sum().backward()
        slopes[loss] = fake.grad.item()
    assert slopes[generator_loss_saturating] == pytest.approx(-0.0025, abs=5e-5)
    assert slopes[generator_loss_non_saturating] == pytest.approx(-0.9975, abs=5e-5)


@pytest.mark.parametrize("form", FORMS)
def test_the_generator_wants_its_pictures_to_look_real(form: AdversarialForm) -> None:
    fake = logits(-1, 0.5).requires_grad_()
    ADVERSARIAL_PAIRS[form].generator(logits(1, 2), fake).mean().backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_the_discriminator_wants_photos_up_and_fakes_down(form: AdversarialForm) -> None:
    real, fake = logits(-1, 0.5).requires_grad_(), logits(1, 0).requires_grad_()
    ADVERSARIAL_PAIRS[form].discriminator(real, fake).mean().backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_only_pairs_that_say_so_use_the_photos_logits_for_the_generator(
    form: AdversarialForm,
) -> None:
    pair, fake = ADVERSARIAL_PAIRS[form], logits(0.3, -1)
    first, second = pair.generator(logits(1, 2), fake), pair.generator(logits(-3, 5), fake)
    assert torch.equal(first, second) != pair.needs_real


@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_logits_stay_finite(loss) -> None:
    for real, fake in ((200.0, -200.0), (-200.0, 200.0)):
        a, b = logits(real, real).requires_grad_(), logits(fake, fake).requires_grad_()
        value = loss(a, b).sum() + 0 * a.sum()
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(a.grad).all()
        assert torch.isfinite(b.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_there_is_one_value_a_sample(loss) -> None:
    assert loss(logits(1, 2, 3), logits(0, 1, -1)).shape == (3,)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(2,), (3, 1), (2, 2), (2, 1, 1)])
def test_logits_of_another_shape_are_refused_instead_of_broadcast(loss, shape) -> None:
    check = getattr(loss, "__wrapped__", loss)  # under the run-time shape check of tests
    with pytest.raises(ValueError, match=r"logits must both be \(n, 1\)"):
        check(torch.zeros(2, 1), torch.zeros(shape))


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_of_equal_but_wrong_shapes_are_refused_too(loss) -> None:
    check = getattr(loss, "__wrapped__", loss)
    for shape in ((2,), (2, 2), (2, 1, 1)):
        with pytest.raises(ValueError, match=r"logits must both be \(n, 1\)"):
            check(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("form", FORMS)
def test_the_adversarial_term_alone_moves_all_of_the_generator_and_no_discriminator(
    form: AdversarialForm,
) -> None:
    generator = build_generator(CompactSettings(width=4, convs=1), 4, seed=0)
    settings = VGGDiscriminatorSettings(width=4, norm="spectral")
    discriminator = build_discriminator(settings, 16, seed=0).requires_grad_(False)
    fake = discriminator(generator(torch.rand(2, 3, 4, 4)))
    ADVERSARIAL_PAIRS[form].generator(logits(0, 1), fake).mean().backward()
    assert all(parameter.grad.any() for parameter in generator.parameters())
    assert all(parameter.grad is None for parameter in discriminator.parameters())
