"""One stage from its state to its end: when to log, validate, save and stop."""

import contextlib
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.data.crops import Pair
from upres.data.sampler import Batch, draw, prefetched
from upres.errors import Diverged, Interrupted, WorkFailed
from upres.recipes.schema import GanStage, PixelStage, Recipe
from upres.training.ema import update_average
from upres.training.journal import Journal
from upres.training.kept import Keeper
from upres.training.length import TIMED_STEPS, stage_minutes, steps_in
from upres.training.meter import Meter
from upres.training.players import Players
from upres.training.schedule import rate_factor, set_rate
from upres.training.state import StageState, save_state
from upres.training.step import (
    Features,
    Found,
    Judgement,
    discriminator_step,
    generator_step,
    pixel_step,
)
from upres.training.validation import Validator


@dataclass(frozen=True)
class StageRun:
    """What a stage works with; nothing in it changes but the networks inside `state`."""

    recipe: Recipe
    name: str
    stage: PixelStage | GanStage
    folder: Path
    state: StageState
    players: Players
    fabric: Fabric
    pictures: Sequence[Pair]
    validate: Validator
    keeper: Keeper
    journal: Journal
    should_stop: Callable[[], bool]

    @property
    def judged(self) -> nn.Module:
        """The network that is validated, saved for use and handed over."""
        average = self.state.average
        use_average = average is not None and self.stage.handover_weights == "ema"
        return average if average is not None and use_average else self.state.generator


def run_stage(run: StageRun) -> None:
    """Train the stage from where its state is to its planned end.

    Raises Interrupted when asked to stop (after saving), Diverged when a loss is not finite
    (the last saved state is kept).
    """
    began = time.perf_counter()
    judging = _validate(run) if run.state.progress.step == 0 else 0.0
    meter = Meter(run.recipe.batch, run.state.progress.unlogged)
    with contextlib.closing(_batches(run)) as waiting:  # its thread ends with the stage
        while not is_finished(run):
            with meter.waiting():
                batch = next(waiting)
            with meter.working():
                found, judgement = _one_step(run, *_tensors(batch))
            meter.add(found, judgement)
            _plan(run, meter, spent=time.perf_counter() - began, judging=judging)
            _log(run, meter)
            _validate_and_save(run, meter)
            if run.should_stop() and not is_finished(run):
                _stop(run, meter)
    run.keeper.hand_over(run.state.progress)


def is_finished(run: StageRun) -> bool:
    """Return whether all planned steps of the stage are done."""
    progress = run.state.progress
    return progress.planned is not None and progress.step >= progress.planned


def _batches(run: StageRun) -> Generator[Batch, None, None]:
    recipe, progress = run.recipe, run.state.progress
    return prefetched(
        run.pictures,
        recipe.crops,
        scale=recipe.scale,
        batch=recipe.batch,
        seed=_seed(run),
        start=progress.step,
        stop=sys.maxsize if progress.planned is None else progress.planned,
    )


def _tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    """uint8 (n, h, w, 3) -> float32 (n, 3, h, w) in 0..1, in channels_last memory."""
    lr, hr = (torch.from_numpy(p).permute(0, 3, 1, 2).float().div_(255) for p in batch)
    return lr, hr


def _one_step(run: StageRun, lr: Tensor, hr: Tensor) -> tuple[Found, Judgement | None]:
    state, stage = run.state, run.stage
    step = state.progress.step
    factor = rate_factor(stage.schedule, step, state.progress.planned)
    set_rate(state.optimiser, stage.optimiser.rate * factor)
    try:
        judgement = None
        if isinstance(stage, PixelStage):
            found = pixel_step(run.fabric, run.players.generator, lr, hr, stage.losses)
        else:
            found, judgement = _gan_step(run, stage, lr, hr, factor=factor)
    except Diverged as error:
        raise _diverged(run, f"{error} at step {step + 1}") from None
    if state.average is not None and stage.ema is not None:
        update_average(state.average, state.generator, stage.ema)
    state.progress = state.progress.model_copy(update={"step": step + 1})
    return found, judgement


def _diverged(run: StageRun, what: str) -> Diverged:
    return Diverged(
        f"{what} of stage {run.name}: the run stops and keeps its last saved state "
        f"({run.folder}); lower stages.{run.name}.optimiser.rate or the weight of that term, or "
        "set precision=float32, and give --out another folder."
    )


