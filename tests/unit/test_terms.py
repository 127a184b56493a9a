"""The terms of a generator's loss: which are computed, what they are, and that they teach."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.losses.structure import ssim
from upres.losses.style import style
from upres.networks.dists import DISTS
from upres.networks.features import FeatureNetwork
from upres.networks.lpips import LPIPS
from upres.processes.fabric import fabric_for
from upres.recipes.terms import GanLosses, PixelLosses, weights_of
from upres.training.learning import Player
from upres.training.step import Eyes, GanAim, PixelAim, generator_step, pixel_step
from upres.training.terms import feature_terms, picture_terms

LAYERS = ("conv1_2", "conv3_3")
PICTURES = ("pixel", "structure", "gradient", "frequency", "variation", "lpips", "dists")


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return fabric_for("float32")


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Eyes(FeatureNetwork("vgg16", LAYERS), LPIPS("alexnet"), DISTS())


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(3)
    return torch.rand(2, 3, 32, 32, generator=drawn), torch.rand(2, 3, 32, 32, generator=drawn)


def losses_of(kind: type[Any], **weights: float) -> Any:
    """Terms with these weights; the others, those that are on by default too, have none."""
    fields: dict[str, dict[str, Any]] = {
        name: {"weight": 0.0} for name in ("pixel", "content", "adversarial")
    }
    fields |= {name: {"weight": weight} for name, weight in weights.items()}
    fields["content"] |= {"network": "vgg16", "layers": {LAYERS[1]: 1.0}}
    if "style" in weights:
        fields["style"]["layers"] = {LAYERS[0]: 2.0}
    return kind.model_validate({k: v for k, v in fields.items() if k in kind.model_fields})


def now(losses: PixelLosses | GanLosses) -> dict[str, float]:
    return dict(weights_of(losses))


def generator() -> Player:
    network = nn.Conv2d(3, 3, 3, padding=1)
    nn.init.dirac_(network.weight)
    nn.init.constant_(network.bias, 0.01)
    return Player(network, network, torch.optim.SGD(network.parameters(), 0.1))


def never(*pictures: Tensor) -> Any:
    raise AssertionError("a term that weighs nothing was computed")


NO_JUDGE = Player(never, nn.Identity(), torch.optim.SGD([torch.zeros(1)], 1.0))
BLIND = Eyes(never, never, never)


# --- each teaches


@pytest.mark.parametrize("term", PICTURES)
def test_each_term_of_pictures_alone_moves_the_generator_and_nothing_it_looks_through(
    fabric: Fabric, eyes: Eyes, pictures: tuple[Tensor, Tensor], term: str
) -> None:
    own, losses = generator(), losses_of(PixelLosses, **{term: 0.5})
    before = [parameter.detach().clone() for parameter in own.module.parameters()]
    networks = [eyes.lpips, eyes.dists]
    seen = [{k: v.clone() for k, v in network.state_dict().items()} for network in networks]
    looked = Eyes(never, eyes.lpips if term == "lpips" else never, eyes.dists)
    found = pixel_step(fabric, own, looked, *pictures, PixelAim(losses, now(losses)), norms=True)
    assert list(found.terms) == list(found.gradient_norms) == [term]
    assert found.gradient_norms[term] > 0
    for old, new in zip(before, own.module.parameters(), strict=True):
        # a level added to the whole picture changes neither its slopes nor its variation
        assert not torch.equal(old, new) or (old.ndim == 1 and term in ("gradient", "variation"))
    for network, values in zip(networks, seen, strict=True):
        assert all(torch.equal(values[key], now) for key, now in network.state_dict().items())
        assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("term", ["content", "style"])
def test_each_term_of_features_alone_moves_the_generator(
    fabric: Fabric, eyes: Eyes, pictures: tuple[Tensor, Tensor], term: str
) -> None:
    own, losses = generator(), losses_of(GanLosses, **{term: 0.5})
    before = [parameter.detach().clone() for parameter in own.module.parameters()]
    found = generator_step(
        fabric, own, NO_JUDGE, Eyes(eyes.features), *pictures, GanAim(losses, now(losses))
    )
    assert list(found.terms) == [term]
    moved = zip(before, own.module.parameters(), strict=True)
    assert all(not torch.equal(old, new) for old, new in moved)


# --- what they are


def flat(value: float) -> Tensor:
    return torch.full((2, 3, 16, 16), value)


def test_the_terms_of_two_flat_pictures_are_the_hand_worked_ones() -> None:
    # They differ by 1/4 everywhere: no slope differs; of the 16 x 9 x 2 parts of a spectrum only
    # the constant wave's, 1/4 * 16, is not 0; SSIM's structure is 1 and its luminance as below.
    weights = {"pixel": 2.0, "gradient": 1.0, "frequency": 1.0, "variation": 1.0, "structure": 1.0}
    losses = losses_of(PixelLosses, **weights)
    found = picture_terms(flat(0.5), flat(0.75), losses, weights)
    luminance = (2 * 0.5 * 0.75 + 1e-4) / (0.5**2 + 0.75**2 + 1e-4)
    expected = {
        "pixel": 0.25,  # not yet weighted
        "gradient": 0.0,
        "frequency": pytest.approx(4 / (16 * 9 * 2)),
        "variation": 0.0,
        "structure": pytest.approx(1 - luminance, abs=5e-4),  # of float32 variances
    }
    assert {name: float(term) for name, term in found.items()} == expected


def test_variation_is_of_the_generators_picture_alone() -> None:
    across = torch.arange(16.0).expand(2, 3, 16, 16) / 16
    weights = {"variation": 1.0}
    losses = losses_of(PixelLosses, **weights)
    assert float(picture_terms(across, flat(0.5), losses, weights)["variation"]) == 1 / 16
    assert float(picture_terms(flat(0.5), across, losses, weights)["variation"]) == 0


def test_the_form_of_structure_is_the_one_that_is_asked_for(
    pictures: tuple[Tensor, Tensor],
) -> None:
    losses = PixelLosses.model_validate({"structure": {"form": "ssim"}})
    found = picture_terms(*pictures, losses, {"structure": 1.0})
    assert float(found["structure"]) == float(ssim(*pictures).mean())
    losses = PixelLosses.model_validate({"structure": {"form": "ms-ssim"}})
    with pytest.raises(ValueError, match="ms-ssim needs pictures of 161 pixels a side, not 32x32"):
        picture_terms(*pictures, losses, {"structure": 1.0})


def test_style_compares_its_own_layers(eyes: Eyes, pictures: tuple[Tensor, Tensor]) -> None:
    weights = {"content": 1.0, "style": 1.0}
    losses = losses_of(GanLosses, **weights)
    found = feature_terms(*pictures, losses, weights, eyes.features)
    assert eyes.features is not None
    sr, hr = (eyes.features(picture) for picture in pictures)
    expected = style(sr, hr, {LAYERS[0]: 2.0}).mean()
    assert float(found["style"].detach()) == pytest.approx(float(expected.detach()))
    difference = (sr[LAYERS[1]] - hr[LAYERS[1]]).square().mean()
    assert float(found["content"].detach()) == pytest.approx(float(difference.detach()), rel=1e-5)


# --- which are computed


@pytest.mark.parametrize("weights", [{}, {"content": 0.0, "style": 0.0}])
def test_features_are_not_looked_at_for_terms_that_weigh_nothing_now(
    pictures: tuple[Tensor, Tensor], weights: Mapping[str, float]
) -> None:
    losses = losses_of(GanLosses, content=1.0, style=1.0)
    assert feature_terms(*pictures, losses, weights, never) == {}


def test_terms_of_weight_zero_are_neither_computed_nor_reported(
    fabric: Fabric, pictures: tuple[Tensor, Tensor]
) -> None:
    names = (*PICTURES, "content", "style", "adversarial")
    losses = losses_of(GanLosses, **dict.fromkeys(names, 1.0))
    weights = dict.fromkeys(names, 0.0) | {"pixel": 1.0}
    found = generator_step(fabric, generator(), NO_JUDGE, BLIND, *pictures, GanAim(losses, weights))
    assert list(found.terms) == list(found.weights) == list(found.weighted) == ["pixel"]


@pytest.mark.parametrize("acting", [("content",), ("style",), ("content", "style")])
def test_content_and_style_share_one_look_at_each_picture(
    pictures: tuple[Tensor, Tensor], acting: tuple[str, ...]
) -> None:
    looks: list[tuple[float, bool]] = []

    def features(picture: Tensor) -> dict[str, Tensor]:
        looks.append((float(picture.detach().sum()), torch.is_grad_enabled()))
        return dict.fromkeys(LAYERS, picture)

    sr, hr = pictures
    weights = dict.fromkeys(acting, 1.0)
    found = feature_terms(sr, hr, losses_of(GanLosses, **weights), weights, features)
    assert tuple(found) == acting
    assert looks == [(float(hr.sum()), False), (float(sr.sum()), True)]


@pytest.mark.parametrize("term", ["lpips", "dists"])
def test_a_term_without_its_network_is_not_left_out_silently(
    pictures: tuple[Tensor, Tensor], term: str
) -> None:
    losses = losses_of(PixelLosses, **{term: 1.0})
    with pytest.raises(ValueError, match=f"the {term} term has nothing to look through"):
        picture_terms(*pictures, losses, {term: 1.0})


def test_weights_multiply_terms_and_add_up(
    fabric: Fabric, eyes: Eyes, pictures: tuple[Tensor, Tensor]
) -> None:
    weights = {name: 0.1 * place for place, name in enumerate(PICTURES, start=1)}
    losses = losses_of(PixelLosses, **weights)
    aim = PixelAim(losses, now(losses))
    found = pixel_step(fabric, generator(), eyes, *pictures, aim)
    assert list(found.terms) == list(PICTURES)
    assert found.weighted == {
        name: pytest.approx(weights[name] * found.terms[name]) for name in PICTURES
    }
    assert all(math.isfinite(value) for value in found.terms.values())
