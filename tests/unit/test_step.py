"""One optimiser step of each player: who moves, by how much, and what is refused."""

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.errors import Diverged
from upres.networks.features import FeatureNetwork
from upres.processes.fabric import fabric_for
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage
from upres.recipes.terms import GanLosses, PixelLosses, weights_of
from upres.recipes.text import changed
from upres.training.perceivers import Features, Perceivers
from upres.training.players import Players, new_state, set_up
from upres.training.state import StageState
from upres.training.step import (
    Eyes,
    Found,
    GanAim,
    PixelAim,
    Player,
    discriminator_step,
    generator_step,
    gradient_norms,
    pixel_step,
)

TERMS = ("pixel", "content", "adversarial")
FORM = "non-saturating"
LAYER = "conv3_3"  # of the toy recipe's VGG16


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return fabric_for("float32")


@pytest.fixture(scope="module")
def features() -> FeatureNetwork:
    return FeatureNetwork("vgg16", (LAYER,))


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(3)
    return torch.rand(2, 3, 8, 8, generator=drawn), torch.rand(2, 3, 32, 32, generator=drawn)


def gan_losses(**weights: float) -> GanLosses:
    """The toy recipe's terms; those that are not named have the weight 0."""
    fields = {term: {"weight": weights.get(term, 0.0)} for term in TERMS}
    fields["content"] |= {"network": "vgg16", "layers": {LAYER: 1.0}, "form": "l1"}
    return GanLosses.model_validate(fields)


def gan_players(
    fabric: Fabric, recipe: Recipe, features: FeatureNetwork
) -> tuple[StageState, Players]:
    stage = recipe.stages["gan"]
    state = new_state(recipe, stage, None)
    return state, set_up(fabric, recipe, stage, state, Perceivers(features))


def player(
    network: nn.Module, rate: float = 1.0, clip_norm: float | None = None, name: str = "SGD"
) -> Player:
    optimiser = getattr(torch.optim, name)(network.parameters(), rate)
    return Player(network, network, optimiser, clip_norm)


def silent(logits: Callable[[Tensor], Tensor]) -> Player:
    """A discriminator that says what a function says and learns nothing."""
    return Player(logits, nn.Identity(), torch.optim.SGD([torch.zeros(1)], 1.0))


def now(losses: GanLosses | PixelLosses) -> dict[str, float]:
    """The weights of the terms, which follow no schedule here."""
    return dict(weights_of(losses))


def generators_step(
    fabric: Fabric,
    generator: Player,
    judge: Player,
    features: Features | None,
    lr: Tensor,
    hr: Tensor,
    losses: GanLosses,
    **options: Any,
) -> Found:
    eyes, aim = Eyes(features), GanAim(losses, now(losses))
    return generator_step(fabric, generator, judge, eyes, lr, hr, aim, **options)


def pixels_step(
    fabric: Fabric, generator: Player, lr: Tensor, hr: Tensor, losses: PixelLosses
) -> Found:
    return pixel_step(fabric, generator, Eyes(), lr, hr, PixelAim(losses, now(losses)))


def own_values(player: Player) -> list[nn.Parameter]:
    return list(player.module.parameters())


def values(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]


def same(before: list[Tensor], parameters: Iterable[nn.Parameter]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, parameters, strict=True))


def identity() -> nn.Conv2d:
    """A generator of scale 1 whose picture is its input."""
    conv = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


# --- who moves


@pytest.mark.parametrize("term", TERMS)
def test_each_term_alone_moves_the_generator_and_only_the_generator(
    fabric: Fabric,
    toy_recipe: Recipe,
    features: FeatureNetwork,
    batch: tuple[Tensor, Tensor],
    term: str,
) -> None:
    _, players = gan_players(fabric, toy_recipe, features)
    judge = players.discriminator
    own, others = values(own_values(players.generator)), values(own_values(judge))
    of_features = values(features.parameters())
    found = generators_step(
        fabric, players.generator, judge, features, *batch, gan_losses(**{term: 0.5})
    )
    assert list(found.terms) == [term]
    moved = [not torch.equal(a, b) for a, b in zip(own, own_values(players.generator), strict=True)]
    assert all(moved), f"{moved.count(False)} of {len(moved)} tensors stood still"
    assert same(others, own_values(judge))
    assert same(of_features, features.parameters())
    untouched = [*own_values(judge), *features.parameters()]
    assert all(p.grad is None or not p.grad.any() for p in untouched)


