"""One stage from its state to its end: when to log, validate, save and stop."""

import contextlib
import sys
import time
from collections.abc import Generator

import torch
from torch import Tensor

from upres.data.sampler import Batch, prefetched
from upres.errors import Diverged, Interrupted, WorkFailed
from upres.training.length import TIMED_STEPS, stage_minutes, steps_in
from upres.training.meter import Meter
from upres.training.stage_run import StageRun, is_finished
from upres.training.state import save_state
from upres.training.turn import Turn, take_turn


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
                turn = _turn(run, *_tensors(batch))
            meter.add(turn.found, turn.judgements, turn.watched)
            _plan(run, meter, spent=time.perf_counter() - began, judging=judging)
            _log(run, meter)
            _validate_and_save(run, meter)
            if run.should_stop() and not is_finished(run):
                _stop(run, meter)
    run.keeper.hand_over(run.state.progress)


def _batches(run: StageRun) -> Generator[Batch, None, None]:
    recipe, progress = run.recipe, run.state.progress
    return prefetched(
        run.pictures,
        recipe.crops,
        scale=recipe.scale,
        batch=run.crops_a_step,
        seed=run.seed,
        start=progress.step,
        stop=sys.maxsize if progress.planned is None else progress.planned,
    )


def _tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    """uint8 (n, h, w, 3) -> float32 (n, 3, h, w) in 0..1, in channels_last memory."""
    lr, hr = (torch.from_numpy(p).permute(0, 3, 1, 2).float().div_(255) for p in batch)
    return lr, hr


def _turn(run: StageRun, lr: Tensor, hr: Tensor) -> Turn:
    try:
        return take_turn(run, lr, hr)
    except Diverged as error:
        raise _diverged(run, f"{error} at step {run.state.progress.step + 1}") from None


def _diverged(run: StageRun, what: str) -> Diverged:
    return Diverged(
        f"{what} of stage {run.name}: the run stops and keeps its last saved state "
        f"({run.folder}); lower stages.{run.name}.optimiser.rate or the weight of that term, or "
        "set precision=float32, and give --out another folder."
    )


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
