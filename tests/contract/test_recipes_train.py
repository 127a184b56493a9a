"""Every recipe trains: two steps of each of its stages, with a smaller network and patch."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from upres.data.store import Store, open_store, prepare
from upres.recipes import RECIPES
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage
from upres.recipes.text import changed
from upres.training.journal import read_events
from upres.training.train import Needs, train
from upres.weights.model import load_model

SMALL = {
    "rrdbnet": {"blocks": 1, "width": 8, "growth": 4},
    "srresnet": {"blocks": 1, "width": 8},
    "msrresnet": {"blocks": 1, "width": 8},
    "compact": {"width": 8, "convs": 1},
    "srcnn": {},
}


def shrunk(recipe: Recipe) -> Recipe:
    """The recipe in small; its losses, optimisers, schedules and precision stay its own."""
    changes: dict[str, object] = {
        "crops.hr_patch": 16 * recipe.scale,  # 64: the least that a VGG's fifth level allows
        "batch": 2,
        "compile": "no",
        "budget.minutes": None,
        "validation.metrics": ["psnr_y"],
        "validation.pictures": 1,
        "validation.side": 48,
        "validation.every": 2,
        "log_every": 1,
        "watch_every": 2,
    }
    small = SMALL[recipe.generator.kind]
    changes |= {f"generator.{field}": value for field, value in small.items()}
    for name, stage in recipe.stages.items():
        changes |= {f"stages.{name}.steps": 2, f"stages.{name}.best": ["psnr_y"]}
        if isinstance(stage, GanStage):
            at = f"stages.{name}.discriminator"
            changes |= {f"{at}.width": 4, f"{at}.dense": 8}
    return changed(recipe, changes)


@pytest.fixture(scope="module")
def store_of(
    photo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Store]:
    """The toy photos at any scale; each is prepared once."""

    def opened(scale: int) -> Store:
        path = tmp_path_factory.mktemp("stores") / f"x{scale}"
        prepare(photo_folder, path, scale=scale, min_side=32)
        return open_store(path)

    return cache(opened)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_and_its_model_enlarges(
    name: str,
    store_of: Callable[[int], Store],
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path: Path,
) -> None:
    recipe = shrunk(RECIPES[name])
    store = store_of(recipe.scale)
    path = train(recipe, store, tmp_path, needs=untrained_needs(recipe), facts={})
    events = [event for event in read_events(tmp_path / "metrics.jsonl") if "step" in event]
    steps = [(e["stage"], e["step"]) for e in events if e["event"] == "step"]
    assert steps == [(stage, step) for stage in recipe.stages for step in (1, 2)]
    for stage in recipe.stages:
        before = load_file(tmp_path / stage / "state.safetensors")
        assert all(torch.isfinite(t).all() for t in before.values() if t.is_floating_point())
    model = load_model(path)
    assert model.header is not None
    assert model.header.stage == list(recipe.stages)[-1]
    assert model.header.recipe == recipe.model_dump(mode="json")
    lr = torch.rand(1, 3, 9, 11)
    with torch.no_grad():
        sr = model.network(lr)
    assert sr.shape == (1, 3, 9 * recipe.scale, 11 * recipe.scale)
    assert torch.isfinite(sr).all()


def test_a_recipe_of_two_stages_uses_every_term_that_it_names(
    toy_store: Store, untrained_needs: Callable[[Recipe], Needs], tmp_path: Path
) -> None:
    recipe = shrunk(RECIPES["usrgan"])
    train(recipe, toy_store, tmp_path, needs=untrained_needs(recipe), facts={})
    last = [e for e in read_events(tmp_path / "metrics.jsonl") if e["event"] == "step"][-1]
    assert list(last["terms"]) == ["pixel", "content", "adversarial"]
    # paper B 4: weights 1, 1 and 0.005
    terms, weighted = last["terms"], last["weighted"]
    for term, weight in {"pixel": 1.0, "content": 1.0, "adversarial": 0.005}.items():
        assert weighted[term] == pytest.approx(weight * terms[term], rel=1e-3), term
    assert sum(last["watch"]["gradient_shares"].values()) == pytest.approx(1.0)
    assert set(last["discriminator"]) == {"loss", "accuracy", "real", "fake", "updated"}
