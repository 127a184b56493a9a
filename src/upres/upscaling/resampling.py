"""A stream brought to any size by a fixed kernel, in float: the last step before rounding."""

from collections.abc import Iterator

import numpy as np

from upres.images.resize import Kernel, along_columns, taps_for
from upres.upscaling.streams import Floats, RowWindow, Stream

ROWS = 64  # of the result at a time


def resampled(stream: Stream, height: int, width: int, kernel: Kernel = "bicubic") -> Stream:
    """Return the stream at (height, width) by MATLAB's antialiased kernel, not clamped.

    Computed in float64, a block of rows at a time. Raises ValueError for `nearest`.
    """
    if (height, width) == (stream.height, stream.width):
        return stream
    return Stream(height, width, stream.channels, _blocks(stream, height, width, kernel))


def _blocks(stream: Stream, height: int, width: int, kernel: Kernel) -> Iterator[Floats]:
    rows = taps_for(stream.height, height, kernel, "matlab")
    columns = taps_for(stream.width, width, kernel, "matlab")
    window = RowWindow(stream)
    for top in range(0, height, ROWS):
        positions, weights = rows.positions[top : top + ROWS], rows.weights[top : top + ROWS]
        first, last = int(rows.positions[top:].min()), int(positions.max()) + 1
        source = window.read(first, last)  # also what later blocks still need
        narrow = along_columns(source.astype(np.float64), columns)
        block = np.zeros((len(weights), *narrow.shape[1:]))
        for tap in range(weights.shape[1]):
            block += narrow[positions[:, tap] - first] * weights[:, tap, None, None]
        yield block.astype(np.float32)
