"""What keeps generator and discriminator level, on known networks: values worked by hand."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.networks.build import build_discriminator
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.processes.fabric import fabric_for
from upres.recipes.terms import GanLosses
from upres.training.learning import Player
from upres.training.step import (
    Eyes,
    Found,
    GanAim,
    Penalties,
    asked,
    discriminator_step,
    generator_step,
)

FORM = "non-saturating"


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return fabric_for("float32")


def player(network: nn.Module, rate: float = 0.1) -> Player:
    return Player(network, network, torch.optim.SGD(network.parameters(), rate))


def linear(*weights: float) -> nn.Sequential:
    """A discriminator of 1x1 pictures whose logit is the product with these weights."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 1, bias=False))
    network[1].weight.data = torch.tensor([weights], dtype=torch.float32)
    return network


def of_values(*reds: float) -> Tensor:
    return torch.tensor([[red, 0.5, 0.5] for red in reds]).reshape(-1, 3, 1, 1)


# --- the adaptive weight


Features = Callable[[Tensor], dict[str, Tensor]]


def adapted(fabric: Fabric, slope: float, features: Features | None, **limit: Any) -> Found:
    """A step where SR is 0.5 and HR 0.75 everywhere, so that the slopes are known.

    N values: those of L1 by SR are each -1/N, so its norm is 1/sqrt(N); the hinge loss of a logit
    of `slope` times the mean has slopes of -slope/N.
    """
    network = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(network.weight)
    nn.init.zeros_(network.bias)
    judge = Player(
        lambda picture: slope * picture.mean(dim=(1, 2, 3))[:, None],
        nn.Identity(),
        torch.optim.SGD([torch.zeros(1)], 1.0),
    )
    weights = {"pixel": 2.0, "content": 1.0 if features else 0.0, "adversarial": 0.3}
    terms: dict[str, dict[str, Any]] = {name: {"weight": w} for name, w in weights.items()}
    terms["content"] |= {"network": "vgg16", "layers": {"conv3_3": 1.0}, "form": "l1"}
    terms["adversarial"]["form"] = "hinge"
    aim = GanAim(GanLosses.model_validate(terms), weights, **limit)
    lr, hr = torch.full((2, 3, 4, 4), 0.5), torch.full((2, 3, 4, 4), 0.75)
    return generator_step(fabric, player(network), judge, Eyes(features), lr, hr, aim, norms=True)


ROOT = math.sqrt(2 * 3 * 4 * 4)


def test_without_it_the_weight_is_the_weight(fabric: Fabric) -> None:
    found = adapted(fabric, 4.0, None)
    assert found.weights == {"pixel": 2.0, "adversarial": 0.3}
    assert found.gradient_norms == {
        "pixel": pytest.approx(2 / ROOT),
        "adversarial": pytest.approx(0.3 * 4 / ROOT),
    }


@pytest.mark.parametrize("slope", [4.0, 0.01, 50.0])
def test_the_adversarial_gradient_is_brought_to_the_others_norm_times_its_weight(
    fabric: Fabric, slope: float
) -> None:
    found = adapted(fabric, slope, None, adaptive_limit=1e4)
    assert found.weights["adversarial"] == pytest.approx(0.3 * 2 / slope)
    assert found.weights["pixel"] == 2.0
    assert found.gradient_norms["adversarial"] == pytest.approx(0.3 * 2 / ROOT)
    assert found.terms["adversarial"] == pytest.approx(-slope * 0.5)  # as the loss is
    assert found.weighted["adversarial"] == pytest.approx(-0.3 * 2 * 0.5)


def test_the_others_count_together_where_they_pull_against_each_other(fabric: Fabric) -> None:
    # p * (1.1 - p) is 0.3 of SR and 0.2625 of HR and rises by 0.1 at SR: content pulls SR down by
    # 0.1 / N, pixel with its weight of 2 pulls up: 1.9 / N together.
    found = adapted(fabric, 4.0, lambda p: {"conv3_3": p * (1.1 - p)}, adaptive_limit=1e4)
    assert found.weights["adversarial"] == pytest.approx(0.3 * 1.9 / 4, rel=1e-4)


@pytest.mark.parametrize(("slope", "factor"), [(4.0, 0.1), (0.0, 0.1), (50.0, 2 / 50)])
def test_the_factor_is_never_more_than_its_limit(
    fabric: Fabric, slope: float, factor: float
) -> None:
    found = adapted(fabric, slope, None, adaptive_limit=0.1)
    assert found.weights["adversarial"] == pytest.approx(0.3 * factor)


# --- penalties


PENALTIES = [(0.0, 0.0), (4.0, 0.0), (0.0, 4.0), (3.0, 5.0)]


