"""The files of a store that hold pixels: mapped for training, read for preparing, hashed.

Pixels are uint8, rows of RGB, one picture after another.
"""

import hashlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from upres.data.crops import Pixels
from upres.errors import WorkFailed

HR, LR = "hr.bin", "lr.bin"
CHANNELS = 3
SAMPLES, SAMPLE_BYTES = 64, 4096  # blocks of a file that are compared when a store is opened


@dataclass(frozen=True, eq=False)
class PixelMap:
    """A file of pixels as memory, and what told it from another one when it was opened."""

    path: Path
    pixels: Pixels  # all of it, one dimension, read only
    place: tuple[int, int]  # device and number of the file
    stamp: str  # size and time of change

    def refuse_changed(self) -> None:
        """Raise WorkFailed when somebody writes into this very file; a new one does no harm.

        Reading where a file has been cut off would end the program without a word.
        """
        try:
            status = self.path.stat()
        except OSError:  # moved or removed: what is mapped stays
            return
        same_file = (status.st_dev, status.st_ino) == self.place
        if same_file and f"{status.st_size} {status.st_mtime_ns}" != self.stamp:
            store = self.path.parent
            raise WorkFailed(
                f"{self.path} was changed while it was in use; what was saved last is kept: see "
                f"what is damaged with `upres prepare --verify {store}`, then prepare it again."
            )


def map_pixels(path: Path) -> PixelMap:
    """Return a file of pixels as memory. Raises OSError."""
    status = path.stat()
    # A plain array over the mapping: its slices are several times as quick as a memmap's.
    pixels = np.asarray(np.memmap(path, np.uint8, mode="r"))
    place, stamp = (status.st_dev, status.st_ino), f"{status.st_size} {status.st_mtime_ns}"
    return PixelMap(path, pixels, place, stamp)


class PixelFile:
    """A file of pixels that is read a picture at a time.

    Preparing and verifying go over whole files; mapped, their pages would add up in memory.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.file = file

    def read(self, offset: int, height: int, width: int) -> Pixels:
        """Return (height, width, 3). Raises EOFError where the file is too short."""
        pixels = np.empty((height, width, CHANNELS), np.uint8)
        self.file.seek(offset)
        if self.file.readinto(pixels.data.cast("B")) != pixels.nbytes:
            raise EOFError(f"the file ends before byte {offset + pixels.nbytes}")
        return pixels


def pixel_hash(pixels: Pixels) -> str:
    """Return the sha256 of a picture's size and contiguous pixels."""
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_hash(store: Path) -> str:
    """Return the sha256 of SAMPLES blocks of hr.bin and of lr.bin, spread over each file.

    It tells another file of the same size and one that was copied in part, without reading all.
    Raises OSError.
    """
    digest = hashlib.sha256()
    for name in (HR, LR):
        with (store / name).open("rb") as file:
            last = max(0, file.seek(0, 2) - SAMPLE_BYTES)
            for number in range(SAMPLES):
                file.seek(last * number // (SAMPLES - 1))
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
