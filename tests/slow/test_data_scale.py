"""Ten times as many photos take nearly no more memory, to prepare and to train on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

FEW, MANY = 2_000, 20_000
PREPARE_MB = 1.5  # a thousand photos: names, hashes, sizes (measured: 0.9)
TRAIN_MB = 0.3  # a thousand photos: the table of pictures (measured: 0.1)

MEMORY = """
import sys
from pathlib import Path
folder, store = Path(sys.argv[2]), Path(sys.argv[3])
def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
if sys.argv[1] == "prepare":
    from upres.data.store import prepare
    prepare(folder, store, scale=4, min_side=32)
    print(status("VmHWM"))
else:
    from upres.data.crops import CropSettings
    from upres.data.sampler import prefetched
    from upres.data.store import open_store
    pictures = open_store(store).pictures("train", min_side=32)
    settings = CropSettings(hr_patch=32)
    batches = prefetched(pictures, settings, scale=4, batch=16, seed=0, start=0, stop=50)
    assert sum(1 for _ in batches) == 50
    print(status("RssAnon"))  # without pages of the mapped files, which the system takes back
"""


def megabytes(what: str, photos: Path) -> float:
    command = [sys.executable, "-c", MEMORY, what, photos, photos.with_name(f"{photos.name}-x4")]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def photo(number: int) -> Image.Image:
    rng = np.random.default_rng(number)
    width, height = (int(side) for side in rng.integers(64, 97, 2))
    cells = Image.fromarray(rng.integers(0, 256, (18, 18, 3), dtype=np.uint8))
    return cells.resize((width, height), Image.Resampling.BICUBIC)


def test_memory_does_not_grow_with_the_number_of_photos(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    for folder, count in ((few, FEW), (many, MANY)):
        folder.mkdir()
        for number in range(count):
            photo(number).save(folder / f"{number:06}.{'png' if number % 2 else 'jpg'}")
    thousands = (MANY - FEW) / 1000
    for what, allowed in (("prepare", PREPARE_MB), ("train", TRAIN_MB)):
        peaks = [megabytes(what, folder) for folder in (few, many)]
        print(f"{what}: {peaks[0]:.0f} MB with {FEW:,} photos, {peaks[1]:.0f} MB with {MANY:,}")  # noqa: T201
        assert peaks[1] - peaks[0] < allowed * thousands
    again = [megabytes("prepare", folder) for folder in (few, many)]  # nothing is decoded
    print(f"again: {again[0]:.0f} MB with {FEW:,} photos, {again[1]:.0f} MB with {MANY:,}")  # noqa: T201
    assert again[1] - again[0] < 2 * PREPARE_MB * thousands
