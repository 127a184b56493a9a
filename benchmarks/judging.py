"""What judging costs beside the networks, and how fast a benchmark's bicubic row is.

    python benchmarks/judging.py [--rounds 3]

First: five pictures of Set5's sizes, by sr-y-float, with PSNR, SSIM and LPIPS, for a small and a
middling network. The networks' own time is what passes inside the generator and inside LPIPS in
the very same run, so a busy machine slows both sides alike. Judging is all of it: reading,
checking and making LR too. Second: a hundred pictures of 481x321 by sr-y, the row `bicubic`, PSNR
and SSIM. Weights are random and pictures are noise: speed does not depend on them.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from upres.evaluation.candidates import Candidate, compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol
from upres.images.files import Picture, write_picture
from upres.networks.build import GeneratorSettings, build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.networks.lpips import LPIPS
from upres.networks.msrresnet import MSRResNetSettings
from upres.upscaling.upscaler import Upscaler

SCALE = 4
SET5 = ((512, 512), (288, 288), (256, 256), (280, 280), (228, 344))  # width, height
BSD = ((481, 321),) * 100
NETWORKS: dict[str, GeneratorSettings] = {
    "compact": CompactSettings(),
    "MSRResNet-16": MSRResNetSettings(),
}


class Inside:
    """Adds up the time that passes inside networks."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.seconds = 0.0
        for network in networks:
            network.register_forward_pre_hook(lambda *_: self._add(-1))
            network.register_forward_hook(lambda *_: self._add(1))

    def _add(self, sign: int) -> None:
        self.seconds += sign * time.perf_counter()


def main() -> None:
    """Print a line for each network and one for bicubic."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        set5, bsd = _folder(Path(name) / "set5", SET5), _folder(Path(name) / "bsd", BSD)
        print(f"threads: {torch.get_num_threads()}, best of {rounds}")
        for label, settings in NETWORKS.items():
            whole, inside = min(
                (_with_networks(set5, settings) for _ in range(rounds)),
                key=lambda seconds: seconds[0] / seconds[1],
            )
            print(
                f"Set5, {label + ':':14} {whole:6.2f} s, networks {inside:6.2f} s, "
                f"ratio {whole / inside:.2f} (aimed at: 1.50 at most)"
            )
        seconds, busy = min(_bicubic(bsd) for _ in range(rounds))
        print(
            f"bicubic, {len(BSD)} pictures of 481x321: {seconds:.1f} s, of the processor "
            f"{busy:.1f} s (aimed at: under 20)"
        )


def _with_networks(folder: Path, settings: GeneratorSettings) -> tuple[float, float]:
    """Return all seconds, and those inside networks."""
    generator = build_generator(settings, SCALE, seed=0).eval()
    lpips = LPIPS("alexnet")
    upscaler = Upscaler(generator, SCALE, receptive_radius(settings, SCALE), precision="float32")
    row = Candidate(settings.kind, lambda pair, _: upscaler.enlarge(pair.lr), "random")
    inside = Inside([generator, lpips])
    whole = _judged(folder, "sr-y-float", row, {"lpips_alex": lpips})
    return whole, inside.seconds


def _bicubic(folder: Path) -> tuple[float, float]:
    """Return the seconds that pass, and those that the processor works on it."""
    ((row,), _) = resolve_rows(["bicubic"], SCALE)
    busy = time.process_time()
    return _judged(folder, "sr-y", row, {}), time.process_time() - busy


def _judged(folder: Path, name: str, row: Candidate, networks: Mapping[str, nn.Module]) -> float:
    protocol = get_protocol(name)
    names = ["psnr", "ssim", *networks]
    begun = time.perf_counter()
    pairs = load_pairs(folder, SCALE, protocol=protocol, metrics=names)
    measures = measures_for(names, protocol, networks)
    compare([row], pairs, protocol, scale=SCALE, dataset="noise", measures=measures)
    return time.perf_counter() - begun


def _folder(folder: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    """Return `folder` with pictures of these widths and heights in it."""
    random = np.random.default_rng(0)
    for number, (width, height) in enumerate(sizes):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        write_picture(folder / f"{number:03}.png", Picture(pixels=pixels))
    return folder


if __name__ == "__main__":
    main()
