"""One stage from its state to its end: when to log, validate, save and stop."""

import contextlib
import sys
import time
from collections.abc import Generator
from functools import partial

import torch
from torch import Tensor, nn

from upres.data.sampler import Batch, prefetched
from upres.errors import Diverged, Interrupted, WorkFailed
from upres.networks.build import build_generator
from upres.processes.sharding import is_sharded, whole
from upres.processes.together import LostProcess, any_of, as_in_first, from_first
from upres.training.journal import Event
from upres.training.length import TIMED_STEPS, stage_minutes, steps_in
from upres.training.meter import Meter
from upres.training.stage_run import StageRun, is_finished
from upres.training.state import save_tensors, state_tensors
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
                turn = _turn(run, *_tensors(batch, run.fabric.device))
            meter.add(turn.found, turn.judgements, turn.watched)
            _plan(run, meter, spent=time.perf_counter() - began, judging=judging)
            _log(run, meter)
            _validate_and_save(run, meter)
            if any_of(run.fabric, run.should_stop()) and not is_finished(run):
                _stop(run, meter)
    from_first(run.fabric, lambda: run.keeper.hand_over(run.state.progress))


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
        indexes=run.own_crops,
    )


def _tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """uint8 (n, h, w, 3) -> float32 (n, 3, h, w) in 0..1, in channels_last memory."""
    there = (torch.from_numpy(pictures).to(device) for pictures in batch)
    lr, hr = (pictures.permute(0, 3, 1, 2).float().div_(255) for pictures in there)
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

    def measured() -> int:
        return steps_in(
            minutes,
            step=progress.step,
            spent=spent,
            seconds=meter.seconds,
            judging=judging * run.recipe.validation.times,
        )

    steps = from_first(run.fabric, measured)
    run.state.progress = progress.model_copy(
        update={"planned": steps, "planned_for_minutes": minutes}
    )
    _tell(run, {"event": "planned", "stage": run.name, "step": progress.step, "steps": steps})


def _log(run: StageRun, meter: Meter) -> None:
    progress = run.state.progress
    if progress.step % run.recipe.log_every and not is_finished(run):
        return
    rate = run.state.optimiser.param_groups[0]["lr"]
    left = None if progress.planned is None else progress.planned - progress.step
    event = {"event": "step", "stage": run.name, "step": progress.step, "rate": rate}
    _tell(run, event | meter.summary(steps_left=left))


def _tell(run: StageRun, event: Event) -> None:
    from_first(run.fabric, lambda: run.tell(event))


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
    tensors = state_tensors(run.state)
    path = run.folder / "state.safetensors"
    from_first(run.fabric, lambda: save_tensors(path, tensors, run.state.progress))


def _validate(run: StageRun) -> float:
    """Judge, keep the best and the last, write it down; return the seconds that it took."""
    began = time.perf_counter()
    judged = _whole(run)
    show = run.show
    step = run.state.progress.step
    shown = None if show is None else partial(show, run.name, step)
    try:
        metrics = run.validate(judged, run.fabric, shown)
    except LostProcess:
        raise
    except WorkFailed:
        what = f"the generator's pictures are not finite after step {step}"
        raise _diverged(run, what) from None
    progress, better = from_first(
        run.fabric, lambda: run.keeper.keep(judged, run.state.progress, metrics)
    )
    run.state.progress = progress
    epoch = progress.step * run.recipe.batch / max(1, len(run.pictures))
    seconds = time.perf_counter() - began
    event = {
        "event": "validation",
        "stage": run.name,
        "step": progress.step,
        "epoch": round(epoch, 2),
        "protocol": run.validate.protocol.name,
        "metrics": metrics,
        "best": better,
        "seconds": round(seconds, 3),
    }
    _tell(run, event)
    return seconds


def _whole(run: StageRun) -> nn.Module:
    """The network to judge, the same in all processes and in one piece in each."""
    network = run.judged
    as_in_first(run.fabric, network.buffers())  # each has its own statistics of batch norm
    if not is_sharded(network):
        return network
    copy = build_generator(run.recipe.generator, run.recipe.scale, seed=run.recipe.seed)
    copy.load_state_dict({key: whole(value) for key, value in network.state_dict().items()})
    return copy.to(run.fabric.device)


def _stop(run: StageRun, meter: Meter) -> None:
    _save(run, meter)
    progress = run.state.progress
    of = f" of {progress.planned}" if progress.planned else ""
    raise Interrupted(
        f"stopped at step {progress.step}{of} of stage {run.name}; everything is saved in "
        f"{run.folder.parent}: the same command goes on from here."
    )
