"""A stage from its start to its end: its length, what it judges and hands over, how it fails."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from upres.data.store import Store
from upres.errors import Diverged, Interrupted, WorkFailed
from upres.evaluation.protocols import PROTOCOLS, Protocol
from upres.networks.features import FeatureNetwork
from upres.recipes.schema import Recipe
from upres.recipes.text import changed
from upres.training.journal import Event, read_events
from upres.training.length import TIMED_STEPS
from upres.training.perceivers import Perceivers
from upres.training.train import Needs, train
from upres.weights.checkpoint import read_checkpoint

Trainer = Callable[..., list[Event]]


@pytest.fixture
def events(toy_store: Store, untrained_needs: Callable[[Recipe], Needs], tmp_path: Path) -> Trainer:
    """Train into tmp_path / "run" and return the journal."""

    def run(recipe: Recipe, needs: Needs | None = None, **options: object) -> list[Event]:
        folder = tmp_path / "run"
        train(
            recipe, toy_store, folder, needs=needs or untrained_needs(recipe), facts={}, **options
        )
        return read_events(folder / "metrics.jsonl")

    return run


def pixel_only(recipe: Recipe, changes: dict[str, object]) -> Recipe:
    fields = recipe.model_dump(mode="json")
    fields["stages"] = {"pixel": fields["stages"]["pixel"]}
    return changed(Recipe.model_validate(fields), changes)


def test_the_journal_has_the_lines_that_the_recipe_asks_for(
    toy_recipe: Recipe, events: Trainer
) -> None:
    recipe = pixel_only(
        toy_recipe, {"stages.pixel.steps": 7, "log_every": 3, "validation.every": 4}
    )
    found = [(event["event"], event.get("step")) for event in events(recipe)]
    assert found == [
        ("run", None),
        ("stage", None),
        ("validation", 0),
        ("step", 3),
        ("validation", 4),
        ("step", 6),
        ("step", 7),  # the last step is always logged and judged
        ("validation", 7),
    ]


def test_validations_are_spread_evenly_where_their_number_is_given(
    toy_recipe: Recipe, events: Trainer
) -> None:
    recipe = pixel_only(
        toy_recipe,
        {"stages.pixel.steps": 12, "validation.every": None, "validation.times": 3},
    )
    steps = [event["step"] for event in events(recipe) if event["event"] == "validation"]
    assert steps == [0, 4, 8, 12]


def test_epochs_count_all_training_photos(toy_recipe: Recipe, events: Trainer) -> None:
    found = events(pixel_only(toy_recipe, {}))
    photos = next(event["photos"] for event in found if event["event"] == "stage")
    last = [event for event in found if event["event"] == "validation"][-1]
    assert last["epoch"] == round(6 * toy_recipe.batch / photos, 2)


# --- minutes


def test_a_stage_of_minutes_becomes_steps_once_and_keeps_them_when_it_is_resumed(
    toy_recipe: Recipe, events: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = iter([54, 99])  # as measured; a second measurement would be another
    monkeypatch.setattr("upres.training.loop.steps_in", lambda *_, **__: next(lengths))
    recipe = pixel_only(
        toy_recipe,
        {
            "stages.pixel.minutes": 1.0,
            "validation.every": None,
            "validation.times": 2,
            "log_every": 10,
            "save_every": 20,
        },
    )
    steps = iter(range(1, 100))
    with pytest.raises(Interrupted, match="stopped at step 52 of 54 of stage pixel"):
        events(recipe, should_stop=lambda: next(steps) == 52)
    found = events(recipe)
    (planned,) = (event for event in found if event["event"] == "planned")
    assert (planned["step"], planned["steps"]) == (TIMED_STEPS, 54)
    assert [event["step"] for event in found if event["event"] == "step"] == [
        *range(10, 51, 10),
        54,
    ]
    judged = [event["step"] for event in found if event["event"] == "validation"]
    assert judged == [0, 54]  # the first ones could not be placed before the length was known


def test_a_stage_of_minutes_that_is_stopped_before_it_was_timed_is_timed_again(
    toy_recipe: Recipe, events: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = []

    def measured(minutes: float, *, step: int, **_: object) -> int:
        timed.append((minutes, step))
        return 60

    monkeypatch.setattr("upres.training.loop.steps_in", measured)
    recipe = pixel_only(toy_recipe, {"stages.pixel.minutes": 1.0, "validation.every": 100})
    steps = iter(range(1, 100))
    with pytest.raises(Interrupted, match="stopped at step 5 of stage pixel"):
        events(recipe, should_stop=lambda: next(steps) == 5)
    last = [event for event in events(recipe) if event["event"] == "step"][-1]
    assert timed == [(1.0, 5 + TIMED_STEPS)]
    assert last["step"] == 60


# --- what is judged and handed over


@pytest.mark.parametrize(("weights", "part"), [("ema", "average"), ("raw", "generator")])
def test_what_is_judged_is_what_is_kept_and_handed_over(
    toy_recipe: Recipe, events: Trainer, tmp_path: Path, weights: str, part: str
) -> None:
    recipe = pixel_only(
        toy_recipe,
        {"stages.pixel.handover_weights": weights, "stages.pixel.handover": "last"},
    )
    last = [event for event in events(recipe) if event["event"] == "validation"][-1]
    header, tensors = read_checkpoint(tmp_path / "run" / "model.safetensors")
    assert header.weights == weights
    assert (header.step, header.metrics) == (6, last["metrics"])
    assert header.protocol == last["protocol"] == "sr-y-float"
    assert Protocol.model_validate(header.conditions) == PROTOCOLS["sr-y-float"]
    state = load_file(tmp_path / "run" / "pixel" / "state.safetensors")
    assert all(torch.equal(tensors[key], state[f"{part}/{key}"]) for key in tensors)
    assert not torch.equal(state["average/conv_first.weight"], state["generator/conv_first.weight"])


def test_a_stage_without_an_average_hands_over_its_generator(
    toy_recipe: Recipe, events: Trainer, tmp_path: Path
) -> None:
    events(pixel_only(toy_recipe, {"stages.pixel.ema": None}))
    header, _ = read_checkpoint(tmp_path / "run" / "model.safetensors")
    assert header.weights == "raw"
    state = load_file(tmp_path / "run" / "pixel" / "state.safetensors")
    assert not any(key.startswith("average/") for key in state)


def test_the_second_stage_begins_from_what_the_first_handed_over(
    toy_recipe: Recipe, events: Trainer, tmp_path: Path
) -> None:
    # so small a rate that the second stage cannot move the weights
    events(changed(toy_recipe, {"stages.gan.optimiser.rate": 1e-30}))
    _, first = read_checkpoint(tmp_path / "run" / "pixel" / "model.safetensors")
    _, second = read_checkpoint(tmp_path / "run" / "gan" / "model.safetensors")
    assert all(torch.allclose(first[key], second[key], rtol=0, atol=1e-20) for key in first)


# --- the optimisers


def test_the_optimisers_have_every_value_of_the_recipe(
    toy_recipe: Recipe, events: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[torch.optim.Adam] = []
    really = torch.optim.Adam

    def noting(*arguments: object, **options: object) -> torch.optim.Adam:
        made.append(really(*arguments, **options))
        return made[-1]

    monkeypatch.setattr("torch.optim.Adam", noting)
    values = {"beta1": 0.4, "beta2": 0.95, "epsilon": 1e-4, "weight_decay": 1e-3}
    at = "stages.gan.discriminator_optimiser"
    changes: dict[str, object] = {f"{at}.{name}": value for name, value in values.items()}
    events(changed(toy_recipe, {**changes, "stages.gan.optimiser.beta1": 0.3}))
    pixel, generator, discriminator = (optimiser.param_groups[0] for optimiser in made)
    assert discriminator["betas"] == (0.4, 0.95)
    assert (discriminator["eps"], discriminator["weight_decay"]) == (1e-4, 1e-3)
    assert generator["betas"] == (0.3, 0.999)
    assert pixel["betas"] == (0.9, 0.999)
    assert {group["eps"] for group in (pixel, generator)} == {1e-8}


# --- jitter of the content term


class Watching(FeatureNetwork):
    """Notes the size of each picture that it sees."""

    def __init__(self) -> None:
        super().__init__("vgg16", ("conv3_3",))
        self.seen: list[tuple[int, int]] = []

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        self.seen.append((picture.shape[-2], picture.shape[-1]))
        return super().forward(picture)


@pytest.mark.parametrize("jitter", [1, 8])
def test_both_pictures_are_shifted_alike_before_the_features_and_anew_in_each_step(
    toy_recipe: Recipe, events: Trainer, jitter: int
) -> None:
    features = Watching()
    recipe = changed(toy_recipe, {"stages.gan.losses.content.jitter": jitter})
    events(recipe, Needs({"pixel": Perceivers(), "gan": Perceivers(features)}, None))
    of_hr, of_sr = features.seen[::2], features.seen[1::2]
    assert of_hr == of_sr
    assert len(of_hr) == 6
    patch = toy_recipe.crops.hr_patch
    sides = {side for size in of_hr for side in size}
    assert sides <= set(range(patch - jitter + 1, patch + 1))
    assert (len(set(of_hr)) > 1) == (jitter > 1)


# --- divergence


def test_a_loss_that_is_not_finite_names_step_stage_and_what_to_change(
    toy_recipe: Recipe, events: Trainer, tmp_path: Path
) -> None:
    recipe = pixel_only(
        toy_recipe,
        {
            "stages.pixel.optimiser.rate": 1e30,
            "stages.pixel.schedule.warmup_steps": 0,
            "validation.every": 6,
        },
    )
    with pytest.raises(Diverged) as caught:
        events(recipe)
    assert caught.value.exit_code == 1
    assert re.fullmatch(
        r"the pixel loss is (inf|nan) at step \d of stage pixel: the run stops and keeps its last "
        r"saved state \(.*/run/pixel\); lower stages\.pixel\.optimiser\.rate or the weight of that "
        r"term, or set precision=float32, and give --out another folder\.",
        str(caught.value),
    )


def test_pictures_that_are_not_finite_are_said_to_be_so_when_they_are_judged(
    toy_recipe: Recipe, events: Trainer
) -> None:
    recipe = pixel_only(
        toy_recipe,
        {
            "stages.pixel.optimiser.rate": 1e30,
            "stages.pixel.schedule.warmup_steps": 0,
            "stages.pixel.handover_weights": "raw",
            "validation.every": 1,
        },
    )
    with pytest.raises(WorkFailed, match="pictures are not finite after step 1 of stage pixel"):
        events(recipe)


def test_the_last_good_state_stays_when_a_later_step_diverges(
    toy_recipe: Recipe, events: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from upres.training import turn

    really, calls = turn.pixel_step, iter(range(1, 100))

    def at_last_infinite(*arguments: object) -> object:
        if next(calls) == 5:
            raise Diverged("the pixel loss is inf")
        return really(*arguments)

    recipe = pixel_only(toy_recipe, {})
    with monkeypatch.context() as patch, pytest.raises(Diverged, match="at step 5 of stage pixel"):
        patch.setattr(turn, "pixel_step", at_last_infinite)
        events(recipe)
    state = load_file(tmp_path / "run" / "pixel" / "state.safetensors")
    assert float(state["optimiser/0/step"]) == 4
    assert all(t.isfinite().all() for t in state.values() if t.is_floating_point())
    assert [event["step"] for event in events(recipe) if event["event"] == "step"] == [2, 4, 6]
