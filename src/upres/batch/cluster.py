"""Pictures of a store enlarged by many machines: Ray Data, one worker a device.

A worker fetches a picture, enlarges it and puts the result back itself; only a line of what came of
it travels. Where a worker dies, what it had not yet told is done again by another.
"""

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upres.batch.events import Failed, Summary
from upres.batch.identity import made_by
from upres.batch.jobs import Job
from upres.batch.places import place_of
from upres.batch.stores import Chosen, Note, Notes, Plan, enlarge_in_store
from upres.errors import BadSetting, Interrupted, MissingExtra, UpresError, WorkFailed
from upres.upscaling.choosing import choose_model
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.upscaler import AS_IT_COMES, Upscaler
from upres.weights.model import Model

MOST_IN_BLOCK = 32  # pictures that are handed out, and done again, together
BLOCKS = 20  # for each worker at least, so that all end at about the same time


@dataclass(frozen=True)
class Workers:
    """Who works. count: None for one on each GPU, or on each `cores` cores where there is none.

    cores: fewer where as many workers on this machine need it. address: of a Ray cluster; None for
    the one that this process is part of, or a new one on this machine.
    """

    count: int | None = None
    cores: int = 2
    address: str | None = None


ALL_THERE_ARE = Workers()


def upscale_on_ray(
    plan: Plan,
    target: str,
    model: str | Path,
    chosen: Chosen,
    *,
    settings: UpscaleSettings = AS_IT_COMES,
    workers: Workers = ALL_THERE_ARE,
    on_note: Callable[[Note], None] = lambda _note: None,
) -> Summary:
    """Do what `stores.planned` found on a cluster and return what became of it.

    target: the folder that the manifest is written to. The model is loaded here and sent to the
    workers. chosen: its made_by is completed by each worker. on_note: told of each picture.
    Raises Interrupted after Ctrl-C; the same call goes on. BadSetting for a cluster that does not
    answer, for more workers than this machine has cores, and for what workers cannot do; WorkFailed
    where the cluster gave up; NoSpace for the manifest; MissingExtra, and as `choose_model`.
    """
    ray = _ray()
    found = choose_model(model, fidelity=settings.fidelity, denoise=settings.denoise)
    run = {"state": "run", "model": str(model), "settings": settings.model_dump(mode="json")}
    with _joined(ray, workers.address):
        rows = _rows(ray, plan.jobs, found, chosen, settings, workers)
        return _gathered(rows, plan, target, run, on_note)