def test_the_discriminators_step_moves_the_discriminator_and_only_it(
    fabric: Fabric, toy_recipe: Recipe, features: FeatureNetwork, batch: tuple[Tensor, Tensor]
) -> None:
    _, players = gan_players(fabric, toy_recipe, features)
    lr, hr = batch
    sr = players.generator.network(lr)  # with its graph: the step must cut it
    own, judged = (
        values(own_values(players.generator)),
        values(own_values(players.discriminator)),
    )
    discriminator_step(fabric, players.discriminator, hr, sr, FORM)
    assert same(own, own_values(players.generator))
    assert all(p.grad is None for p in own_values(players.generator))
    moved = zip(judged, own_values(players.discriminator), strict=True)
    assert all(not torch.equal(a, b) for a, b in moved)


def test_the_discriminator_learns_again_after_the_generators_step(
    fabric: Fabric, toy_recipe: Recipe, features: FeatureNetwork, batch: tuple[Tensor, Tensor]
) -> None:
    _, players = gan_players(fabric, toy_recipe, features)
    judge = players.discriminator
    losses = gan_losses(adversarial=0.1)
    generators_step(fabric, players.generator, judge, None, *batch, losses)
    assert all(p.requires_grad for p in own_values(judge))


def test_gradients_of_before_do_not_add_to_a_step(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    def after_a_step(rubbish: float | None) -> Tensor:
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1))
        nn.init.constant_(network[1].weight, 0.01)
        nn.init.zeros_(network[1].bias)
        for parameter in network.parameters() if rubbish is not None else ():
            parameter.grad = torch.full_like(parameter, rubbish)
        hr = batch[1]
        discriminator_step(fabric, player(network, 0.1), hr, 1 - hr, FORM)
        return network[1].weight.detach()

    assert torch.equal(after_a_step(5.0), after_a_step(None))


@pytest.mark.parametrize("iterations", [1, 3])
def test_batch_norm_counts_one_batch_for_each_iteration(
    fabric: Fabric,
    toy_recipe: Recipe,
    features: FeatureNetwork,
    batch: tuple[Tensor, Tensor],
    iterations: int,
) -> None:
    recipe = changed(toy_recipe, {"generator.batch_norm": "block"})
    state, players = gan_players(fabric, recipe, features)
    losses = gan_losses(pixel=1.0, content=0.1, adversarial=0.1)
    lr, hr = batch
    for _ in range(iterations):
        found = generators_step(
            fabric, players.generator, players.discriminator, features, lr, hr, losses, norms=True
        )
        discriminator_step(fabric, players.discriminator, hr, found.sr, FORM)
    norms = [m for m in state.generator.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert {int(norm.num_batches_tracked) for norm in norms} == {iterations}


# --- by how much


@pytest.mark.parametrize(("form", "loss", "slope"), [("l1", 0.25, -1 / 3), ("mse", 0.0625, -1 / 6)])
def test_one_step_of_a_known_generator_is_the_hand_worked_one(
    fabric: Fabric, form: str, loss: float, slope: float
) -> None:
    # sr is 0.5 and hr 0.75 everywhere. A bias reaches a third of the values, so the slope of L1
    # by it is -1/3, that of MSE 2 * -0.25 / 3; a weight's is that times its input of 0.5.
    network = identity()
    lr, hr = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.75)
    losses = PixelLosses.model_validate({"pixel": {"form": form, "weight": 2.0}})
    found = pixels_step(fabric, player(network, rate=0.1), lr, hr, losses)
    assert found.terms == {"pixel": pytest.approx(loss)}
    assert found.weighted == {"pixel": pytest.approx(2 * loss)}
    moved = -0.1 * 2 * slope
    torch.testing.assert_close(network.bias.detach(), torch.full((3,), moved))
    expected = torch.eye(3) + moved * 0.5
    torch.testing.assert_close(network.weight.detach()[:, :, 0, 0], expected)
    torch.testing.assert_close(found.sr, lr)
    assert not found.sr.requires_grad


