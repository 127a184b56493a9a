"""What a validation shows of a crop: LR, bicubic, SR and HR side by side."""

import numpy as np

from upres.images.resize import enlarge
from upres.tracking.tracker import Pixels

_GAP = 4  # white pixels between two pictures


def strip(lr: Pixels, sr: Pixels, hr: Pixels) -> Pixels:
    """Return LR (its pixels as squares), bicubic, SR and HR in one picture, left to right.

    sr, hr: (h, w, 3); lr: as many times smaller as the scale says. Raises ValueError where the
    sizes do not fit.
    """
    scale = hr.shape[0] // lr.shape[0]
    if sr.shape != hr.shape or (lr.shape[0] * scale, lr.shape[1] * scale) != hr.shape[:2]:
        raise ValueError(f"lr is {lr.shape}, sr is {sr.shape} and hr is {hr.shape}")
    gap = np.full((hr.shape[0], _GAP, 3), 255, np.uint8)
    squares, bicubic = enlarge(lr, scale, "nearest"), enlarge(lr, scale, "bicubic")
    return np.concatenate([squares, gap, bicubic, gap, sr, gap, hr], axis=1)
