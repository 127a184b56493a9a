"""A run that was stopped, or killed, ends with the bits of one that was not.

Compared are all files of weights and states, byte for byte, the best metrics, and the journal
apart from its times.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from killing import Death, assert_same_run, drawn_campaign, events, killed, weights
from upres.data.store import Store
from upres.errors import BadRun, Interrupted
from upres.recipes.schedules import Constant, Cosine, Linear, Milestones, Ramp, Steps
from upres.recipes.schema import Recipe
from upres.recipes.stages import SGD
from upres.recipes.text import changed
from upres.training.train import Needs, train
from upres.weights.checkpoint import read_checkpoint

Trainer = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(toy_store: Store, untrained_needs: Callable[[Recipe], Needs]) -> Trainer:
    def run(recipe: Recipe, folder: Path, **options: Any) -> Path:
        needs = untrained_needs(recipe)
        return train(recipe, toy_store, folder, needs=needs, facts={}, **options)

    return run


@pytest.fixture(scope="module")
def unbroken(
    toy_recipe: Recipe, trained: Trainer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The toy recipe, six steps a stage, in one go."""
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    trained(toy_recipe, folder)
    return folder


def after(steps: int) -> Callable[[], bool]:
    """A Ctrl-C that comes while this step is done."""
    count = itertools.count(1)
    return lambda: next(count) >= steps


def adams_steps(folder: Path, part: str) -> set[float]:
    """How often Adam was called, as it counts itself, for each parameter."""
    state = load_file(folder / "state.safetensors")
    return {
        float(value)
        for key, value in state.items()
        if key.startswith(f"{part}/") and key.endswith("/step")
    }


# --- what an unbroken run is


def test_a_run_takes_exactly_the_planned_number_of_steps(unbroken: Path) -> None:
    assert adams_steps(unbroken / "pixel", "optimiser") == {6.0}
    assert adams_steps(unbroken / "gan", "optimiser") == {6.0}
    assert adams_steps(unbroken / "gan", "discriminator_optimiser") == {6.0}
    taken = [(event["stage"], event["step"]) for event in events(unbroken, "step")]
    assert taken == [(stage, step) for stage in ("pixel", "gan") for step in (2, 4, 6)]


def test_the_same_recipe_gives_the_same_bits(
    toy_recipe: Recipe, trained: Trainer, unbroken: Path, tmp_path: Path
) -> None:
    trained(toy_recipe, tmp_path / "again")
    assert_same_run(tmp_path / "again", unbroken)


def test_another_seed_gives_other_bits(
    toy_recipe: Recipe, trained: Trainer, unbroken: Path, tmp_path: Path
) -> None:
    trained(changed(toy_recipe, {"seed": 1}), tmp_path / "other")
    ours, theirs = (
        load_file(folder / "model.safetensors") for folder in (unbroken, tmp_path / "other")
    )
    assert not any(torch.equal(ours[key], theirs[key]) for key in ours if key.endswith("weight"))


def test_stage_two_begins_with_the_number_that_stage_ones_checkpoint_says(unbroken: Path) -> None:
    header, _ = read_checkpoint(unbroken / "pixel" / "model.safetensors")
    first = next(event for event in events(unbroken, "validation") if event["stage"] == "gan")
    assert first["step"] == 0
    assert first["metrics"] == header.metrics != {}


# --- stopped


@pytest.mark.parametrize(
    "steps",
    [
        1,  # before anything of the stage was saved
        3,  # where a validation is, and in the middle of a journal line's mean
        5,
        6,  # the first stage's last step: the run stops in the second
        6 + 1,
        6 + 3,  # where the shares of the gradient were measured but not written yet
        6 + 5,
    ],
)
def test_a_stopped_run_ends_as_an_unbroken_one(
    toy_recipe: Recipe, trained: Trainer, unbroken: Path, tmp_path: Path, steps: int
) -> None:
    with pytest.raises(Interrupted, match="everything is saved in"):
        trained(toy_recipe, tmp_path / "run", should_stop=after(steps))
    trained(toy_recipe, tmp_path / "run")
    assert_same_run(tmp_path / "run", unbroken)


def test_a_run_that_is_stopped_after_every_single_step_does(
    toy_recipe: Recipe, trained: Trainer, unbroken: Path, tmp_path: Path
) -> None:
    starts = 0
    while not (tmp_path / "run" / "model.safetensors").exists():
        starts += 1
        assert starts <= 11, "it does not get on"
        try:
            trained(toy_recipe, tmp_path / "run", should_stop=lambda: True)
        except Interrupted as stopped:
            assert stopped.exit_code == 130
    assert starts == 11  # both stages' last steps do not stop: there is nothing left to stop
    assert_same_run(tmp_path / "run", unbroken)


