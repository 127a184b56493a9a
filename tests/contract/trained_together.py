"""Run by test_distributed.py: two processes train one run after another as a file says.

    python trained_together.py JOBS.json

Every job is {recipe, store, folder, sharded, stop_after, poison}; what stopped a process, if
anything, is written to FOLDER.PROCESS.json.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from upres.data.store import Store, open_store
from upres.processes.devices import Layout
from upres.processes.fabric import fabric_for
from upres.processes.together import launched
from upres.recipes.schema import Recipe
from upres.recipes.text import from_yaml
from upres.training.perceivers import untrained_perceivers
from upres.training.train import Needs, train


def needs(recipe: Recipe) -> Needs:
    """Feature networks with the same random weights in every process."""
    torch.manual_seed(0)
    return Needs({name: untrained_perceivers(s) for name, s in recipe.stages.items()}, None)


def run(fabric: Fabric, layout: Layout, job: dict[str, Any], store: Store) -> None:
    recipe, folder = from_yaml(job["recipe"], name="job"), Path(job["folder"])
    steps = itertools.count(1)
    here = fabric.global_rank == 1  # what happens, happens in the second process alone

    def should_stop() -> bool:
        return next(steps) >= (job.get("stop_after") or sys.maxsize) and here

    said = None
    if here and job.get("poison"):
        _poison()
    try:
        train(
            recipe,
            store,
            folder,
            needs=needs(recipe),
            facts={},
            should_stop=should_stop,
            fabric=fabric,
            layout=layout,
        )
    except Exception as error:
        said = [type(error).__name__, str(error)]
    folder.with_suffix(f".{fabric.global_rank}.json").write_text(json.dumps(said))


def _poison() -> None:
    """Let this process find a loss that is no number."""
    from upres.losses import pixel

    pixel.PIXEL_LOSSES["l1"] = lambda sr, hr: (sr - hr).abs().flatten(1).mean(1) * torch.nan


def main() -> None:
    jobs = json.loads(Path(sys.argv[1]).read_text())
    first: dict[bool, tuple[Fabric, Layout]] = {}
    for sharded in (False, True):
        layout = Layout(processes=2, sharded=sharded)
        first[sharded] = fabric_for("float32", layout), layout
    with launched(first[False][0]), launched(first[True][0]):
        torch.set_num_threads(1)
        for job in jobs:
            fabric, layout = first[job.get("sharded", False)]
            run(fabric, layout, job, open_store(Path(job["store"])))


if __name__ == "__main__":
    main()
