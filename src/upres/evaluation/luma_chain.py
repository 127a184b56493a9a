"""The chain of old tables: luma alone is shrunk and enlarged, and the LR is never rounded."""

import numpy as np
from numpy.typing import NDArray

from upres.evaluation.protocols import Protocol
from upres.images import colour
from upres.images.resize import Kernel, Resizer, resize_float

DARKEST, BRIGHTEST = 16, 235  # of BT.601 studio luma


def enlarged_luma(
    hr: NDArray[np.uint8], protocol: Protocol, *, scale: int, kernel: Kernel, grey: bool
) -> NDArray[np.uint8]:
    """Return the 8-bit luma (h, w) of HR (h, w, 3), shrunk by `scale` and enlarged again.

    hr: sides multiples of `scale`. grey: its value is taken, not squeezed into 16..235.
    Source: SRCNN's code; with the protocol's `y_clamped` the row of VDSR's tables.
    """
    luma = colour.luma(colour.grey(hr) if grey else hr, rounded=True)
    height, width = luma.shape
    resizer: Resizer = "matlab"
    lr = resize_float(luma, height // scale, width // scale, resizer)
    if kernel == "nearest":
        enlarged = lr.repeat(scale, axis=0).repeat(scale, axis=1)
    else:
        enlarged = resize_float(lr, height, width, resizer, kernel)
    low, high = (DARKEST, BRIGHTEST) if protocol.y_clamped else (0, 255)
    return np.floor(enlarged.clip(low, high) + 0.5).astype(np.uint8)