@pytest.mark.parametrize(
    ("kind", "stage", "step"),
    [
        ("stage", "pixel", None),
        ("validation", "pixel", 0),
        ("validation", "pixel", 6),  # the stage is over but its state was not saved
        ("stage", "gan", None),  # between the stages
        ("validation", "gan", 0),
        ("validation", "gan", 3),  # new bests are on the disk, the state that knows them is not
        ("step", "gan", 6),
    ],
)
def test_a_crash_after_any_line_of_the_journal_is_undone(
    toy_recipe: Recipe,
    trained: Trainer,
    unbroken: Path,
    tmp_path: Path,
    kind: str,
    stage: str,
    step: int | None,
) -> None:
    def crash(event: Mapping[str, Any]) -> None:
        if (event["event"], event.get("stage"), event.get("step")) == (kind, stage, step):
            raise MemoryError

    with pytest.raises(MemoryError):
        trained(toy_recipe, tmp_path / "run", listener=crash)
    trained(toy_recipe, tmp_path / "run")
    assert_same_run(tmp_path / "run", unbroken)


def test_a_finished_run_that_is_called_again_does_nothing(
    toy_recipe: Recipe, trained: Trainer, unbroken: Path
) -> None:
    before, steps = weights(unbroken), events(unbroken)
    trained(toy_recipe, unbroken, should_stop=lambda: pytest.fail("it took a step"))
    assert weights(unbroken) == before
    assert events(unbroken) == steps


# --- made longer


