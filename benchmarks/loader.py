"""Patches a second from a prepared store, and from folders of PNG files read by Pillow.

    python benchmarks/loader.py [--photos FOLDER] [--rounds 5] [--seconds 2]

Both give batches of 16 aligned pairs (HR 128 px, LR 32 px, flipped and turned) and run on one core,
in turn in one process, so that a busy machine slows both; the ratio of the medians counts, and the
patches a second of processor time, which say what one core alone would do. The folders hold what
the store holds, HR and LR as PNG: a patch costs two whole files, as in the field's training
programs that read plain folders. All files are in the system's cache.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from upres.data.crops import CropSettings, Pair, augment, paired_crop
from upres.data.sampler import Batch, draw, prefetched
from upres.data.store import Store, open_store, prepare
from upres.demo import scikit_image_photos

SCALE, BATCH, TARGET = 4, 16, 2000
SETTINGS = CropSettings(hr_patch=128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="by default those of scikit-image")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        prepare(arguments.photos or scikit_image_photos(), Path(folder) / "store", scale=SCALE)
        store = open_store(Path(folder) / "store")
        files = _png_files(store, Path(folder))
        contenders = {"store": _from_store(store), "png": _from_png(files)}
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for turn in range(arguments.rounds + 1):
            for name, batches in contenders.items():
                speed = _patches_per_second(batches, arguments.seconds)
                if turn:  # the first round fills caches
                    measured[name].append(speed)
    medians = {}
    for name, speeds in measured.items():
        passed, used = ([speed[kind] for speed in speeds] for kind in (0, 1))
        medians[name] = statistics.median(used)
        print(
            f"{name:6} {statistics.median(passed):7.0f} patches/s "
            f"({min(passed):.0f} to {max(passed):.0f}), {medians[name]:7.0f} a second of processor "
            f"time ({min(used):.0f} to {max(used):.0f})"
        )
    print(f"ratio  {medians['store'] / medians['png']:7.1f}  (target: store at least {TARGET}/s)")


def _from_store(store: Store) -> Iterator[Batch]:
    pictures = store.pictures("train", min_side=SETTINGS.hr_patch)
    return prefetched(pictures, SETTINGS, scale=SCALE, batch=BATCH, seed=0, start=0, stop=10**9)


def _from_png(files: list[tuple[Path, Path]]) -> Iterator[Batch]:
    step = 0
    while True:
        crops = [_png_crop(files, draw(0, step, index)) for index in range(BATCH)]
        lr, hr = zip(*crops, strict=True)
        yield np.stack(lr), np.stack(hr)
        step += 1


def _png_crop(files: list[tuple[Path, Path]], rng: np.random.Generator) -> Batch:
    lr_file, hr_file = files[int(rng.integers(len(files)))]
    with Image.open(lr_file) as lr, Image.open(hr_file) as hr:
        pair = Pair(hr_file.name, np.asarray(lr), np.asarray(hr))
    crop = paired_crop(pair, scale=SCALE, hr_patch=SETTINGS.hr_patch, rng=rng)
    return augment(*crop, SETTINGS, rng=rng)


def _png_files(store: Store, folder: Path) -> list[tuple[Path, Path]]:
    files = []
    for number, pair in enumerate(store.pictures("train", min_side=SETTINGS.hr_patch)):
        paths = folder / f"{number}-lr.png", folder / f"{number}-hr.png"
        for path, pixels in zip(paths, (pair.lr, pair.hr), strict=True):
            Image.fromarray(pixels).save(path)
        files.append(paths)
    return files


def _patches_per_second(batches: Iterator[Batch], seconds: float) -> tuple[float, float]:
    """Patches a second that passed, and a second that the processor worked for this process."""
    began, used, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        next(batches)
        count += BATCH
    return count / (time.perf_counter() - began), count / (time.process_time() - used)


if __name__ == "__main__":
    main()
