"""Tiles laid beside each other; where two hold the same pixels, one fades into the other.

A tile knows least at its edge. There its weight goes to nothing, so what it lacks makes no step.
"""

import numpy as np

from upres.upscaling.streams import Floats


def lay(canvas: Floats, piece: Floats, start: int, painted: int, axis: int) -> None:
    """Paint `piece` onto `canvas` from `start` along `axis` (0: rows, 1: columns).

    Up to `painted` the canvas holds the neighbour's pixels: those fade into the piece's.
    """
    faded = painted - start
    stop = start + piece.shape[axis]
    if faded > 0:
        shared = _part(canvas, start, painted, axis)
        shared[...] = crossed(shared, _part(piece, 0, faded, axis), axis)
    _part(canvas, painted, stop, axis)[...] = _part(piece, faded, piece.shape[axis], axis)


def crossed(old: Floats, new: Floats, axis: int) -> Floats:
    """Return what begins as `old` and ends as `new` along `axis`; equal values stay exactly so."""
    count = old.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = count
    weights = ((np.arange(count, dtype=np.float32) + 0.5) / np.float32(count)).reshape(shape)
    faded: Floats = old + weights * (new - old)
    return faded


def _part(picture: Floats, start: int, stop: int, axis: int) -> Floats:
    return picture[start:stop] if axis == 0 else picture[:, start:stop]
