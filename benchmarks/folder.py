"""What a folder takes beside the time inside the network: reading, writing, noting.

    python benchmarks/folder.py [--model NAME_OR_FILE] [--pictures 200] [--photos DIR] [--rounds 2]

Without --photos, pieces of 320x240 pixels are cut from scikit-image's photos, as JPEG. The network
alone enlarges the tiles of the same pictures, decoded before, one after another; then
`upscale_folder` does all of it, into an empty folder. Both in turn in the same process; the best of
the rounds counts. The processor's time says what is done, whatever else the machine does.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from upres.batch.folder import FolderSettings, crowd_for, upscale_folder
from upres.batch.one_file import AS_IT_WAS, AS_THE_MODEL
from upres.batch.running import Crowd
from upres.images.files import PICTURE_SUFFIXES
from upres.images.opening import first_frame, open_picture
from upres.upscaling.streams import unit_range
from upres.upscaling.upscaler import Upscaler

WIDTH, HEIGHT = 320, 240

Times = tuple[float, float]  # seconds: by the clock, of the processor


def main() -> None:
    """Print the seconds of both, by the clock and of the processor, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="compact-x4")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()

    upscaler = Upscaler.load(arguments.model)
    with tempfile.TemporaryDirectory(prefix="upres-bench-") as work:
        photos = Path(work, "photos")
        photos.mkdir()
        count = fill(photos, arguments.photos, arguments.pictures)
        crowd = crowd_for(upscaler, AS_THE_MODEL, AS_IT_WAS)
        alone, folder = [], []
        for number in range(arguments.rounds):
            alone.append(network_seconds(photos, upscaler))
            folder.append(folder_seconds(photos, Path(work, str(number)), upscaler, crowd))
    print(f"{arguments.model}, {count} pictures, {torch.get_num_threads()} threads of the network")
    for place, name in enumerate(("clock", "processor")):
        network, whole = (min(times[place] for times in rounds) for rounds in (alone, folder))
        print(
            f"{name:10} network alone {network:7.2f} s, folder {whole:7.2f} s: "
            f"ratio {whole / network:.2f}"
        )


def fill(folder: Path, photos: Path | None, count: int) -> int:
    """Put `count` pictures into the folder: those of `photos`, or pieces of scikit-image's."""
    if photos is not None:
        found = sorted(p for p in photos.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        for path in found[:count]:
            (folder / path.name).symlink_to(path.resolve())
        return min(count, len(found))
    from skimage import data

    drawn = np.random.default_rng(0)
    whole = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    for number in range(count):
        photo = whole[number % len(whole)]
        top = int(drawn.integers(photo.shape[0] - HEIGHT + 1))
        left = int(drawn.integers(photo.shape[1] - WIDTH + 1))
        piece = photo[top : top + HEIGHT, left : left + WIDTH]
        Image.fromarray(piece).save(folder / f"{number:04}.jpg", quality=92)
    return count


def network_seconds(photos: Path, upscaler: Upscaler) -> Times:
    """Return what the network takes for all pictures, tiled as the folder's are."""
    clock = processor = 0.0
    for path in sorted(photos.iterdir()):
        picture = np.concatenate([unit_range(rows) for rows in first_frame(open_picture(path))])
        for tile in tiles(picture, upscaler):
            began = now()
            upscaler._network(tile)
            clock, processor = clock + now()[0] - began[0], processor + now()[1] - began[1]
    return clock, processor


def now() -> Times:
    """Return the seconds of the clock and those that this process has computed for."""
    return time.perf_counter(), time.process_time()


def tiles(picture: np.ndarray, upscaler: Upscaler) -> list[np.ndarray]:
    """Return the parts of a picture that the network is given."""
    seen: list[np.ndarray] = []
    network = upscaler._network

    class Listening:
        """Takes the tiles, and computes nothing."""

        def __call__(self, tile: np.ndarray, tally: object = None) -> np.ndarray:
            seen.append(np.array(tile))
            height, width, channels = tile.shape
            return np.zeros((height * upscaler.scale, width * upscaler.scale, channels), np.float32)

        def __getattr__(self, name: str) -> object:
            return getattr(network, name)

    upscaler._network = Listening()  # type: ignore[assignment]
    try:
        upscaler.enlarge(picture)
    finally:
        upscaler._network = network
    return seen


def folder_seconds(photos: Path, target: Path, upscaler: Upscaler, crowd: Crowd) -> Times:
    """Return what all of it takes, from names to noted results."""
    began = now()
    upscale_folder(photos, target, upscaler, FolderSettings(crowd=crowd)).raise_if_failed()
    return now()[0] - began[0], now()[1] - began[1]


if __name__ == "__main__":
    main()