def _gan_step(
    run: StageRun, stage: GanStage, lr: Tensor, hr: Tensor, *, factor: float
) -> tuple[Found, Judgement | None]:
    state, players = run.state, run.players
    assert players.discriminator is not None and state.discriminator_optimiser is not None
    set_rate(state.discriminator_optimiser, stage.discriminator_optimiser.rate * factor)
    shares = (state.progress.step + 1) % run.recipe.shares_every == 0
    found = generator_step(
        run.fabric,
        players.generator,
        players.discriminator,
        _jittered(run, stage),
        lr,
        hr,
        stage.losses,
        shares=shares,
    )
    return found, discriminator_step(run.fabric, players.discriminator, hr, found.sr, stage.losses)


def _jittered(run: StageRun, stage: GanStage) -> Features | None:
    """The stage's features on pictures that are shifted alike, by a draw of this step."""
    features, jitter = run.players.features, stage.losses.content.jitter
    if features is None or jitter == 1:
        return features
    # a stream of its own: the crops of the batch have the numbers below
    drawn = draw(_seed(run), run.state.progress.step, run.recipe.batch)
    top, left = drawn.integers(jitter, size=2)
    return lambda picture: features(picture[..., top:, left:])


def _seed(run: StageRun) -> int:
    """Each stage sees draws of its own."""
    return run.recipe.seed + 1_000_003 * list(run.recipe.stages).index(run.name)


def _plan(run: StageRun, meter: Meter, *, spent: float, judging: float) -> None:
    """Turn minutes into steps once enough of them were timed; schedules follow from there."""
    minutes, progress = stage_minutes(run.recipe, run.name), run.state.progress
    if progress.planned is not None or minutes is None or len(meter.seconds) < TIMED_STEPS:
        return
    steps = steps_in(
        minutes,
        step=progress.step,
        spent=spent,
        seconds=meter.seconds,
        judging=judging * run.recipe.validation.times,
    )
    run.state.progress = progress.model_copy(
        update={"planned": steps, "planned_for_minutes": minutes}
    )
    run.journal.write(
        {"event": "planned", "stage": run.name, "step": progress.step, "steps": steps}
    )


def _log(run: StageRun, meter: Meter) -> None:
    progress = run.state.progress
    if progress.step % run.recipe.log_every and not is_finished(run):
        return
    rate = run.state.optimiser.param_groups[0]["lr"]
    left = None if progress.planned is None else progress.planned - progress.step
    run.journal.write(
        {"event": "step", "stage": run.name, "step": progress.step, "rate": rate}
        | meter.summary(steps_left=left)
    )


def _validate_and_save(run: StageRun, meter: Meter) -> None:
    progress, recipe = run.state.progress, run.recipe
    every = recipe.validation.every
    if every is None and progress.planned is not None:
        every = max(1, progress.planned // recipe.validation.times)
    judged = is_finished(run) or (every is not None and progress.step % every == 0)
    if judged:
        _validate(run)
    if judged or progress.step % recipe.save_every == 0:
        _save(run, meter)


def _save(run: StageRun, meter: Meter) -> None:
    run.state.progress = run.state.progress.model_copy(update={"unlogged": meter.sums})
    save_state(run.folder / "state.safetensors", run.state)


def _validate(run: StageRun) -> float:
    """Judge, keep the best and the last, write it down; return the seconds that it took."""
    began = time.perf_counter()
    try:
        metrics = run.validate(run.judged)
    except WorkFailed:
        what = f"the generator's pictures are not finite after step {run.state.progress.step}"
        raise _diverged(run, what) from None
    progress, better = run.keeper.keep(run.judged, run.state.progress, metrics)
    run.state.progress = progress
    epoch = progress.step * run.recipe.batch / max(1, len(run.pictures))
    seconds = time.perf_counter() - began
    run.journal.write(
        {
            "event": "validation",
            "stage": run.name,
            "step": progress.step,
            "epoch": round(epoch, 2),
            "protocol": run.validate.protocol.name,
            "metrics": metrics,
            "best": better,
            "seconds": round(seconds, 3),
        }
    )
    return seconds


def _stop(run: StageRun, meter: Meter) -> None:
    _save(run, meter)
    progress = run.state.progress
    of = f" of {progress.planned}" if progress.planned else ""
    raise Interrupted(
        f"stopped at step {progress.step}{of} of stage {run.name}; everything is saved in "
        f"{run.folder.parent}: the same command goes on from here."
    )
