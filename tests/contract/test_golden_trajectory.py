"""Five steps of each kind of stage give the losses that they have always given.

These numbers come from our own program and say nothing about what is right; the hand-worked
values of tests/unit/test_step.py do that. They are the proof that a rearrangement of the code
changed nothing: order of draws, start values, optimisers, which network sees what and when. If
one of them moves, either the change was meant to (say so in CHANGELOG under "numbers", and write
the new ones here), or something broke. One thread, float32; processors differ by up to 1e-6.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from upres.data.store import Store
from upres.recipes.schema import Recipe
from upres.recipes.text import changed
from upres.training.journal import read_events
from upres.training.train import Needs, train

TOLERANCE = 1e-5  # relative

PIXEL = {
    "pixel": [0.0224414, 0.0236729, 0.0233907, 0.0258574, 0.0244253],
    "psnr_y": [38.3079, 38.3088, 38.3068],
}

GAN = {
    "non-saturating": {
        "pixel": [0.0224414, 0.0236737, 0.0234547, 0.0259672, 0.0245985],
        "content": [0.000271832, 0.000266888, 0.000284383, 0.000293137, 0.000271977],
        "adversarial": [0.787993, 0.749747, 0.730987, 0.6694, 0.613746],
        "discriminator": [1.39002, 1.39582, 1.38957, 1.39455, 1.39698],
        "psnr_y": [38.3079, 38.3075, 38.3098],
    },
    "saturating": {
        "pixel": [0.0224414, 0.0236736, 0.0234542, 0.02596, 0.0245889],
        "content": [0.000271832, 0.000266878, 0.000284375, 0.000293024, 0.000271841],
        "adversarial": [-0.606645, -0.639684, -0.656694, -0.717571, -0.779842],
        "discriminator": [1.39002, 1.39582, 1.38957, 1.39452, 1.39694],
        "psnr_y": [38.3079, 38.3059, 38.3076],
    },
    "relativistic-average": {
        "pixel": [0.0224414, 0.0236738, 0.0234496, 0.0259317, 0.0245043],
        "content": [0.000271832, 0.000266877, 0.000284312, 0.000292045, 0.000270857],
        "adversarial": [0.697651, 0.688197, 0.68884, 0.688598, 0.691898],
        "discriminator": [0.688893, 0.698083, 0.697428, 0.697693, 0.694583],
        "psnr_y": [38.3079, 38.3061, 38.3079],
    },
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


Losses = Callable[[Recipe], dict[str, list[float]]]


@pytest.fixture
def losses(toy_store: Store, untrained_needs: Callable[[Recipe], Needs], tmp_path: Path) -> Losses:
    """Train, and return every term of every step, and every validation, by name."""

    def run(recipe: Recipe) -> dict[str, list[float]]:
        train(recipe, toy_store, tmp_path / "run", needs=untrained_needs(recipe), facts={})
        events = read_events(tmp_path / "run/metrics.jsonl")
        steps = [event for event in events if event["event"] == "step"]
        found = {name: [step["terms"][name] for step in steps] for name in steps[0]["terms"]}
        if "discriminator" in steps[0]:
            found["discriminator"] = [step["discriminator"]["loss"] for step in steps]
        judged = [event for event in events if event["event"] == "validation"]
        found["psnr_y"] = [event["metrics"]["psnr_y"] for event in judged]
        return found

    return run


def only(recipe: Recipe, stage: str, changes: dict[str, object]) -> Recipe:
    """One stage of the recipe, five steps at a constant rate, every step in the journal."""
    fields = recipe.model_dump(mode="json")
    kept = fields["stages"][stage] | {"steps": 5, "schedule": {"kind": "constant"}}
    fields |= {"stages": {stage: kept}, "log_every": 1}
    if stage == "gan":
        kept["from_scratch"] = True
    return changed(Recipe.model_validate(fields), changes)


def test_five_steps_of_a_pixel_stage(toy_recipe: Recipe, losses: Losses) -> None:
    found = losses(only(toy_recipe, "pixel", {}))
    assert found == {name: pytest.approx(PIXEL[name], rel=TOLERANCE) for name in PIXEL}


@pytest.mark.parametrize("form", list(GAN))
def test_five_steps_of_a_gan_stage(toy_recipe: Recipe, losses: Losses, form: str) -> None:
    recipe = only(toy_recipe, "gan", {"stages.gan.losses.adversarial.form": form})
    found, expected = losses(recipe), GAN[form]
    assert found == {name: pytest.approx(expected[name], rel=TOLERANCE) for name in expected}
