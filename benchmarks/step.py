"""Our training step of MSRResNet-16 against the same step as it is usually run on a processor.

    python benchmarks/step.py [--rounds 6] [--steps 4]

Ours: bf16 mixed precision, channels_last. Usual: float32, default layout. Neither is compiled. Both
take turns in one process, so that a busy machine slows both; the ratio of the medians counts.
"""

import argparse
import statistics
import time

import torch
from lightning_fabric import Fabric

from upres.data.crops import CropSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.recipes.schema import Recipe
from upres.recipes.stages import Adam, PixelStage
from upres.recipes.text import changed
from upres.training.fabric import fabric_for
from upres.training.perceivers import Perceivers
from upres.training.players import Players, new_state, set_up
from upres.training.step import Eyes, PixelAim, pixel_step

OURS = Recipe(
    name="msrresnet",
    source="MSRResNet-16 (BasicSR), HR 96, batch 16",
    scale=4,
    generator=MSRResNetSettings(blocks=16),
    crops=CropSettings(hr_patch=96),
    batch=16,
    stages={"pixel": PixelStage(steps=1, optimiser=Adam(rate=2e-4))},
    precision="bf16",
)
USUAL = changed(OURS, {"precision": "float32", "channels_last": False})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=4)
    arguments = parser.parse_args()
    contenders = {"ours": (OURS, *_ready(OURS)), "usual": (USUAL, *_ready(USUAL))}
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(arguments.rounds + 1):
        for name, (recipe, fabric, players) in contenders.items():
            speed = _images_per_second(recipe, fabric, players, arguments.steps)
            if turn:  # the first round fills caches
                speeds[name].append(speed)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    for name, values in speeds.items():
        print(f"{name:6} {medians[name]:7.1f} images/s  ({min(values):.1f} to {max(values):.1f})")
    print(f"ratio  {medians['ours'] / medians['usual']:7.2f}  (target: at least 4)")


def _ready(recipe: Recipe) -> tuple[Fabric, Players]:
    fabric = fabric_for(recipe.precision)
    stage = recipe.stages["pixel"]
    return fabric, set_up(fabric, recipe, stage, new_state(recipe, stage, None), Perceivers())


def _images_per_second(recipe: Recipe, fabric: Fabric, players: Players, steps: int) -> float:
    drawn = torch.Generator().manual_seed(0)
    side = recipe.crops.hr_patch
    hr = torch.rand(recipe.batch, side, side, 3, generator=drawn).permute(0, 3, 1, 2)
    lr = hr[..., :: recipe.scale, :: recipe.scale]
    stage = recipe.stages["pixel"]
    assert isinstance(stage, PixelStage)
    aim = PixelAim(stage.losses, {"pixel": 1.0})
    if not recipe.channels_last:
        lr, hr = lr.contiguous(), hr.contiguous()
    began = time.perf_counter()
    for _ in range(steps):
        pixel_step(fabric, players.generator, Eyes(), lr, hr, aim)
    return steps * recipe.batch / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
