"""How fast pictures are enlarged: what `--precision auto` chooses against plain float32.

    python benchmarks/upscale.py [--model NAME_OR_FILE] [--megapixels 1] [--rounds 3]

Without --model the compact network x4 is used with random weights: speed does not depend on them.
Plain float32 is the network as it comes, the whole picture at once, in torch's default layout.
Both run in turn in the same process; the best of the rounds counts, in input megapixels a second.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from upres.networks.build import GeneratorSettings, build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import load_model


def main() -> None:
    """Print three lines: plain, auto, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", help="default: compact x4 with random weights")
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    network, settings, scale = _network(arguments.model)
    side = round((arguments.megapixels * 1e6) ** 0.5)
    lr = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    auto = Upscaler(network, scale, receptive_radius(settings, scale))

    plain_seconds, auto_seconds = [], []
    for _ in range(arguments.rounds):
        plain_seconds.append(_seconds(lambda: _enlarge_plainly(network, lr)))
        auto_seconds.append(_seconds(lambda: auto.enlarge(lr)))
    megapixels = side * side / 1e6
    plain, quick = megapixels / min(plain_seconds), megapixels / min(auto_seconds)
    print(f"{settings.kind} x{scale}, {side}x{side} px, {torch.get_num_threads()} threads")
    print(f"plain float32   {plain:6.3f} megapixels/s")
    print(f"auto ({auto.precision:7}) {quick:6.3f} megapixels/s")
    print(f"ratio           {quick / plain:6.2f}")


def _network(model: str | None) -> tuple[nn.Module, GeneratorSettings, int]:
    if model is None:
        settings = CompactSettings()
        return build_generator(settings, 4, seed=0).eval(), settings, 4
    found = load_model(model)
    return found.network, found.settings, found.scale


def _enlarge_plainly(network: nn.Module, lr: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        sr = network(torch.from_numpy(lr).permute(2, 0, 1)[None].contiguous().float() / 255)
        levels = sr[0].clamp(0, 1).mul(255).round().to(torch.uint8)
        return levels.permute(1, 2, 0).contiguous().numpy()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
