"""The luma that super-resolution tables compare: MATLAB's `rgb2ycbcr` (BT.601, studio swing)."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32] | NDArray[np.float64]

_OFFSET = 16.0
# Whole numbers, divided once by 255,000: sums of 8-bit pixels are exact, and so are their halves,
# which floats would round up or down as it happens
_WEIGHTS = np.array([65481.0, 128553.0, 24966.0])
_FULL = 255_000


def luma(rgb: Pixels, rounded: bool) -> NDArray[np.float64]:
    """Return Y, shape (H, W), 16..235, of `rgb` (H, W, 3) with values 0..255.

    rounded: to whole numbers, half up, as MATLAB does for 8-bit pictures.
    A grey picture (H, W) is its own luma, not squeezed into 16..235: squeezing makes errors 1.3 dB
    smaller.
    """
    y = rgb.astype(np.float64) if rgb.ndim == 2 else _OFFSET + _weighted(rgb, _FULL)
    return np.floor(y + 0.5) if rounded else y


def grey(rgb: Pixels) -> NDArray[np.float64]:
    """Return the grey value, shape (H, W), 0..255, of `rgb`: luma on the full range.

    Equal channels return themselves, so it turns a grey picture that became RGB back.
    """
    return _weighted(rgb, _WEIGHTS.sum())


def _weighted(rgb: Pixels, total: float) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = rgb.astype(np.float64) @ _WEIGHTS / total
    return sums
