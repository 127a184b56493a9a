"""Our training step against the same step as it is usually run on a processor.

    python benchmarks/step.py [msrresnet | rrdbnet] [--rounds 6] [--steps 2]

Ours: bf16 mixed precision, channels_last. Usual: float32, default layout. Neither is compiled. All
take turns in one process, so that a busy machine slows all of them; after each turn the largest
matrix products that this machine can do are timed, and the medians of the rounds count.

msrresnet: MSRResNet-16, HR 96, batch 16. rrdbnet: RRDBNet-23 of `usrgan`, HR 128, batch 4, in both
stages; pixel is L1 alone, gan adds VGG19's conv5_4 and the discriminator, both players' steps.
VGG19 has random weights here, which cost as much as trained ones.

Memory is the largest resident size of a process of its own that takes a few steps. The share of a
matrix product's speed is that of the step's own operations (forward and backward, as PyTorch counts
them), so whatever else a step does counts as lost.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from upres.data.crops import CropSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.processes.fabric import fabric_for
from upres.recipes import RECIPES
from upres.recipes.schema import Recipe
from upres.recipes.stages import Adam, GanStage, PixelStage
from upres.recipes.terms import weights_of
from upres.recipes.text import changed
from upres.training.perceivers import untrained_perceivers
from upres.training.players import Players, new_state, set_up
from upres.training.step import GanAim, PixelAim, discriminator_step, generator_step, pixel_step

MSRRESNET = Recipe(
    name="msrresnet",
    source="MSRResNet-16 (BasicSR), HR 96, batch 16",
    scale=4,
    generator=MSRResNetSettings(blocks=16),
    crops=CropSettings(hr_patch=96),
    batch=16,
    stages={"pixel": PixelStage(steps=1, optimiser=Adam(rate=2e-4))},
    precision="bf16",
)
RRDBNET = changed(RECIPES["usrgan"], {"name": "rrdbnet", "batch": 4, "precision": "bf16"})
BENCHED = {recipe.name: recipe for recipe in (MSRRESNET, RRDBNET)}
USUAL = {"precision": "float32", "channels_last": False}
TARGETS = {"msrresnet": 4, "rrdbnet": 4}  # of the pixel stage: ours over usual
MATRIX = 4096  # a side
ALONE_STEPS = 3


@dataclass(frozen=True)
class Contender:
    """One stage of a recipe, ready to take steps on one batch."""

    recipe: Recipe
    stage: PixelStage | GanStage
    fabric: Fabric
    players: Players
    lr: Tensor
    hr: Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(BENCHED)}")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--memory-of", metavar="STAGE/WAY", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for name in arguments.recipes or BENCHED:
        if name not in BENCHED:
            parser.error(f"{name!r} is none of {', '.join(BENCHED)}")
        if arguments.memory_of:
            _print_memory(BENCHED[name], arguments.memory_of)
        else:
            _compare(BENCHED[name], arguments.rounds, arguments.steps)


def _compare(recipe: Recipe, rounds: int, steps: int) -> None:
    """Print a line for each stage and way, and what counts: the ratios."""
    ready = {key: _ready(recipe, key) for key in _keys(recipe)}
    flops = {key: _flops(contender) for key, contender in ready.items()}
    speeds: dict[str, list[float]] = {key: [] for key in ready}
    peaks: dict[torch.dtype, list[float]] = {torch.bfloat16: [], torch.float32: []}
    for turn in range(rounds + 1):
        taken = {key: _images_per_second(contender, steps) for key, contender in ready.items()}
        products = {dtype: _product_flops(dtype) for dtype in peaks}
        if turn:  # the first round fills caches
            for key, speed in taken.items():
                speeds[key].append(speed)
            for dtype, speed in products.items():
                peaks[dtype].append(speed)
    bf16, float32 = (statistics.median(values) for values in peaks.values())
    print(f"{recipe.name}: batch {recipe.batch}, HR {recipe.crops.hr_patch}, ", end="")
    print(f"{torch.get_num_threads()} threads, medians of {rounds} rounds of {steps} steps")
    print(f"matrix product of {MATRIX}: bf16 {bf16 / 1e9:.0f}, float32 {float32 / 1e9:.0f} GFLOP/s")
    print("stage/way     images/s (least to most)  GFLOP/step  of bf16  of float32  memory")
    for key, values in speeds.items():
        speed = statistics.median(values)
        done = speed * flops[key] / recipe.batch
        print(
            f"{key:13} {speed:8.2f} ({min(values):6.2f} to {max(values):6.2f})  "
            f"{flops[key] / 1e9:10.0f}  {done / bf16:7.0%}  {done / float32:10.0%}  "
            f"{_memory(recipe.name, key) / 1e9:.1f} GB"
        )
    for stage in recipe.stages:
        target = f"  (target: at least {TARGETS[recipe.name]})" if stage == "pixel" else ""
        print(f"ratio of {stage:6} {_ratio(speeds, stage):.2f}{target}")


def _keys(recipe: Recipe) -> list[str]:
    return [f"{stage}/{way}" for stage in recipe.stages for way in ("ours", "usual")]


def _ratio(speeds: Mapping[str, list[float]], stage: str) -> float:
    """The median over rounds: in a round both had the same neighbours on the machine."""
    ours, usual = speeds[f"{stage}/ours"], speeds[f"{stage}/usual"]
    return statistics.median(fast / slow for fast, slow in zip(ours, usual, strict=True))


def _ready(recipe: Recipe, key: str) -> Contender:
    name, way = key.split("/")
    if way == "usual":
        recipe = changed(recipe, USUAL)
    fabric = fabric_for("float32" if way == "usual" else "bf16")
    stage = recipe.stages[name]
    perceivers = untrained_perceivers(stage)
    state = new_state(recipe, stage, None, perceivers.trunk)
    players = set_up(fabric, recipe, stage, state, perceivers)
    drawn = torch.Generator().manual_seed(0)
    side = recipe.crops.hr_patch
    # as the loader gives them: channels_last in memory
    hr = torch.rand(recipe.batch, side, side, 3, generator=drawn).permute(0, 3, 1, 2)
    lr = hr[..., :: recipe.scale, :: recipe.scale]
    if way == "usual":
        lr, hr = lr.contiguous(), hr.contiguous()
    return Contender(recipe, stage, fabric, players, lr, hr)


def _step(contender: Contender) -> None:
    fabric, players, stage = contender.fabric, contender.players, contender.stage
    lr, hr = contender.lr, contender.hr
    weights = {name: 1.0 for name, _ in weights_of(stage.losses)}
    if isinstance(stage, PixelStage):
        aim = PixelAim(stage.losses, weights)
        pixel_step(fabric, players.generator, players.eyes, lr, hr, aim)
        return
    assert players.discriminator is not None
    judge, aims = players.discriminator, GanAim(stage.losses, weights)
    found = generator_step(fabric, players.generator, judge, players.eyes, lr, hr, aims)
    discriminator_step(fabric, judge, hr, found.sr, stage.losses.adversarial.form)


def _images_per_second(contender: Contender, steps: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        _step(contender)
    return steps * contender.recipe.batch / (time.perf_counter() - began)


def _flops(contender: Contender) -> float:
    with FlopCounterMode(display=False) as counter:
        _step(contender)
    return float(counter.get_total_flops())


def _product_flops(dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of three."""
    a, b = (torch.rand(MATRIX, MATRIX).to(dtype) for _ in range(2))
    times = []
    for _ in range(3):
        began = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - began)
    return float(2 * MATRIX**3 / min(times))


def _memory(recipe: str, key: str) -> int:
    """Return the bytes that a process of its own needs for the contender's steps."""
    command = [sys.executable, __file__, recipe, "--memory-of", key]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _print_memory(recipe: Recipe, key: str) -> None:
    contender = _ready(recipe, key)
    for _ in range(ALONE_STEPS):
        _step(contender)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)


if __name__ == "__main__":
    main()
