"""How much memory a large picture takes: the highest of a whole process, reading and writing too.

    python benchmarks/memory.py [--megapixels 12] [--model compact-x4 | tiny] [--memory 1G]
                                [--ending .jpg] [--folder DIR]

A photo-like picture of noise, 4:3, is written as a JPEG and enlarged by a process of its own, as
`upres upscale --memory` does it. `tiny` is a network x4 of two layers with random weights: what
surrounds the network, in little time. Printed are the time, what was estimated before the start,
and the highest resident memory, for which the operating system is asked.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyvips

from upres.batch.one_file import upscale_file
from upres.images.opening import open_picture
from upres.images.saving import SaveSettings
from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.upscaling.estimating import estimate_for, work_for
from upres.upscaling.memory import human, parse_memory
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.sizes import SizeWish, plan_size
from upres.upscaling.upscaler import Upscaler


def main() -> None:
    """Make the picture, and enlarge it in another process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--model", default="compact-x4")
    parser.add_argument("--memory", default="1G")
    parser.add_argument("--ending", default=".jpg")
    parser.add_argument("--folder", type=Path, help="for the pictures; default: a temporary one")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        source, target = arguments.child
        _enlarge(source, target, _upscaler(arguments.model, parse_memory(arguments.memory)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        source, target = Path(folder) / "in.jpg", Path(folder) / f"out{arguments.ending}"
        _write_picture(source, arguments.megapixels)
        subprocess.run([sys.executable, *sys.argv, "--child", source, target], check=True)


def _upscaler(model: str, memory: int) -> Upscaler:
    if model != "tiny":
        return Upscaler.load(model, UpscaleSettings(memory=memory))
    settings = CompactSettings(width=8, convs=0)
    network = build_generator(settings, 4, seed=0).eval()
    return Upscaler(network, 4, receptive_radius(settings, 4), memory=memory)


def _write_picture(path: Path, megapixels: float) -> None:
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(megapixels * 1e6 / width)
    bands = [pyvips.Image.perlin(width, height, cell_size=96, seed=seed) for seed in range(3)]
    noise = pyvips.Image.gaussnoise(width, height, mean=128, sigma=6)
    picture = sum((band * 90 for band in bands[1:]), bands[0] * 90).bandjoin(bands[1:])
    (picture + noise).cast("uchar").copy(interpretation="srgb").jpegsave(str(path), Q=92)


def _enlarge(source: Path, target: Path, upscaler: Upscaler) -> None:
    opened = open_picture(source)
    size = plan_size(opened.width, opened.height, SizeWish(), upscaler.scale)
    work = work_for(opened, size, target, SaveSettings())
    told = estimate_for(upscaler, work)
    tiling = upscaler.tiling(opened.height, opened.width)
    start = time.perf_counter()
    upscale_file(source, target, upscaler)
    seconds = time.perf_counter() - start
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts kilobytes
    pixels = size.width * size.height / 1e6
    print(
        f"{opened.width}x{opened.height} -> {size.width}x{size.height} ({pixels:.0f} megapixels, "
        f"{target.suffix}), tiles of {tiling.rows}x{tiling.columns}"
    )
    print(f"time       {seconds:.0f} s, {pixels / seconds:.2f} megapixels/s")
    print(f"estimated  {human(told.memory)} of memory, {human(told.disk)} of disk")
    print(f"taken      {human(highest)} of memory, {human(target.stat().st_size)} of disk")


if __name__ == "__main__":
    main()
