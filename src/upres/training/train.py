"""A whole recipe: what it needs is looked for first, then stage after stage into one folder."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from upres.data.crops import Pair
from upres.data.sampler import make_batch
from upres.data.split import Split
from upres.data.stores import AnyStore, refuse_changed
from upres.errors import BadSetting
from upres.evaluation.protocols import get_protocol
from upres.networks.build import receptive_radius
from upres.networks.lpips import LPIPS
from upres.processes.devices import ALONE, Layout
from upres.processes.fabric import fabric_for
from upres.processes.fitting import refuse_layout
from upres.processes.together import from_first
from upres.recipes.schema import Recipe
from upres.training.compiling import try_compiling
from upres.training.journal import Event, Journal, read_events
from upres.training.kept import Keeper, copy_file
from upres.training.length import epoch_steps, planned_steps, stage_minutes, stage_steps
from upres.training.lock import only_process
from upres.training.loop import run_stage
from upres.training.perceivers import Perceivers, load_perceivers, published_needs
from upres.training.players import new_state, set_up
from upres.training.run import open_run, read_facts, remember
from upres.training.schedule import refuse_late_places
from upres.training.stage_run import StageRun, is_finished
from upres.training.state import StageState, load_state
from upres.training.validation import Crops, Validator, validation_pairs
from upres.upscaling.precision import ComputePrecision, pick_precision
from upres.watch.watch import Watch
from upres.weights.checkpoint import CheckpointHeader, read_checkpoint
from upres.weights.model import Model
from upres.weights.perceptual import load_lpips
from upres.weights.published import require

_SPLITS: tuple[Split, ...] = ("train", "validation", "test")

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Needs:
    """The pretrained networks of a recipe, found before anything starts."""

    perceivers: Mapping[str, Perceivers]  # by stage
    lpips: LPIPS | None


@dataclass(frozen=True)
class Work:
    """What all stages of a run share."""

    recipe: Recipe
    store: AnyStore
    folder: Path
    needs: Needs
    fabric: Fabric
    layout: Layout
    pictures: Sequence[Pair]
    validate: Validator
    journal: Journal
    should_stop: Callable[[], bool]
    show: Callable[[str, int, Crops], None] | None


def find_needs(recipe: Recipe, weights_dir: Path | None) -> Needs:
    """Return all pretrained networks that the recipe will use, fetched if need be.

    Raises MissingWeights, saying what needs them and which field avoids the need.
    """
    for name, stage in recipe.stages.items():
        for wanted in published_needs(stage):
            field = f"--set stages.{name}.{wanted.remedy}"
            why = f"{wanted.what} of stage {name}"
            require(wanted.files, why, field=field, weights_dir=weights_dir)
    wants_lpips = "lpips_alex" in recipe.validation.metrics
    if wants_lpips:
        field = "--set validation.metrics=[psnr_y,ssim_y] and the stages' best to match"
        require(["alexnet", "lpips-alex"], "LPIPS", field=field, weights_dir=weights_dir)
    perceivers = {name: load_perceivers(s, weights_dir) for name, s in recipe.stages.items()}
    return Needs(perceivers, load_lpips("alex", weights_dir) if wants_lpips else None)


def train(  # noqa: PLR0913 (what a run is told, each thing of its own kind)
    recipe: Recipe,
    store: AnyStore,
    folder: Path,
    *,
    needs: Needs,
    init: Model | None = None,
    facts: Mapping[str, Any],
    listener: Listener = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    show: Callable[[str, int, Crops], None] | None = None,
    fabric: Fabric | None = None,
    layout: Layout = ALONE,
) -> Path:
    """Train every stage of `recipe` on `store` into `folder`, or go on where that stopped.

    init: the generator's first weights; they must fit the recipe's generator.
    facts: what run.json keeps beside versions and machine, such as the command.
    listener: is given every line of metrics.jsonl. should_stop: is asked after every step.
    show: is given stage, step and this process's crops of every validation.
    fabric: made by `fabric_for` for `layout` and launched; all processes call this function, and
    the first writes. Needed where there are several processes or another device.
    Returns the path of the finished generator.
    Raises BadSetting, BadPhotos, BadRun, NoSpace; Diverged; Interrupted once everything is saved.
    """
    precision = run_precision(folder, recipe, layout)
    refuse_layout(recipe, precision, layout)
    fabric = fabric or fabric_for(precision, layout)
    start = _first_weights(recipe, init)
    pictures = store.pictures("train", min_side=recipe.crops.hr_patch)
    _refuse_late_schedules(recipe, len(pictures))
    validate = _validator(recipe, store, needs)
    all_facts = _all_facts(recipe, store, init, facts) | {"precision": precision}
    with contextlib.ExitStack() as held:
        # Last of all that can be refused: the folder of a refused run would stand in the way.
        from_first(fabric, lambda: held.enter_context(only_process(folder)))
        from_first(fabric, lambda: _open_run(folder, recipe, all_facts, layout, store))
        work = Work(
            recipe,
            store,
            folder,
            needs,
            fabric,
            layout,
            pictures,
            validate,
            Journal(folder / "metrics.jsonl", listener),
            should_stop,
            show,
        )
        return _train_stages(work, start)


def _train_stages(work: Work, start: Mapping[str, Tensor] | None) -> Path:
    from_first(work.fabric, lambda: _begin_journal(work))
    for name in work.recipe.stages:
        run = _stage_run(work, name, start)
        if not is_finished(run):
            if from_first(work.fabric, partial(_compiled, work, run)):
                run.state.generator.compile()
            from_first(work.fabric, partial(run.tell, _opening(work, run)))
        run_stage(run)
        start = read_checkpoint(run.folder / "model.safetensors")[1]
    model = work.folder / "model.safetensors"
    from_first(work.fabric, lambda: copy_file(run.folder / "model.safetensors", model))
    return model


def run_precision(folder: Path, recipe: Recipe, layout: Layout) -> ComputePrecision:
    """Return what a run in `folder` computes in; where it has begun, what it began in."""
    if recipe.precision == "auto" and (folder / "run.json").exists():
        began: ComputePrecision | None = read_facts(folder).get("precision")
        if began is not None:
            return began
    return pick_precision(recipe.precision, layout.device)


def _open_run(
    folder: Path, recipe: Recipe, facts: Mapping[str, Any], layout: Layout, store: AnyStore
) -> None:
    stamp = read_facts(folder).get("stamp") if (folder / "run.json").exists() else None
    open_run(folder, recipe, facts)
    refuse_changed(store, stamp)
    remember(folder, devices=dataclasses.asdict(layout), stamp=store.stamp)


def _begin_journal(work: Work) -> None:
    if not work.journal.path.exists():
        recipe = work.recipe
        work.journal.write({"event": "run", "recipe": recipe.name, "scale": recipe.scale})


def _first_weights(recipe: Recipe, init: Model | None) -> Mapping[str, Tensor] | None:
    if init is None:
        return None
    if init.settings != recipe.generator or init.scale != recipe.scale:
        ours = recipe.generator.model_dump(mode="json") | {"scale": recipe.scale}
        theirs = init.settings.model_dump(mode="json") | {"scale": init.scale}
        unlike = [
            f"{k}={theirs.get(k)} (recipe: {v})" for k, v in ours.items() if theirs.get(k) != v
        ]
        raise BadSetting(
            f"--init {init.name} is another network than the recipe's generator: "
            f"{', '.join(unlike)}; change these fields with --set generator.FIELD=VALUE."
        )
    return init.network.state_dict()


def _refuse_late_schedules(recipe: Recipe, photos: int) -> None:
    epoch = epoch_steps(recipe, range(photos))
    for name, stage in recipe.stages.items():
        refuse_late_places(name, stage, stage_steps(recipe, name, photos), epoch)


def _all_facts(
    recipe: Recipe, store: AnyStore, init: Model | None, facts: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **facts,
        "recipe": recipe.name,
        "seed": recipe.seed,
        "data_hash": store.data_hash,
        "stamp": store.stamp,
        "photos": {split: len(store.pictures(split)) for split in _SPLITS},
        "init": None if init is None else init.name,
        "init_sha256": None if init is None else init.sha256,
    }


def _validator(recipe: Recipe, store: AnyStore, needs: Needs) -> Validator:
    protocol = get_protocol(recipe.validation.protocol)
    pictures = store.pictures("validation")
    return Validator(
        validation_pairs(pictures, recipe.validation, protocol, recipe.scale),
        protocol,
        recipe.scale,
        receptive_radius(recipe.generator, recipe.scale),
        recipe.validation.metrics,
        needs.lpips,
    )


def _stage_run(work: Work, name: str, start: Mapping[str, Tensor] | None) -> StageRun:
    """Put a stage together: new, or from its saved state, or from that state made longer."""
    recipe, folder = work.recipe, work.folder / name
    stage = recipe.stages[name]
    perceivers = work.needs.perceivers[name]
    state = new_state(recipe, stage, start, perceivers.trunk, work.fabric)
    saved = folder / "state.safetensors"
    if from_first(work.fabric, saved.exists):
        load_state(saved, state)
    _set_length(work, name, state)
    from_first(work.fabric, lambda: work.journal.keep_until(name, state.progress.step))
    averaged = stage.ema is not None and stage.handover_weights == "ema"
    header = CheckpointHeader(
        generator=recipe.generator,
        scale=recipe.scale,
        recipe=recipe.model_dump(mode="json"),
        stage=name,
        weights="ema" if averaged else "raw",
        protocol=work.validate.protocol.name,
        conditions=work.validate.protocol.model_dump(mode="json"),
        data_hash=work.store.data_hash,
        upres_version=version("upres"),
        licence="the photos that it was trained on decide what these weights may be used for",
    )
    return StageRun(
        recipe,
        name,
        stage,
        folder,
        state,
        set_up(work.fabric, recipe, stage, state, perceivers, work.layout.accumulate),
        work.fabric,
        work.pictures,
        work.validate,
        Keeper(folder, stage, header, recipe.keep_last),
        work.journal,
        Watch(name, stage, read_events(work.journal.path) if work.fabric.is_global_zero else ()),
        work.should_stop,
        work.show,
    )


def _set_length(work: Work, name: str, state: StageState) -> None:
    planned = planned_steps(work.recipe, name, len(work.pictures), state.progress)
    minutes = stage_minutes(work.recipe, name) if planned is not None else None
    state.progress = state.progress.model_copy(
        update={"planned": planned, "planned_for_minutes": minutes}
    )


def _compiled(work: Work, run: StageRun) -> bool:
    """Whether this run compiles its generator: decided once, kept in run.json."""
    if work.layout.sharded:
        return False
    if work.recipe.compile != "auto":
        return work.recipe.compile == "yes"
    decided = read_facts(work.folder).get("compile_trial")
    if decided is None:
        lr, _ = make_batch(
            run.pictures,
            work.recipe.crops,
            scale=work.recipe.scale,
            batch=work.recipe.batch,
            seed=work.recipe.seed,
            step=0,
            indexes=range(run.own_batch // work.layout.accumulate),
        )
        trial = try_compiling(
            work.fabric,
            run.state.generator,
            torch.from_numpy(lr).to(work.fabric.device).permute(0, 3, 1, 2).float().div_(255),
            steps=run.state.progress.planned,
            minutes=stage_minutes(work.recipe, run.name),
        )
        decided = trial.model_dump()
        remember(work.folder, compile_trial=decided)
    return bool(decided["chosen"])


def _opening(work: Work, run: StageRun) -> Event:
    progress = run.state.progress
    return {
        "event": "stage",
        "stage": run.name,
        "from_step": progress.step,
        "steps": progress.planned,
        "minutes": stage_minutes(run.recipe, run.name),
        "photos": len(run.pictures),
        "batch": run.recipe.batch,
        "device": work.layout.device,
        "processes": work.layout.count,
        "accumulate": work.layout.accumulate,
    }