@pytest.mark.parametrize(("r1", "r2"), PENALTIES)
def test_penalties_of_a_linear_discriminator_are_half_its_squared_weights(
    fabric: Fabric, r1: float, r2: float
) -> None:
    # The slope of its logit by any picture is w = (1, 2, -2): each penalty is 9/2, and its own
    # slope by w is w, beside that of the loss without penalties.
    weights = torch.tensor([[1.0, 2.0, -2.0]])
    free, held = linear(1, 2, -2), linear(1, 2, -2)
    hr, sr = of_values(0.9, 0.1), of_values(0.3, 0.4)
    without = discriminator_step(fabric, player(free), hr, sr, FORM)
    judgement = discriminator_step(fabric, player(held), hr, sr, FORM, penalties=Penalties(r1, r2))
    assert judgement.loss == pytest.approx(without.loss + (r1 + r2) * 4.5)
    assert judgement.accuracy == without.accuracy
    moved = held[1].weight.detach() - free[1].weight.detach()
    torch.testing.assert_close(moved, -0.1 * (r1 + r2) * weights)


@pytest.mark.parametrize(
    ("r1", "r2", "seen"), [(1, 0, ["hr"]), (0, 1, ["sr"]), (1, 1, ["hr", "sr"])]
)
def test_r1_is_of_photos_and_r2_of_generated_pictures(
    fabric: Fabric, r1: float, r2: float, seen: list[str]
) -> None:
    looked: list[str] = []

    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = linear(1, 2, -2)

        def forward(self, picture: Tensor) -> Tensor:
            looked.append("hr" if float(picture.detach()[0, 0]) > 0.5 else "sr")
            return self.inner(picture)

    network = Looking()
    judge = Player(network.inner, network, torch.optim.SGD(network.parameters(), 0.1))
    sr = of_values(0.3, 0.4).requires_grad_()
    discriminator_step(fabric, judge, of_values(0.9, 0.6), sr, FORM, penalties=Penalties(r1, r2))
    assert looked == seen
    assert sr.grad is None


# --- labels and accuracy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_labels_add_their_share_of_the_photos_logits(
    fabric: Fabric, smoothing: float
) -> None:
    # -(1 - s) log D - s log(1 - D) = -log D + s * logit; the photos' logits are 2 and 1
    hr, sr = of_values(2, 1), of_values(-1, 0)
    full = discriminator_step(fabric, player(linear(1, 0, 0)), hr, sr, FORM)
    judgement = discriminator_step(
        fabric, player(linear(1, 0, 0)), hr, sr, FORM, smoothing=smoothing
    )
    assert judgement.loss == pytest.approx(full.loss + smoothing * 1.5)
    also = asked(fabric, player(linear(1, 0, 0)), hr, sr, FORM, smoothing=smoothing)
    assert also.loss == pytest.approx(judgement.loss)


@pytest.mark.parametrize(
    ("form", "accuracy"),
    [
        ("non-saturating", 0.5),  # all above 0: both fakes are taken for photos
        ("hinge", 0.5),
        ("least-squares", 0.5),  # all above 1/2
        ("relativistic-average", 1.0),  # all photos above the mean fake of 2.5, and so on
        ("relativistic", 0.5),  # one photo is above the fake beside it
    ],
)
@pytest.mark.parametrize("step", [discriminator_step, asked])
def test_accuracy_is_of_what_the_form_wants(
    fabric: Fabric, step: Callable[..., Any], form: str, accuracy: float
) -> None:
    hr, sr = of_values(4, 2.75), of_values(2, 3)
    judgement = step(fabric, player(linear(1, 0, 0)), hr, sr, form)
    assert judgement.accuracy == accuracy
    assert (judgement.real, judgement.fake) == (3.375, 2.5)
    assert judgement.updated == (step is discriminator_step)


# --- only asked


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_a_discriminator_that_is_only_asked_keeps_every_bit(fabric: Fabric, norm: str) -> None:
    settings = VGGDiscriminatorSettings(norm=norm, width=4, dense=8)
    network = build_discriminator(settings, 32, seed=3).train()
    judge = player(network)
    drawn = torch.Generator().manual_seed(3)
    hr, sr = (torch.rand(4, 3, 32, 32, generator=drawn) for _ in range(2))
    discriminator_step(fabric, judge, hr, sr, FORM)
    for parameter in network.parameters():
        parameter.grad = None
    before = {key: value.clone() for key, value in network.state_dict().items()}
    judgement = asked(fabric, judge, hr, sr.requires_grad_(), FORM)
    after = network.state_dict()
    assert [key for key in before if not torch.equal(before[key], after[key])] == []
    assert all(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert sr.grad is None
    assert judgement.updated == 0.0
    discriminator_step(fabric, judge, hr, sr, FORM)
    after = network.state_dict()
    still = {key for key in before if torch.equal(before[key], after[key])}
    assert still <= {"linear2.parametrizations.weight.0._u"}  # of one value, which is always 1