def _rows(
    ray: Any,
    jobs: list[Note],
    model: Model,
    chosen: Chosen,
    settings: UpscaleSettings,
    workers: Workers,
) -> Any:
    """Return what the workers tell, which do the jobs while it is read."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what ends a run is told by us
    ray.data.DataContext.get_current().enable_progress_bars = False
    joined = workers.address or os.environ.get("RAY_ADDRESS")
    grows = bool(joined) or len(ray.nodes()) > 1
    count, gpus, cores = _shared_out(
        ray.cluster_resources(), workers, settings.device, may_grow=grows
    )
    size = max(1, min(MOST_IN_BLOCK, len(jobs) // (count * BLOCKS)))
    told = ray.data.from_items(jobs, override_num_blocks=-(-len(jobs) // size)).map(
        Worker,
        fn_constructor_args=(ray.put(model), settings, chosen, cores),
        compute=ray.data.ActorPoolStrategy(size=count),
        num_gpus=gpus,
        num_cpus=0 if gpus else cores,
    )
    return told.iter_rows()


class Worker:
    """A process with a network on its device; Ray makes one and calls it with each job."""

    def __init__(self, model: Any, settings: UpscaleSettings, chosen: Chosen, cores: int) -> None:
        import ray
        import torch

        torch.set_num_threads(cores)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._refused = ""
        try:
            self._upscaler = Upscaler.of(ray.get(model), settings)
        except UpresError as error:  # raised here, Ray would try it for ever
            self._refused = str(error)
            return
        decided = made_by(self._upscaler, chosen.wish, chosen.save)
        self._chosen = Chosen(decided, chosen.wish, chosen.save, chosen.overwrite)

    def __call__(self, job: Note) -> Note:
        """Return what came of the job, as one text: notes of several kinds are one column."""
        if self._refused:
            return {"note": json.dumps({"state": "refused", "error": self._refused})}
        note = enlarge_in_store(job, self._upscaler, self._chosen)
        return {"note": json.dumps(note | {"worker": self._name})}


def _gathered(
    rows: Any, plan: Plan, target: str, run: Note, on_note: Callable[[Note], None]
) -> Summary:
    """Return what became of the plan; `run` and what is told of each job are noted in `target`."""
    began, notes, summary = time.perf_counter(), Notes(place_of(target)), Summary()
    notes.add(run | {"strangers": plan.strangers})
    notes.flush()
    try:
        for note in _heard(rows):
            if note["state"] == "refused":
                raise BadSetting(note["error"])
            notes.add(note)
            summary = _counted(summary, note)
            on_note(note)
    except KeyboardInterrupt as error:
        done = summary.done + summary.skipped
        raise Interrupted(
            f"stopped after {done} of {len(plan.jobs)} pictures; no half-written file is left, and "
            f"the same command goes on."
        ) from error
    finally:
        notes.flush()
    return replace(summary, seconds=time.perf_counter() - began)


def _heard(rows: Any) -> Iterator[Note]:
    """Yield what the workers tell. Raises WorkFailed where Ray gives up."""
    try:
        yield from (json.loads(row["note"]) for row in rows)
    except Exception as error:  # Ray's, of many kinds
        last = f"{error}".strip().rpartition("\n")[2] or type(error).__name__
        raise WorkFailed(f"Ray gave up ({last}): the same command goes on.") from error


def _counted(summary: Summary, note: Note) -> Summary:
    match note["state"]:
        case "done":
            return replace(
                summary,
                done=summary.done + 1,
                megapixels=summary.megapixels
                + note["width"] * note["height"] * note["frames"] / 1e6,
                tiles=summary.tiles + note["tiles"],
                redone=summary.redone + note["redone"],
            )
        case "skipped":
            return replace(summary, skipped=summary.skipped + 1)
    job = Job(Path(note["source"]), Path(note["target"]))
    error = UpresError(note["error"]) if note["exit_code"] == 2 else WorkFailed(note["error"])
    return replace(summary, failures=(*summary.failures, Failed(job, error)))


@contextlib.contextmanager
def _joined(ray: Any, address: str | None) -> Iterator[None]:
    """Be part of a cluster until the block ends; Ray is left as it was found."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's makers
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # else it warns of each worker
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address=address, include_dashboard=False, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        told = f"{error}".partition("\n")[0]
        where = address or os.environ.get("RAY_ADDRESS") or "on this machine"
        raise BadSetting(
            f"Ray {where} does not answer ({told}): check RAY_ADDRESS and the cluster."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()  # else it goes on printing


def _shared_out(
    resources: Mapping[str, float], workers: Workers, device: str, *, may_grow: bool
) -> tuple[int, int, int]:
    """Return how many workers there are, and how many GPUs and cores each one has.

    may_grow: more machines may come, so that workers may wait for them; else they would for ever.
    Raises BadSetting for more of them than there are GPUs, or cores.
    """
    gpus, cores = int(resources.get("GPU", 0)), max(1, int(resources.get("CPU", 1)))
    by_gpu = gpus > 0 and device != "cpu"
    most, what = (gpus, "GPU") if by_gpu else (cores, "core")
    count = workers.count or (gpus if by_gpu else max(1, cores // workers.cores))
    if count > most and not may_grow:
        there = f"{most} {what}{'s' * (most != 1)}"
        raise BadSetting(f"--workers is {count}, but Ray has {there} here: ask for fewer.")
    each = workers.cores if may_grow else min(workers.cores, max(1, cores // count))
    return count, int(by_gpu), each


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtra("ray", "cluster", "--ray") from error
    return ray
