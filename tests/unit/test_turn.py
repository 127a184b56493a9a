"""A turn of a stage: who learns when, from which crops, with which weights, rates and penalties."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from upres.data.sampler import make_batch
from upres.data.store import Store
from upres.recipes.schedules import Constant, Milestones, Ramp, Steps
from upres.recipes.schema import Recipe
from upres.recipes.text import changed
from upres.training import turn as turns_of_stage
from upres.training.stage_run import StageRun
from upres.training.step import Judgement, Penalties
from upres.training.train import Needs, train
from upres.training.turn import Turn, take_turn

STEPS = 6
State = dict[str, Tensor]


@dataclass(frozen=True)
class Seen:
    """One turn: what went in, what it found, and the players afterwards."""

    run: StageRun
    lr: Tensor
    hr: Tensor
    turn: Turn
    generator: State
    judge_before: State
    judge: State
    rates: list[float]
    judge_rate: float | None
    accuracy: float | None


Trainer = Callable[..., list[Seen]]


@pytest.fixture
def turns(
    toy_recipe: Recipe,
    toy_store: Store,
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Trainer:
    """Train the toy recipe's second stage alone, with changes, and return all of its turns."""
    count = itertools.count()

    def run(changes: dict[str, Any], stage: str = "gan") -> list[Seen]:
        fields = toy_recipe.model_dump(mode="json")
        fields["stages"] = {stage: fields["stages"][stage]}
        alone = {"validation.every": 1000, "validation.pictures": 1, "watch_every": 1000}
        if stage == "gan":
            fields["stages"]["gan"]["from_scratch"] = True
            alone |= {
                "stages.gan.losses.content.weight": 0,
                "stages.gan.losses.pixel.weight": 0.25,
                "stages.gan.losses.adversarial.weight": 0.05,
                "stages.gan.schedule": Constant(),
            }
        recipe = changed(Recipe.model_validate(fields), alone | changes)
        seen: list[Seen] = []
        monkeypatch.setattr("upres.training.loop.take_turn", seeing(seen))
        folder = tmp_path / str(next(count))
        train(recipe, toy_store, folder, needs=untrained_needs(recipe), facts={})
        return seen

    return run


def seeing(seen: list[Seen]) -> Callable[[StageRun, Tensor, Tensor], Turn]:
    def turn(run: StageRun, lr: Tensor, hr: Tensor) -> Turn:
        state = run.state
        before = held(state.discriminator)
        found = take_turn(run, lr, hr)
        judge = state.discriminator_optimiser
        rate = None if judge is None else judge.param_groups[0]["lr"]
        after = held(state.discriminator)
        rates = [group["lr"] for group in state.optimiser.param_groups]
        own, accuracy = held(state.generator), state.progress.accuracy
        seen.append(Seen(run, lr, hr, found, own, before, after, rates, rate, accuracy))
        return found

    return turn


def held(network: nn.Module | None) -> State:
    return {} if network is None else {k: v.clone() for k, v in network.state_dict().items()}


def equal(one: State, other: State) -> bool:
    return list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)


def adams_steps(optimiser: torch.optim.Optimizer | None) -> set[float]:
    assert optimiser is not None
    return {float(values["step"]) for values in optimiser.state.values()}


# --- the generator alone at first


def test_the_discriminator_sleeps_through_the_generators_own_steps(turns: Trainer) -> None:
    seen = turns({"stages.gan.balance.generator_only_steps": 2})
    assert len(seen) == STEPS
    for step, each in enumerate(seen):
        assert list(each.turn.found.terms) == ["pixel", "adversarial"][: 1 if step < 2 else 2]
        assert len(each.turn.judgements) == (step >= 2)
        assert (each.accuracy is None) == (step < 2)
        # spectral norm's vectors among it: they move whenever the network is used in training
        assert equal(each.judge_before, each.judge) == (step < 2)
    state = seen[-1].run.state
    assert adams_steps(state.optimiser) == {6.0}
    assert adams_steps(state.discriminator_optimiser) == {4.0}