def test_a_discriminators_loss_accuracy_and_scores_are_the_hand_worked_ones(
    fabric: Fabric,
) -> None:
    # -log D: 0.313262 and 1.313262 for photos of logit 1 and -1; -log(1 - D): 0.126928 and
    # 0.048587 for fakes of -2 and -3. One photo and both fakes are on the right side of 0.
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 1, bias=False))
    network[1].weight.data = torch.tensor([[1.0, 0.0, 0.0]])

    def pictures(*logits: float) -> Tensor:
        return torch.tensor([[logit, 0.5, 0.5] for logit in logits]).reshape(-1, 3, 1, 1)

    judgement = discriminator_step(
        fabric, player(network, 0.1), pictures(1, -1), pictures(-2, -3), FORM
    )
    assert judgement.loss == pytest.approx(
        (0.313262 + 1.313262 + 0.126928 + 0.048587) / 2, rel=1e-5
    )
    assert judgement.accuracy == 0.75
    assert (judgement.real, judgement.fake) == (0.0, -2.5)


def test_a_weighted_term_is_weight_times_term(
    fabric: Fabric, toy_recipe: Recipe, features: FeatureNetwork, batch: tuple[Tensor, Tensor]
) -> None:
    _, players = gan_players(fabric, toy_recipe, features)
    weights = {"pixel": 0.2, "content": 3.0, "adversarial": 0.05}
    found = generators_step(
        fabric,
        players.generator,
        players.discriminator,
        features,
        *batch,
        gan_losses(**weights),
    )
    expected = {name: pytest.approx(weights[name] * found.terms[name]) for name in TERMS}
    assert found.weighted == expected
    assert found.gradient_norms == {}


