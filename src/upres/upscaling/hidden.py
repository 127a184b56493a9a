"""Colours that are hidden by alpha, replaced by what is visible around them.

A picture may have any colour where it is transparent. A network would draw it over the edge, and
the black of premultiplied colours likewise: it sharpens the step, and the division by alpha shows
what it made of it. Where the colours go on as if nothing were hidden, there is no step.
"""

import numpy as np
import torch.nn.functional as F
from torch import from_numpy

from upres.upscaling.streams import Floats

# LR pixels around a hidden one that are asked for its colour, and how much is given to each ring
# beside what the pixel knows itself: a nearer one that knows anything outweighs the farther ones.
RINGS = ((1, 1e-2), (2, 1e-4), (4, 1e-6), (8, 1e-8), (16, 1e-10))
REACH = RINGS[-1][0]


def spread(colours: Floats, alpha: Floats) -> Floats:
    """Return the colours (h, w, c), those that alpha (h, w, 1) hides being their neighbours'.

    Where alpha is 1 they are what they were; where it is small, own and neighbours' are mixed,
    each weighted by its alpha; where nothing is visible within REACH, 0.
    """
    known = np.concatenate([colours * alpha, alpha], axis=2)
    around = sum(np.float32(trust) * _mean_around(known, reach) for reach, trust in RINGS)
    total = known + (1 - alpha) * around
    weight = total[..., -1:]
    none = weight == 0
    spread: Floats = np.where(none, 0, total[..., :-1] / np.where(none, 1, weight))
    return spread.astype(np.float32)


def _mean_around(values: Floats, reach: int) -> Floats:
    """Return the sums over squares of 2 reach + 1 a side, by their area; beyond the edges is 0."""
    side = 2 * reach + 1
    planes = from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
    rows = F.avg_pool2d(planes, (side, 1), 1, (reach, 0))
    mean: Floats = F.avg_pool2d(rows, (1, side), 1, (0, reach)).numpy().transpose(1, 2, 0)
    return mean
