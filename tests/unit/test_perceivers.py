"""Which pretrained networks a stage looks through: only those that a term asks for."""

from collections.abc import Sequence
from typing import Any

import pytest

from upres.networks.dists import DISTS
from upres.networks.features import FeatureNetwork
from upres.networks.lpips import LPIPS
from upres.recipes import RECIPES
from upres.recipes.schedules import Ramp
from upres.recipes.stages import GanStage, PixelStage
from upres.recipes.text import changed
from upres.training import perceivers
from upres.training.perceivers import (
    load_perceivers,
    published_needs,
    untrained_perceivers,
)

OFF = {"stages.gan.losses.content.weight": 0}


def stage(kind: str = "gan", **losses: Any) -> PixelStage | GanStage:
    fields = {f"stages.{kind}.losses.{name}": value for name, value in losses.items()}
    off = OFF if kind == "gan" and "content" not in losses else {}
    return changed(RECIPES["usrgan"], off | fields).stages[kind]


def needs(stage: PixelStage | GanStage) -> list[tuple[str, tuple[str, ...], str]]:
    return [(need.what, need.files, need.remedy) for need in published_needs(stage)]


CONTENT = {"network": "vgg16", "layers": {"conv3_3": 1.0}, "weight": 0.5}
NO_CONTENT = CONTENT | {"weight": 0}
STYLE = {"layers": {"conv2_2": 1.0}, "weight": 0.5}


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ({}, []),
        (
            {"content": CONTENT},
            [("the content term", ("vgg16",), "losses.content.weight=0")],
        ),
        (
            {"content": NO_CONTENT, "style": STYLE},
            [("the style term", ("vgg16",), "losses.style=null")],
        ),
        (
            {"content": CONTENT, "style": STYLE},
            [
                ("the content term", ("vgg16",), "losses.content.weight=0"),
                ("the style term", ("vgg16",), "losses.style=null"),
            ],
        ),
        (
            {"lpips": {"trunk": "alex"}},
            [("the LPIPS term", ("alexnet", "lpips-alex"), "losses.lpips=null")],
        ),
        (
            {"lpips": {"trunk": "vgg"}},
            [("the LPIPS term", ("vgg16", "lpips-vgg"), "losses.lpips=null")],
        ),
        ({"dists": {}}, [("the DISTS term", ("vgg16", "dists"), "losses.dists=null")]),
        ({"lpips": {"weight": 0}, "dists": {"weight": 0}, "style": {"weight": 0}}, []),
        (
            {"dists": {"weight": Ramp(start=0, end=1, finish=5).model_dump()}},
            [("the DISTS term", ("vgg16", "dists"), "losses.dists=null")],
        ),
    ],
)
def test_what_must_be_at_hand_is_what_the_terms_that_act_look_through(
    losses: dict[str, Any], expected: list[tuple[str, tuple[str, ...], str]]
) -> None:
    assert needs(stage(**losses)) == expected


def test_a_pixel_stage_may_need_networks_too() -> None:
    assert needs(stage("pixel")) == []
    with_both = stage("pixel", lpips={"trunk": "alex"}, dists={})
    assert [what for what, _, _ in needs(with_both)] == ["the LPIPS term", "the DISTS term"]


@pytest.mark.parametrize(
    "losses", [{}, {"content": CONTENT}, {"style": STYLE}, {"lpips": {}}, {"dists": {}}]
)
def test_every_remedy_is_a_setting_that_removes_the_need(losses: dict[str, Any]) -> None:
    fields = {f"stages.gan.losses.{name}": value for name, value in losses.items()}
    recipe = changed(RECIPES["usrgan"], OFF | fields)
    for need in published_needs(recipe.stages["gan"]):
        field, _, value = need.remedy.partition("=")
        without = changed(recipe, {f"stages.gan.{field}": None if value == "null" else value})
        assert need.what not in [left.what for left in published_needs(without.stages["gan"])]


def test_only_the_networks_that_are_asked_for_are_built() -> None:
    found = untrained_perceivers(stage())
    assert found.networks() == []
    everything = stage(content=CONTENT, style=STYLE, lpips={"trunk": "alex"}, dists={})
    found = untrained_perceivers(everything)
    assert isinstance(found.features, FeatureNetwork)
    assert found.features.layers == ("conv3_3", "conv2_2")
    assert isinstance(found.lpips, LPIPS)
    assert isinstance(found.dists, DISTS)
    assert found.trunk is None
    assert len(found.networks()) == 3
    pixel = untrained_perceivers(stage("pixel", lpips={"trunk": "alex"}, dists={}))
    assert [type(network) for network in pixel.networks()] == [LPIPS, DISTS]


def test_the_published_networks_are_those_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[object, ...]] = []

    def features(name: str, layers: Sequence[str], weights_dir: object) -> FeatureNetwork:
        asked.append(("features", name, tuple(layers), weights_dir))
        return FeatureNetwork("vgg16", ("conv1_1",))

    def distance(what: str) -> Any:
        return lambda *name, weights_dir: asked.append((what, *name, weights_dir)) or DISTS()

    monkeypatch.setattr(perceivers, "load_features", features)
    monkeypatch.setattr(perceivers, "load_lpips", distance("lpips"))
    monkeypatch.setattr(perceivers, "load_dists", distance("dists"))
    load_perceivers(stage(content=CONTENT, style=STYLE, lpips={"trunk": "vgg"}, dists={}), None)
    assert sorted(map(str, asked)) == sorted(
        map(
            str,
            [
                ("features", "vgg16", ("conv3_3", "conv2_2"), None),
                ("lpips", "vgg", None),
                ("dists", None),
            ],
        )
    )
