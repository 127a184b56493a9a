"""What a model's tiles are off by, how fast it is, what memory it takes: measured here and now."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch

from upres.upscaling.bands import EnlargeTile, enlarged
from upres.upscaling.memory import resident
from upres.upscaling.precision import ComputePrecision
from upres.upscaling.streams import Floats, array_stream, collected
from upres.upscaling.tile_network import TileNetwork
from upres.upscaling.tiles import Tiling
from upres.upscaling.tiling import context_of, tile_needed

SIDE: Final = 256  # LR px of the picture that is looked at, and of the largest tile that is timed
SEAM_ROWS: Final = 64  # LR px of it are enough for a seam, which stands in the middle of its width
OVERLAPS: Final = (0, 32, 16, 64, 8, 48, 24, 80, 4, 12, 96)  # the most telling first
SMALLEST: Final = 64  # LR px of the tile that is timed where the network is slow
SHORT: Final = 0.5  # seconds: a quicker tile is timed again


@dataclass(frozen=True)
class Seam:
    """What a picture in two tiles is off by, against the whole one, in levels of 255, float32."""

    overlap: int
    blend: int
    largest: float
    mean: float  # of the pixels within 16 LR px of the seam


@dataclass(frozen=True)
class Speed:
    """A network on one tile: LR pixels a second; bytes for each of them, counted and measured.

    side: LR px of the tile. largest: levels of 255 that the result differs from float32's by.
    """

    side: int
    precision: ComputePrecision
    backend: str
    pixels_per_second: float
    counted: float
    measured: float | None
    largest: float


def seams(
    enlarge: EnlargeTile,
    scale: int,
    radius: int,
    picture: Floats,
    *,
    seconds: float = math.inf,
) -> Iterator[Seam]:
    """Yield the seams of the overlaps that are used, and of others up to the radius, sorted.

    enlarge: a tile (h, w, 3) to (scale*h, scale*w, 3), in float32. picture: (h, w, 3), 0..1, wider
    than two of the largest overlap. seconds: what the others may take, by the time that the whole
    picture took.
    """
    whole, once = _timed(lambda: enlarge(picture))
    used = {context_of(radius), context_of(radius, exact=True)}
    tried = list(used)
    for overlap in (overlap for overlap in OVERLAPS if overlap < radius):
        seconds -= once * (1 + 2 * overlap / picture.shape[1])
        if seconds >= 0:
            tried.append((overlap, 0))
    for overlap, blend in sorted(tried):
        yield _seam(enlarge, scale, picture, whole, overlap, blend)


def _seam(
    enlarge: EnlargeTile, scale: int, picture: Floats, whole: Floats, overlap: int, blend: int
) -> Seam:
    height, width = picture.shape[:2]
    tiling = Tiling(height, width // 2, overlap, blend)
    tiled = collected(enlarged(array_stream(picture), enlarge, scale=scale, tiling=tiling))
    off = np.abs(tiled - whole) * 255
    near = slice((width // 2 - 16) * scale, (width // 2 + 16) * scale)
    return Seam(overlap, blend, float(off.max()), float(off[:, near].mean()))


def speed(
    network: TileNetwork, picture: Floats, reference: Floats | None = None, backend: str = "torch"
) -> tuple[Speed, Floats]:
    """Return how fast the network is on a tile, what memory it takes meanwhile, and what it gives.

    picture: (h, w, 3), square. reference: what float32 gives for it.
    """
    network(picture[:32, :32])  # what is done once alone
    before = _reset_highest()
    sr, seconds = _timed(lambda: network(picture))
    highest = _highest()
    if seconds < SHORT:
        seconds = min(seconds, *(_timed(lambda: network(picture))[1] for _ in range(3)))
    side, scale = picture.shape[0], sr.shape[0] // picture.shape[0]
    pixels = side * side
    found = Speed(
        side=side,
        precision=network.precision,
        backend=backend,
        pixels_per_second=pixels / seconds,
        counted=tile_needed(Tiling(side, side, 0), side, 3, scale, network.bytes_per_pixel)
        / pixels,
        measured=(highest - before) / pixels if before and highest else None,
        largest=0.0 if reference is None else float(np.abs(sr - reference).max() * 255),
    )
    return found, sr


def tile_within(network: TileNetwork, picture: Floats, seconds: float) -> Floats:
    """Return the largest tile of the picture that takes `seconds` at most: 64 px, 128 and so on."""
    side = min(SMALLEST, picture.shape[0])
    while side < picture.shape[0]:
        if 4 * _timed(partial(network, picture[:side, :side]))[1] > seconds:
            break
        side *= 2
    return picture[:side, :side]


def sample_picture(height: int, width: int, seed: int = 0) -> Floats:
    """Return a picture (h, w, 3) of smooth ground, edges at all angles and grain, 0..1."""
    draw = np.random.default_rng(seed)
    down, right = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.zeros((height, width, 3), np.float32)
    for _ in range(24):
        angle, period = draw.uniform(0, np.pi), np.exp(draw.uniform(np.log(3), np.log(80)))
        wave = np.sin((down * np.sin(angle) + right * np.cos(angle)) * 2 * np.pi / period)
        edges = np.where(draw.random() < 0.5, np.sign(wave), wave)
        picture += (edges * period**0.5)[..., None] * draw.normal(1, 0.3, 3).astype(np.float32)
    picture = 0.5 + 0.16 * picture / picture.std() + draw.normal(0, 0.01, picture.shape)
    clipped: Floats = picture.clip(0, 1).astype(np.float32)
    return clipped


def _timed(work: Callable[[], Floats]) -> tuple[Floats, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def _reset_highest() -> int:
    """Forget the highest memory so far; return what is held now, 0 where that cannot be done."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return int(torch.cuda.memory_allocated()) or 1
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return 0
    return resident()


def _highest() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0]) * 1024 if lines else 0
