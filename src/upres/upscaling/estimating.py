"""What an enlargement will take, before it begins: time, memory and disk; and whether that fits."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from upres.errors import WontFit
from upres.images.formats import format_of
from upres.images.opening import Opened
from upres.images.saving import SaveSettings
from upres.upscaling.memory import human
from upres.upscaling.sizes import SizePlan
from upres.upscaling.streams import BLOCK_ROWS
from upres.upscaling.tiles import Span, Tiling, spans
from upres.upscaling.tiling import FILES, rows_needed, tile_needed
from upres.upscaling.upscaler import Upscaler

FINISHING: Final = 3e-8  # seconds for each value of the result: rounding, copying, a JPEG's codes
RESAMPLING: Final = 4e-8  # seconds for each value that is brought to another size
LOSSY: Final = 3  # a file that loses is at most one in so many of the pixels' bytes
LONGEST_TRIAL: Final = 1.0  # seconds: a larger tile is not tried


@dataclass(frozen=True)
class Work:
    """What is to be done to a picture.

    channels: alpha included. runs: of the network for each tile; a grey band or an alpha takes one
    of its own. value_bytes: of a value in the result. whole: its encoder holds all of it, and
    `encoder` bytes more for each pixel. encoding: seconds for each value.
    """

    height: int
    width: int
    channels: int
    runs: int
    frames: int
    size: SizePlan
    value_bytes: int
    lossy: bool = False
    whole: bool = False
    encoder: int = 0
    encoding: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """Seconds; bytes that the process comes to hold; bytes of the file that is written, at most."""

    seconds: float
    memory: int
    disk: int

    def __str__(self) -> str:
        return (
            f"about {duration(self.seconds)}, {human(self.memory)} of memory, "
            f"up to {human(self.disk)} on disk"
        )


def estimate(
    work: Work,
    tilings: Sequence[Tiling],
    *,
    scale: int,
    bytes_per_pixel: float,
    seconds_per_pixel: float = 0.0,
    held: int = 0,
) -> Estimate:
    """Return what the work takes.

    tilings: of each pass of the network. bytes_per_pixel, seconds_per_pixel: of the network, for
    each LR pixel of a tile. held: bytes that the process holds before.
    """
    final = work.size.width * work.size.height * work.channels
    written = final * work.value_bytes * work.frames
    seconds = final * work.frames * (FINISHING + work.encoding)
    memory, largest_tile = held + FILES, 0
    height, width = work.height, work.width
    for tiling in tilings:
        read = _pixels_read(tiling, height, width)
        seconds += read * work.runs * work.frames * seconds_per_pixel
        memory += rows_needed(tiling, width, work.channels, scale)
        tile = tile_needed(tiling, width, work.channels, scale, bytes_per_pixel)
        largest_tile = max(largest_tile, tile)
        height, width = height * scale, width * scale
    if (width, height) != (work.size.width, work.size.height):
        memory += _resampling(work, width)
        seconds += height * width * work.channels * work.frames * RESAMPLING
    memory += largest_tile
    if work.whole:
        pixels = work.size.width * work.size.height * work.frames
        memory += written + pixels * work.encoder
    return Estimate(seconds, memory, written // (LOSSY if work.lossy else 1))


def work_for(opened: Opened, size: SizePlan, target: Path, save: SaveSettings) -> Work:
    """Return what is to be done to an open picture to write it to `target`."""
    form = format_of(target)
    channels = opened.colours + opened.alpha
    value_bytes = (save.bits or opened.bits) // 8
    return Work(
        height=opened.height,
        width=opened.width,
        channels=channels,
        runs=(1 if opened.colours == 3 else opened.colours) + opened.alpha,
        frames=opened.frames,
        size=size,
        value_bytes=value_bytes,
        lossy=form.quality is not None,
        whole=form.held > 0 or (opened.frames > 1 and form.name != "TIFF"),
        encoder=max(0, form.held - channels * value_bytes),
        encoding=form.encoding,
    )


def estimate_for(
    upscaler: Upscaler, work: Work, *, seconds_per_pixel: float | None = None
) -> Estimate:
    """Return what the work takes on this machine, without other pictures beside it.

    seconds_per_pixel: as `timed` gives it; None leaves the network's time out.
    """
    tilings = []
    height, width = work.height, work.width
    for _ in range(work.size.passes):
        tilings.append(upscaler.tiling(height, width, work.channels))
        height, width = height * upscaler.scale, width * upscaler.scale
    return estimate(
        work,
        tilings,
        scale=upscaler.scale,
        bytes_per_pixel=upscaler.bytes_per_pixel,
        seconds_per_pixel=seconds_per_pixel or 0.0,
        held=upscaler.held,
    )


def timed(upscaler: Upscaler, height: int, width: int) -> float:
    """Return the seconds that the network takes for each LR pixel of a tile, tried here and now.

    The tile is as large as those of a picture of (height, width) if that takes a second at most:
    speed depends on it. It is tried twice: memory that the first one fetches is there for the rest.
    """
    tiling = upscaler.tiling(height, width)
    around = 2 * tiling.overlap
    sides = (min(height, tiling.rows + around), min(width, tiling.columns + around))
    small = (min(sides[0], 64), min(sides[1], 64))
    _seconds(upscaler, small)  # what is done once alone
    found = _seconds(upscaler, small) / (small[0] * small[1])
    if small != sides and found * sides[0] * sides[1] <= LONGEST_TRIAL:
        _seconds(upscaler, sides)
        found = _seconds(upscaler, sides) / (sides[0] * sides[1])
    return found


def refuse_what_cannot_fit(found: Estimate, target: Path, memory: int) -> None:
    """Raise WontFit where the work needs more than `memory` bytes, or than the target's disk has.

    Both numbers err towards too much; so a user may go on all the same.
    """
    if found.memory > memory:
        raise WontFit(
            f"{target} needs about {human(found.memory)} of memory, and {human(memory)} may be "
            f"used: give --memory {_asked(found.memory)}, ask for a smaller size, write a .tif, or "
            f"pass --yes to try."
        )
    free = free_disk(target)
    if found.disk > free:
        raise WontFit(
            f"{target} takes up to {human(found.disk)}, and its disk has {human(free)} left: make "
            f"room, give another --output, write a .jpg, or pass --yes to try."
        )


def free_disk(target: Path) -> int:
    """Return the bytes that are left where a file is to be, also if its folder is not there yet."""
    return shutil.disk_usage(_there(target.parent)).free


def duration(seconds: float) -> str:
    """Return seconds as people say them: 40 s, 12 min, 3.5 h, 2 days."""
    for limit, length, unit, digits in (
        (99.5, 1, "s", 0),
        (99.5 * 60, 60, "min", 0),
        (48 * 3600, 3600, "h", 1),
    ):
        if seconds < limit:
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds / 86400:.0f} days"


def _pixels_read(tiling: Tiling, height: int, width: int) -> int:
    rows = spans(height, tiling.rows, tiling.overlap)
    columns = spans(width, tiling.columns, tiling.overlap)
    return _read(rows) * _read(columns)


def _read(axis: Sequence[Span]) -> int:
    return sum(span.read.stop - span.read.start for span in axis)


def _resampling(work: Work, width: int) -> int:
    """Return the bytes of the rows from which a block of the final size is made, in float64."""
    shrunk = max(1.0, width / work.size.width)
    rows: float = (BLOCK_ROWS + 8) * shrunk
    return round(rows * work.channels * (width * 12 + work.size.width * 16))


def _seconds(upscaler: Upscaler, size: tuple[int, int]) -> float:
    picture = np.linspace(0, 1, size[0] * size[1] * 3, dtype=np.float32).reshape(*size, 3)
    start = time.perf_counter()
    upscaler.enlarge(picture)
    return time.perf_counter() - start


def _asked(size: int) -> str:
    return f"{-(-size // 10**6)}M"


def _there(folder: Path) -> Path:
    """Return the folder, or the first above it that exists."""
    return next((path for path in (folder, *folder.parents) if path.exists()), Path())
