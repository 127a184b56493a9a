"""One turn of a stage: every player's step at one moment, and what the watch sees of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from upres.data.sampler import draw
from upres.processes.together import of_all
from upres.recipes.stages import Balance, GanStage
from upres.training.ema import update_average
from upres.training.schedule import Moment, rate_factor, set_rate, value_at, weights_at
from upres.training.stage_run import StageRun
from upres.training.step import (
    Eyes,
    Found,
    GanAim,
    Judgement,
    Penalties,
    PixelAim,
    asked,
    discriminator_step,
    generator_step,
    pixel_step,
)
from upres.watch.measures import grid_energy, high_frequency, parameter_distance

MEMORY = 0.95  # of the discriminator's running accuracy: about the last 20 of its steps


@dataclass(frozen=True)
class Turn:
    """What a turn found; `watched` is empty on the steps between two looks."""

    found: Found
    judgements: tuple[Judgement, ...]
    watched: Mapping[str, Any]


def take_turn(run: StageRun, lr: Tensor, hr: Tensor) -> Turn:
    """Let every player of the stage learn once and count the step.

    lr (n, 3, h, w), hr (n, 3, s*h, s*w): float32 RGB in 0..1; this process's share of the batch,
    and of one more batch for each further update of the discriminator. Raises Diverged.
    """
    state, stage, moment = run.state, run.stage, run.moment
    set_rate(state.optimiser, stage.optimiser.rate * rate_factor(stage.schedule, moment))
    looks = (moment.step + 1) % run.recipe.watch_every == 0
    weights = weights_at(stage, moment)
    judgements: tuple[Judgement, ...] = ()
    if isinstance(stage, GanStage):
        found = _generators_turn(run, stage, lr, hr, weights, norms=looks)
        if moment.step >= stage.balance.generator_only_steps:
            judgements = _discriminators_turn(run, stage, lr, hr, found.sr, moment)
    else:
        found = pixel_step(
            run.fabric,
            run.players.generator,
            run.players.eyes,
            lr,
            hr,
            PixelAim(stage.losses, weights),
            looks,
        )
    if state.average is not None and stage.ema is not None:
        update_average(state.average, state.generator, stage.ema)
    state.progress = state.progress.model_copy(update={"step": moment.step + 1})
    return Turn(found, judgements, _watched(run, found, hr) if looks else {})


def _generators_turn(
    run: StageRun,
    stage: GanStage,
    lr: Tensor,
    hr: Tensor,
    weights: Mapping[str, float],
    *,
    norms: bool,
) -> Found:
    assert run.players.discriminator is not None
    batch = run.own_batch
    limit = stage.balance.adaptive_limit if stage.balance.adaptive else None
    return generator_step(
        run.fabric,
        run.players.generator,
        run.players.discriminator,
        _jittered(run, stage),
        lr[:batch],
        hr[:batch],
        GanAim(stage.losses, weights, limit),
        norms,
    )


def _discriminators_turn(
    run: StageRun, stage: GanStage, lr: Tensor, hr: Tensor, sr: Tensor, moment: Moment
) -> tuple[Judgement, ...]:
    """Update the discriminator as often as the stage asks, unless its accuracy is out of bounds."""
    discriminator, optimiser = run.players.discriminator, run.state.discriminator_optimiser
    assert discriminator is not None and optimiser is not None
    schedule = stage.discriminator_schedule or stage.schedule
    set_rate(optimiser, stage.discriminator_optimiser.rate * rate_factor(schedule, moment))
    smoothing = value_at(stage.losses.adversarial.label_smoothing, moment)
    form, batch = stage.losses.adversarial.form, run.own_batch
    judgements = []
    for turn in range(stage.balance.discriminator_steps):
        part = slice(turn * batch, (turn + 1) * batch)
        if turn:
            sr = _shown(run, lr[part])
        if _may_learn(stage.balance, run.state.progress.accuracy):
            penalties = _penalties_now(stage.balance, moment)
            judgement = discriminator_step(
                run.fabric,
                discriminator,
                hr[part],
                sr,
                form,
                smoothing=smoothing,
                penalties=penalties,
            )
        else:
            judgement = asked(run.fabric, discriminator, hr[part], sr, form, smoothing=smoothing)
        judgements.append(judgement)
        _remember_accuracy(run, judgement)
    return tuple(judgements)


@torch.no_grad()
def _shown(run: StageRun, lr: Tensor) -> Tensor:
    """The generator's pictures of crops that it does not learn from."""
    # Its batch norm, which makes them as in training, must not count them as a batch of its own.
    buffers = [(buffer, buffer.clone()) for buffer in run.state.generator.buffers()]
    sr = run.players.generator.network(lr)
    for buffer, before in buffers:
        buffer.copy_(before)
    return sr


def _may_learn(balance: Balance, accuracy: float | None) -> bool:
    if balance.accuracy_band is None or accuracy is None:
        return True
    low, high = balance.accuracy_band
    return low <= accuracy <= high


def _penalties_now(balance: Balance, moment: Moment) -> Penalties:
    if moment.step % balance.penalty_every:
        return Penalties()
    r1, r2 = value_at(balance.r1, moment), value_at(balance.r2, moment)
    return Penalties(r1 * balance.penalty_every, r2 * balance.penalty_every)


def _remember_accuracy(run: StageRun, judgement: Judgement) -> None:
    before = run.state.progress.accuracy
    now = judgement.accuracy
    mean = now if before is None else MEMORY * before + (1 - MEMORY) * now
    run.state.progress = run.state.progress.model_copy(update={"accuracy": mean})


def _jittered(run: StageRun, stage: GanStage) -> Eyes:
    """The generator's eyes, whose features see pictures shifted alike by a draw of this step."""
    eyes, jitter = run.players.eyes, stage.losses.content.jitter
    features = eyes.features
    if features is None or jitter == 1:
        return eyes
    # a stream of its own: the crops of the step have the numbers below
    drawn = draw(run.seed, run.state.progress.step, run.crops_a_step)
    top, left = drawn.integers(jitter, size=2)
    return Eyes(lambda picture: features(picture[..., top:, left:]), eyes.lpips, eyes.dists)


def _watched(run: StageRun, found: Found, hr: Tensor) -> dict[str, Any]:
    total = sum(found.gradient_norms.values())
    shares = {n: norm / total if total else 0.0 for n, norm in found.gradient_norms.items()}
    sr, hr = (of_all(run.fabric, pictures) for pictures in (found.sr, hr[: run.own_batch]))
    seen: dict[str, Any] = {
        "gradient_shares": shares,
        "gradient_norm": total,
        "high_frequency": high_frequency(sr, hr),
        "grid": grid_energy(sr, hr, run.recipe.scale),
    }
    if run.state.average is not None:
        seen["ema_distance"] = parameter_distance(run.state.average, run.state.generator)
    return seen
