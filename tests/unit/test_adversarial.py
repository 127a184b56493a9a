import math

import pytest
import torch
from torch import Tensor

from upres.losses.adversarial import (
    ADVERSARIAL_PAIRS,
    AdversarialForm,
    discriminator_loss_hinge,
    discriminator_loss_least_squares,
    discriminator_loss_plain,
    discriminator_loss_relativistic,
    discriminator_loss_relativistic_average,
    generator_loss_hinge,
    generator_loss_least_squares,
    generator_loss_non_saturating,
    generator_loss_relativistic,
    generator_loss_relativistic_average,
    generator_loss_saturating,
)
from upres.networks.build import build_discriminator, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.discriminators import VGGDiscriminatorSettings

LN2 = math.log(2)
FORMS: list[AdversarialForm] = [
    "non-saturating",
    "saturating",
    "relativistic-average",
    "relativistic",
    "hinge",
    "least-squares",
]
SMOOTHING_FORMS = ["non-saturating", "saturating", "relativistic-average", "least-squares"]
LOSSES = [loss for form in FORMS for loss in ADVERSARIAL_PAIRS[form][:2]]


def logits(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


def maps(*values: list[float]) -> Tensor:
    """A map of one row of positions for each sample."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None]


def close(found: Tensor, *expected: float) -> None:
    wanted = torch.tensor(expected, dtype=torch.float32)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


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
        perfect = (1.0, 0.0) if form == "least-squares" else (8.0, -8.0)
        real, fake = (logits(value, value) for value in perfect)
        assert ADVERSARIAL_PAIRS[form].discriminator(real, fake).max() < 1e-3


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


def test_pairs_are_compared_each_on_its_own() -> None:
    # Huang et al. 2024 equation 2: f(D(fake) - D(photo)) with f(t) = -log(1 + e^-t), D maximises.
    real, fake = logits(3, 1), logits(-2, 1.5)
    close(discriminator_loss_relativistic(real, fake), softplus(-5), softplus(0.5))
    close(generator_loss_relativistic(real, fake), softplus(5), softplus(-0.5))
    tie = logits(4, 4)
    close(discriminator_loss_relativistic(tie, tie), LN2, LN2)


def test_hinge_values_end_at_the_margins() -> None:
    real, fake = logits(0, 1, 2.5, -2), logits(0, -1, -2.5, 0.5)
    close(discriminator_loss_hinge(real, fake), 2, 0, 0, 3 + 1.5)
    close(generator_loss_hinge(real, fake), 0, 1, 2.5, -0.5)


def test_least_squares_are_distances_to_the_labels_without_a_half() -> None:
    real, fake = logits(0, 1, 3), logits(0, 0, -2)
    close(discriminator_loss_least_squares(real, fake), 1, 0, 4 + 4)
    close(generator_loss_least_squares(real, fake), 1, 1, 9)


def test_relativistic_losses_depend_on_differences_only() -> None:
    real, fake = logits(2, 0.5), logits(-1, 0)
    for loss in (
        discriminator_loss_relativistic_average,
        generator_loss_relativistic_average,
        discriminator_loss_relativistic,
        generator_loss_relativistic,
    ):
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
    real, fake = logits(-0.9, 0.5).requires_grad_(), logits(1, 0.1).requires_grad_()
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
    assert loss(torch.rand(3, 1, 4, 5), torch.rand(3, 1, 4, 5)).shape == (3,)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "relativistic-average"])
def test_a_map_costs_the_mean_of_what_its_positions_would(form: AdversarialForm) -> None:
    real, fake = maps([1, -2, 0.5], [3, 0, -1]), maps([0, 1, -4], [-0.5, 2, 0.3])
    for loss in ADVERSARIAL_PAIRS[form][:2]:
        alone = loss(real.reshape(6, 1), fake.reshape(6, 1))
        close(loss(real, fake), *alone.view(2, 3).mean(dim=1).tolist())


def test_relative_to_the_mean_of_maps_is_to_the_mean_over_samples_and_positions() -> None:
    real, fake = maps([4, 2], [1, 1]), maps([0, -2], [-2, 0])  # means 2 and -1
    close(
        discriminator_loss_relativistic_average(real, fake),
        (softplus(-5) + softplus(-3) + softplus(-2) + softplus(-4)) / 4,
        (2 * softplus(-2) + softplus(-4) + softplus(-2)) / 4,
    )


def test_smoothing_asks_of_photos_less_than_certainty_and_of_fakes_the_same() -> None:
    real, fake, s = logits(2, -1), logits(0.5, -3), 0.1
    # Cross-entropy against the label 0.9: -0.9 log D - 0.1 log(1 - D).
    close(
        discriminator_loss_plain(real, fake, smoothing=s),
        0.9 * softplus(-2) + 0.1 * softplus(2) + softplus(0.5),
        0.9 * softplus(1) + 0.1 * softplus(-1) + softplus(-3),
    )
    # Means 0.5 and -1.25: photos are 3.25 and 0.25 above the mean fake.
    close(
        discriminator_loss_relativistic_average(real, fake, smoothing=s),
        (0.9 * softplus(-3.25) + 0.1 * softplus(3.25) + softplus(0.5 - 0.5)) / 2,
        (0.9 * softplus(-0.25) + 0.1 * softplus(0.25) + softplus(-3 - 0.5)) / 2,
    )
    close(
        discriminator_loss_least_squares(real, fake, smoothing=s),
        (2 - 0.9) ** 2 + 0.25,
        (-1 - 0.9) ** 2 + 9,
    )


@pytest.mark.parametrize("form", SMOOTHING_FORMS)
def test_a_smoothed_label_pulls_photos_to_itself_from_both_sides(form: AdversarialForm) -> None:
    # sigmoid(logit) = 0.9 where the logit is ln 9; the relative ones see it against fakes of 0.
    label = 0.9 if form == "least-squares" else math.log(9)
    slopes = []
    for logit in (label - 0.3, label, label + 0.3):
        real = logits(logit).requires_grad_()
        loss = ADVERSARIAL_PAIRS[form].discriminator(real, logits(0.0), smoothing=0.1)
        if form == "relativistic-average":  # its other half wants photos far above fakes
            loss = loss - torch.nn.functional.softplus(-real.flatten()) / 2
        loss.sum().backward()
        slopes.append(real.grad.item())
    assert slopes[0] < 0 < slopes[2]
    assert slopes[1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_pairs_say_whether_they_smooth(form: AdversarialForm) -> None:
    pair, real, fake = ADVERSARIAL_PAIRS[form], logits(1, 2), logits(0, -1)
    assert pair.smooths == (form in SMOOTHING_FORMS)
    assert torch.equal(
        pair.discriminator(real, fake, smoothing=0.0), pair.discriminator(real, fake)
    )
    if pair.smooths:
        found = pair.discriminator(real, fake, smoothing=0.2)
        assert not torch.equal(found, pair.discriminator(real, fake))
        for wrong in (-0.1, 1.0, math.nan):
            with pytest.raises(ValueError, match="at least 0 and less than 1, not"):
                pair.discriminator(real, fake, smoothing=wrong)
    else:
        with pytest.raises(ValueError, match=f"the {form} loss has no labels to smooth"):
            pair.discriminator(real, fake, smoothing=0.1)


@pytest.mark.parametrize("form", FORMS)
def test_pairs_say_whether_a_samples_value_depends_on_the_others(form: AdversarialForm) -> None:
    pair, real, fake = ADVERSARIAL_PAIRS[form], logits(1, 2, -1), logits(0, 3, 0.5)
    for loss in pair[:2]:
        together, alone = loss(real, fake)[:1], loss(real[:1], fake[:1])
        assert torch.equal(together, alone) != pair.averages


def test_the_right_side_is_what_each_loss_asks_for() -> None:
    real, fake = logits(6, 6.5, 0.4), logits(5, 7, 0.2)

    def right(form: AdversarialForm) -> list[float]:
        return ADVERSARIAL_PAIRS[form].right(real, fake).tolist()

    for form in ("non-saturating", "saturating", "hinge"):  # on both sides of 0
        assert right(form) == [0.5, 0.5, 0.5]
    assert right("relativistic") == [1, 0, 1]
    assert right("relativistic-average") == [0.5, 0.5, 0.5]  # means 4.3 and 4.07
    labels = ADVERSARIAL_PAIRS["least-squares"].right(logits(0.4, 0.6, 0.6), logits(0.2, 0.2, 0.8))
    close(labels, 0.5, 1, 0.5)  # on both sides of 1/2
    close(ADVERSARIAL_PAIRS["relativistic"].right(maps([1, 2]), maps([0, 3])), 0.5)


@pytest.mark.parametrize("form", FORMS)
def test_a_discriminator_that_cannot_tell_is_never_more_than_half_right(
    form: AdversarialForm,
) -> None:
    same = logits(0, 0.5, 3, -2)
    assert ADVERSARIAL_PAIRS[form].right(same, same).mean() <= 0.5
    far = (logits(9, 8), logits(-9, -8))
    assert ADVERSARIAL_PAIRS[form].right(*far).tolist() == [1, 1]


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_in_bfloat16_are_judged_in_float32(loss) -> None:
    real, fake = logits(2.53, -1.21).bfloat16(), logits(0.377, 3.1).bfloat16()
    assert torch.equal(loss(real, fake), loss(real.float(), fake.float()))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss) -> None:
    real, fake = torch.randn(2, 2, 1, 2, 2, generator=torch.Generator().manual_seed(3)).double()
    inputs = real.requires_grad_(), fake.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: loss(a, b) + 0 * a.sum(), inputs)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(2,), (3, 1), (2, 2), (2, 1, 1), (2, 1, 1, 1)])
def test_logits_of_another_shape_are_refused_instead_of_broadcast(loss, shape) -> None:
    check = getattr(loss, "__wrapped__", loss)  # under the run-time shape check of tests
    with pytest.raises(ValueError, match=r"logits must both be \(n, 1\) or \(n, 1, h, w\)"):
        check(torch.zeros(2, 1), torch.zeros(shape))


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_of_equal_but_wrong_shapes_are_refused_too(loss) -> None:
    check = getattr(loss, "__wrapped__", loss)
    for shape in ((2,), (2, 2), (2, 1, 1), (2, 2, 3, 3)):
        with pytest.raises(ValueError, match=r"logits must both be \(n, 1\) or \(n, 1, h, w\)"):
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