def test_a_term_of_weight_zero_is_not_computed_and_not_reported(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    def never(picture: Tensor) -> Tensor:
        raise AssertionError("a term of weight zero was computed")

    hr = batch[1]
    found = generators_step(
        fabric,
        player(identity()),
        silent(never),
        never,
        1 - hr,
        hr,
        gan_losses(pixel=1.0),
        norms=True,
    )
    assert list(found.terms) == list(found.weighted) == ["pixel"]
    assert list(found.gradient_norms) == ["pixel"]


def test_norms_of_the_gradient_follow_slopes_and_weights() -> None:
    sr = torch.rand(2, 3, 4, 4, requires_grad=True)
    sums = {"a": 3 * sr.sum(), "b": -1 * sr.sum()}
    length = math.sqrt(sr.numel())
    found = gradient_norms(sr, sums)
    assert found == {"a": pytest.approx(3 * length), "b": pytest.approx(length)}
    assert gradient_norms(sr, {"a": 0 * sr.sum()}) == {"a": 0.0}


def test_measuring_the_norms_does_not_change_a_step(
    fabric: Fabric, toy_recipe: Recipe, features: FeatureNetwork, batch: tuple[Tensor, Tensor]
) -> None:
    losses = gan_losses(pixel=0.2, content=0.1, adversarial=0.05)

    def step(*, norms: bool) -> tuple[dict[str, float], list[Tensor]]:
        _, players = gan_players(fabric, toy_recipe, features)
        found = generators_step(
            fabric,
            players.generator,
            players.discriminator,
            features,
            *batch,
            losses,
            norms=norms,
        )
        return dict(found.gradient_norms), values(own_values(players.generator))

    (norms, with_norms), (_, without) = step(norms=True), step(norms=False)
    assert list(norms) == list(TERMS)
    assert all(norm > 0 for norm in norms.values())
    assert all(torch.equal(a, b) for a, b in zip(with_norms, without, strict=True))


def test_clipping_bounds_the_gradient_of_the_whole_network(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    def length_of_a_step(clip_norm: float | None) -> float:
        network = identity()
        before = values(network.parameters())
        lr = batch[1]
        pixels_step(fabric, player(network, 1.0, clip_norm), lr, 1 - lr, PixelLosses())
        moved = zip(before, values(network.parameters()), strict=True)
        return math.sqrt(sum(float((a - b).square().sum()) for a, b in moved))

    free = length_of_a_step(None)
    assert length_of_a_step(free / 10) == pytest.approx(free / 10, rel=1e-3)
    assert length_of_a_step(free * 10) == pytest.approx(free)


def test_clipping_bounds_the_discriminator_too(
    fabric: Fabric, toy_recipe: Recipe, features: FeatureNetwork
) -> None:
    recipe = changed(toy_recipe, {"stages.gan.clip_norm": 0.5})
    _, players = gan_players(fabric, recipe, features)
    assert players.generator.clip_norm == players.discriminator.clip_norm == 0.5


# --- the adversarial forms


def adversarial_loss(fabric: Fabric, form: str, photos: tuple[float, float]) -> float:
    """The generator's loss where photos have these logits and its own pictures have 0.5."""
    hr = torch.tensor(photos).reshape(2, 1, 1, 1).expand(2, 3, 4, 4)
    losses = gan_losses(adversarial=1.0).model_copy(
        update={"adversarial": GanLosses().adversarial.model_copy(update={"form": form})}
    )
    losses = losses.model_copy(
        update={"adversarial": losses.adversarial.model_copy(update={"weight": 1.0})}
    )
    judge = silent(lambda picture: picture.mean(dim=(1, 2, 3))[:, None])
    half = torch.full((2, 3, 4, 4), 0.5)
    found = generators_step(fabric, player(identity()), judge, None, half, hr, losses)
    return found.terms["adversarial"]


def test_the_relativistic_loss_looks_at_each_photo_and_not_only_at_their_mean(
    fabric: Fabric,
) -> None:
    # softplus(x - 0.5) for the photos and softplus(mean - 0.5) for the fakes, halved
    alike = adversarial_loss(fabric, "relativistic-average", (0.5, 0.5))
    spread = adversarial_loss(fabric, "relativistic-average", (-1.5, 2.5))
    assert alike == pytest.approx(math.log(2))
    photos = (math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2
    assert spread == pytest.approx((photos + math.log(2)) / 2)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("non-saturating", math.log1p(math.exp(-0.5))),
        ("saturating", -math.log1p(math.exp(0.5))),
    ],
)
def test_the_other_forms_do_not_look_at_the_photos(fabric: Fabric, form: str, value: float) -> None:
    assert adversarial_loss(fabric, form, (-1.5, 2.5)) == pytest.approx(value)
    assert adversarial_loss(fabric, form, (9.0, 0.0)) == pytest.approx(value)


# --- what is refused


def explosive(picture: Tensor) -> dict[str, Tensor]:
    return {LAYER: picture * math.inf}


@pytest.mark.parametrize(
    ("term", "features", "logits"),
    [
        ("pixel", None, None),
        ("content", explosive, None),
        ("adversarial", None, lambda picture: picture.mean(dim=(1, 2, 3))[:, None] * math.nan),
    ],
)
def test_a_term_that_is_not_finite_is_named_and_nothing_moves(
    fabric: Fabric,
    batch: tuple[Tensor, Tensor],
    term: str,
    features: Features | None,
    logits: Callable[[Tensor], Tensor] | None,
) -> None:
    network = identity()
    before = values(network.parameters())
    hr = batch[1].clone()
    lr = 1 - hr
    if term == "pixel":
        lr[0, 0, 0, 0] = math.nan
    with pytest.raises(Diverged, match=rf"^the {term} loss is (nan|inf)$"):
        generators_step(
            fabric,
            player(network, name="Adam"),
            silent(logits or (lambda picture: picture)),
            features,
            lr,
            hr,
            gan_losses(**{term: 1.0}),
        )
    assert same(before, network.parameters())


def test_a_pixel_stage_that_is_not_finite_says_so(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    hr = batch[1]
    with pytest.raises(Diverged, match="the pixel loss is inf"):
        pixels_step(fabric, player(identity()), hr, hr + math.inf, PixelLosses())


def test_a_discriminator_that_is_not_finite_does_not_move(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1))
    before = values(network.parameters())
    hr = batch[1]
    with pytest.raises(Diverged, match="the discriminator loss is nan"):
        discriminator_step(fabric, player(network), hr, hr * math.nan, FORM)
    assert same(before, network.parameters())


def test_content_targets_are_taken_without_gradient(
    fabric: Fabric, batch: tuple[Tensor, Tensor]
) -> None:
    tracked = []

    def watching(picture: Tensor) -> dict[str, Tensor]:
        found = picture * 2
        tracked.append(found.requires_grad)
        return {LAYER: found}

    hr = batch[1].clone().requires_grad_()
    generators_step(
        fabric,
        player(deepcopy(identity())),
        silent(lambda picture: picture),
        watching,
        1 - batch[1],
        hr,
        gan_losses(content=1.0),
    )
    assert tracked == [False, True]  # of HR, then of SR


def test_the_toy_recipe_has_the_stage_that_these_tests_rely_on(toy_recipe: Recipe) -> None:
    stage = toy_recipe.stages["gan"]
    assert isinstance(stage, GanStage)
    assert list(stage.losses.content.layers) == [LAYER]