def test_the_generators_own_steps_are_those_without_an_adversarial_term(turns: Trainer) -> None:
    waiting = turns({"stages.gan.balance.generator_only_steps": 3})
    without = turns({"stages.gan.losses.adversarial.weight": 0})
    alike = [equal(a.generator, b.generator) for a, b in zip(waiting, without, strict=True)]
    assert alike == [True, True, True, False, False, False]


# --- more updates of the discriminator


def test_further_updates_of_the_discriminator_have_crops_of_their_own(turns: Trainer) -> None:
    once, thrice = turns({}), turns({"stages.gan.balance.discriminator_steps": 3})
    run = thrice[0].run
    for step, (one, three) in enumerate(zip(once, thrice, strict=True)):
        batch = len(one.hr)
        assert (batch, len(three.lr), len(three.hr)) == (2, 6, 6)
        assert torch.equal(three.hr[:batch], one.hr)
        assert torch.equal(three.lr[:batch], one.lr)
        _, expected = make_batch(
            run.pictures, run.recipe.crops, scale=4, batch=6, seed=run.seed, step=step
        )
        pixels = (three.hr * 255).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)
        assert np.array_equal(pixels, expected)
        assert len({crop.numpy().tobytes() for crop in three.hr}) == 6
        assert (len(one.turn.judgements), len(three.turn.judgements)) == (1, 3)
    assert equal(once[0].generator, thrice[0].generator)  # it moves first, by the same crops
    assert not equal(once[1].generator, thrice[1].generator)
    state = thrice[-1].run.state
    assert adams_steps(state.optimiser) == {6.0}
    assert adams_steps(state.discriminator_optimiser) == {18.0}


