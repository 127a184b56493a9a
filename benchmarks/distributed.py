"""Two processes of one thread each against one process of two threads: the same global batch.

    python benchmarks/distributed.py [--rounds 5] [--steps 4] [--recipe usrgan-small] [--batch 8]

Both take turns, each in fresh processes, so that a busy machine slows both; the ratio of the
medians counts. Measured are steps of the recipe's first stage on random pictures, after two that
fill caches; what processes say to each other is part of a step.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

from upres.processes.devices import Layout
from upres.processes.fabric import fabric_for
from upres.processes.together import launched, share
from upres.recipes import get_recipe
from upres.recipes.schema import Recipe
from upres.recipes.stages import PixelStage
from upres.recipes.terms import weights_of
from upres.recipes.text import changed
from upres.training.perceivers import untrained_perceivers
from upres.training.players import new_state, set_up
from upres.training.step import PixelAim, pixel_step
from upres.upscaling.precision import pick_precision

THREADS = 2  # of all processes together
SETTLING = 2  # steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--recipe", default="usrgan-small")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--processes", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    recipe = changed(get_recipe(arguments.recipe), {"batch": arguments.batch})
    if arguments.processes is not None:
        _measure(recipe, arguments.processes, arguments.steps)
        return
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(arguments.rounds):
        for processes, found in speeds.items():
            found.append(_turn(processes))
    medians = {processes: statistics.median(found) for processes, found in speeds.items()}
    for processes, found in speeds.items():
        what = f"{processes} process(es) of {THREADS // processes} thread(s)"
        print(f"{what:27} {medians[processes]:6.2f} images/s  {min(found):.2f} to {max(found):.2f}")
    pairs = [two / one for one, two in zip(speeds[1], speeds[2], strict=True)]
    print(f"ratio of the medians        {medians[2] / medians[1]:6.2f}  (target: at least 0.9)")
    print(f"median of the rounds' ratios {statistics.median(pairs):5.2f}")


def _turn(processes: int) -> float:
    command = [sys.executable, *sys.argv, "--processes", str(processes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    speed: float = json.loads(done.stdout)
    return speed


def _measure(recipe: Recipe, processes: int, steps: int) -> None:
    layout = Layout(processes=processes)
    fabric = fabric_for(pick_precision(recipe.precision), layout)
    with launched(fabric):
        torch.set_num_threads(THREADS // processes)
        stage = next(iter(recipe.stages.values()))
        assert isinstance(stage, PixelStage)
        state = new_state(recipe, stage, None, None, fabric)
        players = set_up(fabric, recipe, stage, state, untrained_perceivers(stage))
        aim = PixelAim(stage.losses, dict.fromkeys(dict(weights_of(stage.losses)), 1.0))
        drawn, side = torch.Generator().manual_seed(0), recipe.crops.hr_patch
        hr = torch.rand(recipe.batch, side, side, 3, generator=drawn).permute(0, 3, 1, 2)
        own = share(fabric, recipe.batch)
        hr = hr[own.start : own.stop]
        lr = hr[..., :: recipe.scale, :: recipe.scale]
        for step in range(SETTLING + steps):
            if step == SETTLING:
                began = time.perf_counter()
            pixel_step(fabric, players.generator, players.eyes, lr, hr, aim)
        if fabric.is_global_zero:
            print(json.dumps(steps * recipe.batch / (time.perf_counter() - began)))


if __name__ == "__main__":
    main()