def one_stage(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    fields = recipe.model_dump(mode="json")
    fields["stages"] = {"pixel": fields["stages"]["pixel"]}
    return changed(Recipe.model_validate(fields), changes)


def test_a_finished_run_made_longer_ends_as_one_that_was_planned_so(
    toy_recipe: Recipe, trained: Trainer, tmp_path: Path
) -> None:
    short = one_stage(toy_recipe, {"stages.pixel.schedule": Constant(warmup_steps=2)})
    long = changed(short, {"stages.pixel.steps": 12})
    trained(short, tmp_path / "extended")
    trained(long, tmp_path / "extended")
    trained(long, tmp_path / "at once")
    one, other = tmp_path / "extended", tmp_path / "at once"
    assert events(one) == events(other)
    assert adams_steps(one / "pixel", "optimiser") == {12.0}
    # all but the headers' recipe, which for a checkpoint of the first half was the shorter one
    assert list(weights(one)) == list(weights(other))
    for name in weights(one):
        ours, theirs = load_file(one / name), load_file(other / name)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_the_last_stage_of_a_finished_run_can_be_made_longer_and_the_first_cannot(
    toy_recipe: Recipe, trained: Trainer, tmp_path: Path
) -> None:
    constant = changed(toy_recipe, {"stages.gan.schedule": Constant()})
    trained(constant, tmp_path / "run")
    longer = changed(constant, {"stages.gan.steps": 9})
    trained(longer, tmp_path / "run")
    trained(longer, tmp_path / "at once")
    assert events(tmp_path / "run") == events(tmp_path / "at once")
    ours, theirs = (
        load_file(folder / "gan" / "state.safetensors")
        for folder in (tmp_path / "run", tmp_path / "at once")
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    before = weights(tmp_path / "run")
    with pytest.raises(BadRun, match="because stage gan has begun"):
        trained(changed(longer, {"stages.pixel.steps": 12}), tmp_path / "run")
    assert weights(tmp_path / "run") == before


# --- the learning rate


@pytest.mark.parametrize(
    "schedule",
    [
        Cosine(final=0.1, warmup_steps=3),
        Milestones(at=(4, 8), factor=0.5),
        Constant(warmup_steps=8),
    ],
)
def test_twelve_steps_have_the_rates_of_six_and_six_more(
    toy_recipe: Recipe,
    trained: Trainer,
    tmp_path: Path,
    schedule: Cosine | Milestones | Constant,
) -> None:
    recipe = one_stage(
        toy_recipe,
        {"stages.pixel.steps": 12, "stages.pixel.schedule": schedule, "log_every": 1},
    )
    with pytest.raises(Interrupted, match="stopped at step 6 of 12 of stage pixel"):
        trained(recipe, tmp_path / "stopped", should_stop=after(6))
    trained(recipe, tmp_path / "stopped")
    trained(recipe, tmp_path / "at once")
    rates, expected = (
        [event["rate"] for event in events(folder, "step")]
        for folder in (tmp_path / "stopped", tmp_path / "at once")
    )
    assert len(rates) == 12
    assert rates == expected
    if isinstance(schedule, Milestones):
        rate = recipe.stages["pixel"].optimiser.rate
        assert rates == [rate] * 4 + [rate / 2] * 4 + [rate / 4] * 4


# --- killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes")
def test_a_run_that_is_killed_at_random_moments_ends_as_an_unbroken_one(
    toy_recipe: Recipe, toy_store: Store, unbroken: Path, tmp_path: Path
) -> None:
    campaign = drawn_campaign(3, seed=7)
    for run, ended in killed(toy_recipe, toy_store, tmp_path, campaign):
        assert ended[-1] == 0
        assert -9 in ended
        assert_same_run(run, unbroken)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes")
def test_a_run_that_is_killed_while_it_writes_files_ends_as_an_unbroken_one(
    toy_recipe: Recipe, toy_store: Store, unbroken: Path, tmp_path: Path
) -> None:
    places: list[Death] = [
        "half 1",  # run.json
        "half 2",  # the recipe, with run.json in place
        "half 4",  # the first checkpoint
        "named 6",
        "half 7",
        "unnamed 8",
        "half 5",
        "named 4",
    ]
    ((run, ended),) = killed(toy_recipe, toy_store, tmp_path, [places])
    assert ended == [-9] * len(places) + [0]
    assert_same_run(run, unbroken)


# --- what balances the players, and descent


def balanced(recipe: Recipe, **balance: object) -> Recipe:
    """The second stage alone, with this balance and weights and rates that follow schedules."""
    fields = recipe.model_dump(mode="json")
    fields["stages"] = {"gan": fields["stages"]["gan"] | {"from_scratch": True}}
    fields["stages"]["gan"]["balance"] = balance
    rising = Ramp(kind="cosine", start=0.01, end=0.1, begin=0.2, finish=1, unit="share")
    return changed(
        Recipe.model_validate(fields),
        {
            "stages.gan.losses.adversarial.weight": rising,
            "stages.gan.losses.gradient": {
                "weight": Steps(at=(3,), values=(0.5, 0), unit="steps").model_dump()
            },
            "stages.gan.losses.adversarial.label_smoothing": Ramp(start=0.2, end=0, finish=4),
            "stages.gan.schedule": Milestones(at=(0.5,), factor=0.1, unit="share"),
            "stages.gan.discriminator_schedule": Linear(final=0.1, warmup_steps=2),
            "log_every": 4,
        },
    )


@pytest.mark.parametrize(
    ("balance", "changes"),
    [
        ({"generator_only_steps": 3}, {}),
        ({"discriminator_steps": 2}, {"generator.batch_norm": "block"}),
        ({"accuracy_band": [0.45, 0.8]}, {}),
        ({"accuracy_band": [0.45, 0.8]}, {"stages.gan.discriminator.norm": "batch"}),
        ({"adaptive": True, "r1": 1.0, "r2": 0.1, "penalty_every": 2}, {}),
        (
            {
                "generator_only_steps": 1,
                "discriminator_steps": 2,
                "accuracy_band": [0.2, 0.7],
                "adaptive": True,
                "r1": {"kind": "linear", "start": 1, "end": 0, "finish": 4},
                "penalty_every": 3,
            },
            {"stages.gan.losses.adversarial.form": "relativistic-average"},
        ),
    ],
)
def test_a_balanced_stage_that_is_stopped_after_every_step_ends_as_an_unbroken_one(
    toy_recipe: Recipe,
    trained: Trainer,
    tmp_path: Path,
    balance: dict[str, object],
    changes: dict[str, object],
) -> None:
    recipe = changed(balanced(toy_recipe, **balance), changes)
    trained(recipe, tmp_path / "at once")
    starts = 0
    while not (tmp_path / "run" / "model.safetensors").exists():
        starts += 1
        assert starts <= 6, "it does not get on"
        with contextlib.suppress(Interrupted):
            trained(recipe, tmp_path / "run", should_stop=lambda: True)
    assert starts == 6
    assert_same_run(tmp_path / "run", tmp_path / "at once")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_with_a_slower_last_layer_is_resumed_with_its_rates_and_momentum(
    toy_recipe: Recipe, trained: Trainer, tmp_path: Path, momentum: float
) -> None:
    recipe = one_stage(
        toy_recipe,
        {
            "stages.pixel.steps": 12,
            "stages.pixel.optimiser": SGD(rate=0.01, momentum=momentum, last_layer=0.1),
            "stages.pixel.schedule": Milestones(at=(4, 8), factor=0.5),
            "generator.batch_norm": "block",
            "log_every": 1,
        },
    )
    with pytest.raises(Interrupted, match="stopped at step 6 of 12"):
        trained(recipe, tmp_path / "run", should_stop=after(6))
    trained(recipe, tmp_path / "run")
    trained(recipe, tmp_path / "at once")
    assert_same_run(tmp_path / "run", tmp_path / "at once")
    rates = [event["rate"] for event in events(tmp_path / "run", "step")]
    assert rates == [0.01] * 4 + [0.005] * 4 + [0.0025] * 4