def test_each_update_sees_photos_and_the_generators_pictures_of_the_same_crops(
    turns: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, shown = turns_of_stage.discriminator_step, []

    def recording(fabric: Any, judge: Any, hr: Tensor, sr: Tensor, *rest: Any, **o: Any) -> Any:
        shown.append((hr.clone(), sr.clone(), sr.requires_grad))
        return really(fabric, judge, hr, sr, *rest, **o)

    monkeypatch.setattr(turns_of_stage, "discriminator_step", recording)
    seen = turns({"stages.gan.balance.discriminator_steps": 2})
    first, (one, two) = seen[0], shown[:2]
    assert torch.equal(torch.cat([one[0], two[0]]), first.hr)
    assert torch.equal(one[1], first.turn.found.sr)
    generator = first.run.state.generator
    generator.load_state_dict(first.generator)  # as it was after its own step
    with torch.no_grad():
        torch.testing.assert_close(two[1], generator(first.lr[2:]))
    assert not any(tracked for _, _, tracked in shown)


@pytest.mark.parametrize("updates", [1, 3])
def test_the_generators_batch_norm_counts_one_batch_a_step(turns: Trainer, updates: int) -> None:
    changes = {"stages.gan.balance.discriminator_steps": updates, "generator.batch_norm": "block"}
    for step, each in enumerate(turns(changes), start=1):
        counts = {int(v) for k, v in each.generator.items() if k.endswith("num_batches_tracked")}
        assert counts == {step}


# --- the accuracy band


def test_the_running_accuracy_remembers_nineteen_twentieths(turns: Trainer) -> None:
    mean = None
    for each in turns({"stages.gan.balance.discriminator_steps": 2}):
        for judgement in each.turn.judgements:
            now = judgement.accuracy
            mean = now if mean is None else 0.95 * mean + 0.05 * now
        assert each.accuracy == pytest.approx(mean, rel=1e-12)


def test_the_discriminator_learns_only_while_its_accuracy_lies_in_the_band(
    turns: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # with a memory of a half, found -> running mean: whether the next one learns in 0.5 to 0.8
    # 0.7 -> 0.7: yes; 1 -> 0.85: no; 0.6 -> 0.725: yes; 0.1 -> 0.4125: no; 0.9 -> 0.65625: yes
    found, called = iter([0.7, 1.0, 0.6, 0.1, 0.9, 0.5]), []

    def acting(name: str) -> Callable[..., Judgement]:
        def act(*_: Any, **__: Any) -> Judgement:
            called.append(name)
            return Judgement(0.0, next(found), 0.0, 0.0, 0.0)

        return act

    monkeypatch.setattr(turns_of_stage, "MEMORY", 0.5)
    monkeypatch.setattr(turns_of_stage, "discriminator_step", acting("learns"))
    monkeypatch.setattr(turns_of_stage, "asked", acting("asked"))
    seen = turns({"stages.gan.balance.accuracy_band": [0.5, 0.8]})
    assert called == ["learns", "learns", "asked", "learns", "asked", "learns"]
    means = [0.7, 0.85, 0.725, 0.4125, 0.65625, 0.578125]
    assert [each.accuracy for each in seen] == pytest.approx(means)


def test_outside_of_the_band_no_parameter_of_the_discriminator_moves(turns: Trainer) -> None:
    seen = turns({"stages.gan.balance.accuracy_band": [0.9999, 1], "stages.gan.steps": 4})
    names = [name for name, _ in seen[0].run.state.discriminator.named_parameters()]
    updated = [each.turn.judgements[0].updated for each in seen]
    assert updated[0] == 1.0
    assert 0.0 in updated
    for each, moved in zip(seen, updated, strict=True):
        same = [torch.equal(each.judge_before[name], each.judge[name]) for name in names]
        assert all(same) if moved == 0.0 else not any(same)
    assert adams_steps(seen[-1].run.state.discriminator_optimiser) == {sum(updated)}


# --- schedules


def test_weights_follow_their_schedules_step_by_step(turns: Trainer) -> None:
    seen = turns(
        {
            "stages.gan.losses.adversarial.weight": Ramp(start=0, end=0.5, finish=5),
            "stages.gan.losses.pixel.weight": Steps(at=(1, 4), values=(1, 2, 0.5)),
            "stages.gan.losses.gradient": {"weight": Steps(at=(2,), values=(1, 0)).model_dump()},
        }
    )
    expected = [
        {"pixel": 1.0, "gradient": 1.0},
        {"pixel": 2.0, "gradient": 1.0, "adversarial": 0.1},
        {"pixel": 2.0, "adversarial": 0.2},
        {"pixel": 2.0, "adversarial": 0.3},
        {"pixel": 0.5, "adversarial": 0.4},
        {"pixel": 0.5, "adversarial": 0.5},
    ]
    for each, weights in zip(seen, expected, strict=True):
        found = each.turn.found
        assert found.weights == pytest.approx(weights)
        products = {name: weights[name] * value for name, value in found.terms.items()}
        assert found.weighted == pytest.approx(products)


def test_epochs_of_a_weight_are_those_of_the_stores_photos(turns: Trainer) -> None:
    seen = turns({"stages.gan.losses.pixel.weight": Steps(at=(1,), values=(1, 2), unit="epochs")})
    epoch = len(seen[0].run.pictures) // 2  # batches of two
    assert 1 < epoch < STEPS
    weights = [each.turn.found.weights["pixel"] for each in seen]
    assert weights == [1.0] * epoch + [2.0] * (STEPS - epoch)


@pytest.mark.parametrize("own", [None, Milestones(at=(3,), factor=0.1)])
def test_the_discriminators_rate_follows_its_own_schedule_or_else_the_stages(
    turns: Trainer, own: Milestones | None
) -> None:
    seen = turns(
        {
            "stages.gan.optimiser.rate": 1e-3,
            "stages.gan.discriminator_optimiser.rate": 4e-3,
            "stages.gan.schedule": Milestones(at=(2,), factor=0.5),
            "stages.gan.discriminator_schedule": own,
        }
    )
    assert [each.rates for each in seen] == [[1e-3]] * 2 + [[5e-4]] * 4
    judges = [4e-3] * 2 + [2e-3] * 4 if own is None else [4e-3] * 3 + [4e-4] * 3
    assert [each.judge_rate for each in seen] == pytest.approx(judges)


def test_the_last_layers_rate_is_its_share_at_every_step(turns: Trainer) -> None:
    descent = {"kind": "sgd", "rate": 0.01, "momentum": 0.9, "last_layer": 0.1}
    schedule = Milestones(at=(4,), factor=0.5)
    changes = {"stages.pixel.optimiser": descent, "stages.pixel.schedule": schedule}
    seen = turns(changes, stage="pixel")
    expected = [[0.01, 0.001]] * 4 + [[0.005, 0.0005]] * 2
    assert [each.rates for each in seen] == [pytest.approx(rates) for rates in expected]
    last = seen[0].run.state.optimiser.param_groups[1]["params"]
    assert [tuple(parameter.shape[:2]) for parameter in last] == [(3, 8), (3,)]


def told(monkeypatch: pytest.MonkeyPatch, field: str) -> list[Any]:
    """What each of the discriminator's updates is told by this name."""
    really, values = turns_of_stage.discriminator_step, []

    def recording(*given: Any, **options: Any) -> Judgement:
        values.append(options[field])
        return really(*given, **options)

    monkeypatch.setattr(turns_of_stage, "discriminator_step", recording)
    return values


def test_penalties_come_at_every_third_step_three_times_as_large(
    turns: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    penalties = told(monkeypatch, "penalties")
    r1 = Steps(at=(3,), values=(10, 1))
    turns({"stages.gan.balance": {"r1": r1.model_dump(), "r2": 0.5, "penalty_every": 3}})
    nothing = Penalties(0.0, 0.0)
    expected = [Penalties(30.0, 1.5), nothing, nothing, Penalties(3.0, 1.5), nothing, nothing]
    assert penalties == expected


def test_label_smoothing_follows_its_schedule(
    turns: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    smoothing = told(monkeypatch, "smoothing")
    turns({"stages.gan.losses.adversarial.label_smoothing": Ramp(start=0.2, end=0, finish=4)})
    assert smoothing == pytest.approx([0.2, 0.15, 0.1, 0.05, 0, 0])


def test_the_adaptive_weight_is_limited_as_the_stage_says(
    turns: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, limits = turns_of_stage.generator_step, []

    def recording(*given: Any, **options: Any) -> Any:
        limits.append(next(value for value in given if hasattr(value, "adaptive_limit")))
        return really(*given, **options)

    monkeypatch.setattr(turns_of_stage, "generator_step", recording)
    turns({"stages.gan.steps": 1})
    turns({"stages.gan.steps": 1, "stages.gan.balance": {"adaptive_limit": 7}})
    turns({"stages.gan.steps": 1, "stages.gan.balance": {"adaptive": True, "adaptive_limit": 7}})
    assert [aim.adaptive_limit for aim in limits] == [None, None, 7.0]


def test_an_adaptive_adversarial_term_has_its_weights_share_of_the_others_gradient(
    turns: Trainer,
) -> None:
    changes = {"stages.gan.balance.adaptive": True, "watch_every": 1}
    for each in turns(changes):
        norms = each.turn.found.gradient_norms
        assert norms["adversarial"] == pytest.approx(0.05 * norms["pixel"], rel=1e-4)
        assert each.turn.watched["gradient_shares"]["adversarial"] == pytest.approx(0.05 / 1.05)


# --- the watch


def test_the_watch_looks_at_every_second_step(turns: Trainer) -> None:
    seen = turns({"watch_every": 2})
    assert [bool(each.turn.watched) for each in seen] == [False, True] * 3
    fields = {"gradient_shares", "gradient_norm", "high_frequency", "grid", "ema_distance"}
    assert set(seen[1].turn.watched) == fields
    assert sum(seen[1].turn.watched["gradient_shares"].values()) == pytest.approx(1)
    without = turns({"watch_every": 2, "stages.gan.ema": None})
    assert set(without[1].turn.watched) == fields - {"ema_distance"}
    assert [equal(a.generator, b.generator) for a, b in zip(seen, without, strict=True)] == [
        True
    ] * 6
