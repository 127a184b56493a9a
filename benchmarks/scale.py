"""What ten million pictures would take: what planning, noting and one picture cost here.

    python benchmarks/scale.py [PHOTO ...]

CPU seconds of one thread, so that a busy machine does not change them much; the best of three.
Without photos, a random one of 640x427 is enlarged.
"""

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from upres.batch.places import place_of
from upres.batch.stores import Chosen, Notes, enlarge_in_store, planned
from upres.images.opening import open_picture
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.upscaler import Upscaler

NAMES = 50_000


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds that the work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def planning() -> None:
    """Print what a plan costs: names that are listed, in the memory of whoever plans."""
    read, write = place_of("memory:///scale/in"), place_of("memory:///scale/out")
    for number in range(NAMES):
        read.store.pipe_file(read.below(f"{number // 1000:05}/{number:09}.jpg").path, b"")
    tracemalloc.start()
    jobs = planned("memory:///scale/in", "memory:///scale/out", recursive=True).jobs
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    seconds = cpu(lambda: planned("memory:///scale/in", "memory:///scale/out", recursive=True))
    print(f"plan: {seconds / NAMES * 1e6:.0f} us and {held / NAMES:.0f} bytes a picture")
    note = {"state": "done", "key": "0" * 64, "picture_sha256": "0" * 64, "bytes": 10**6}
    note |= {"width": 2560, "height": 1708, "frames": 1, "tiles": 6, "redone": 0, "seconds": 1.234}
    note |= {"worker": "a-machine:12345"}
    notes = Notes(write)

    def noted() -> None:
        for job in jobs:
            notes.add({**{key: job[key] for key in ("source", "target", "name")}, **note})
        notes.flush()

    seconds = cpu(noted)
    size = sum(write.store.size(path) for path in write.store.find(write.path))
    print(f"notes: {seconds / NAMES * 1e6:.0f} us and {size / NAMES:.0f} bytes a picture")
    seconds = cpu(lambda: planned("memory:///scale/in", "memory:///scale/out", recursive=True))
    print(f"plan of a run that goes on: {seconds / NAMES * 1e6:.0f} us a picture")


def pictures(photos: list[Path], folder: Path) -> None:
    """Print what one picture costs a worker, and how much of it is the network."""
    torch.set_num_threads(1)
    upscaler = Upscaler.load("compact-x4", UpscaleSettings(device="cpu"))
    for number, photo in enumerate(photos):
        opened = open_picture(photo)
        job = {"source": str(photo), "name": "x", "key": "", "intact": False, "stranger": False}
        job["target"] = f"{folder}/{number}{photo.suffix}"
        whole = min(cpu(partial(enlarge_in_store, job, upscaler, Chosen({}))) for _ in range(3))
        lr = np.concatenate(list(open_picture(photo).blocks()))
        alone = min(cpu(partial(upscaler.enlarge, lr)) for _ in range(3))
        megapixels = opened.width * opened.height * upscaler.scale**2 / 1e6
        print(
            f"{photo.name} {opened.width}x{opened.height}: {whole:.2f} s, network alone "
            f"{alone:.2f} s, {megapixels / whole:.2f} megapixels out a CPU second, "
            f"{Path(job['target']).stat().st_size / 1e6:.2f} MB; {upscaler.precision}"
        )


def main() -> None:
    """Print all of it."""
    planning()
    with tempfile.TemporaryDirectory() as name:
        photos = [Path(argument) for argument in sys.argv[1:]]
        if not photos:
            from upres.images.files import Picture, write_picture

            values = np.random.default_rng(1).integers(0, 256, (427, 640, 3)).astype(np.uint8)
            photos = [Path(name) / "random.jpg"]
            write_picture(photos[0], Picture(pixels=values))
        pictures(photos, Path(name) / "out")


main()
