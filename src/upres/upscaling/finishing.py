"""What is done to a tile after the network: pure functions of what went in and what came out.

All take LR (h, w, 3) and SR (scale*h, scale*w, 3), float32, 0..1 for the full range, SR not
clamped, and return SR. How many LR pixels around a pixel each looks at stands beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from upres.images.resize import resize_float
from upres.upscaling.streams import Floats


@dataclass(frozen=True)
class Finish:
    """A change of what the network gave for a tile.

    reach: LR pixels that it looks around. of_sr: what it sees there is also SR, not LR alone.
    """

    change: Callable[[Floats, Floats], Floats]
    reach: int
    of_sr: bool = False


PURE_REACH = 2  # LR px around a pixel that must all be white, or black, for it to stay exactly so
COLOUR_REACH = 24  # LR px: three deviations of the blur
COLOUR_SIGMA = 8.0  # LR px
CONSISTENT_STEPS = 8
CONSISTENT_GAIN = 1.6  # over-relaxed: on noise, the worst, 1.4 levels are left by 1 and 0.25 by it
CONSISTENT_REACH = 8 * CONSISTENT_STEPS  # LR px: each step shrinks and enlarges by bicubic
PLAIN_REACH = 4  # LR px of a bicubic enlargement


def finishes_for(
    *, strength: float = 1.0, back_project: bool = False, keep_colour: bool = False
) -> tuple[Finish, ...]:
    """Return what is done to each tile, in this order; pure white and black are always kept."""
    finishes = []
    if strength != 1:
        finishes.append(Finish(partial(weakened, strength=strength), PLAIN_REACH))
    if back_project:
        finishes.append(Finish(consistent, CONSISTENT_REACH, of_sr=True))
    if keep_colour:
        finishes.append(Finish(colour_kept, COLOUR_REACH, of_sr=True))
    return (*finishes, Finish(pure_kept, PURE_REACH))


def overlap_for(radius: int, finishes: Sequence[Finish], *, exact: bool) -> int:
    """Return the LR pixels of surroundings that a tile needs.

    radius: what the network sees around a pixel. exact: also what a finish sees of SR has to be
    that of the whole picture. Otherwise such SR may itself be seen from the edge of the tile: it
    is smoothed there, which changes less than rounding does.
    """
    reaches = [finish.reach for finish in finishes]
    if not exact:
        return max([radius, *reaches])
    return max([radius + sum(f.reach for f in finishes if f.of_sr), *reaches])


def pure_kept(lr: Floats, sr: Floats) -> Floats:
    """Return SR in which places whose surroundings are all white, or all black, are exactly so."""
    (height, width), scale = lr.shape[:2], sr.shape[0] // lr.shape[0]
    kept = sr
    for value in (np.float32(0), np.float32(1)):
        red, green, blue = (lr[..., channel] == value for channel in range(3))
        rows, columns = np.nonzero(_all_around(red & green & blue, PURE_REACH))
        if len(rows):
            kept = sr.copy(order="K") if kept is sr else kept
            kept.reshape(height, scale, width, scale, 3)[rows, :, columns] = value
    return kept


def colour_kept(lr: Floats, sr: Floats) -> Floats:
    """Return SR whose low frequencies are those of LR: no shift of mean colour.

    What SR, averaged over each LR pixel, lacks of LR is blurred (Gaussian, 8 LR pixels) and added.
    """
    (height, width), scale = lr.shape[:2], sr.shape[0] // lr.shape[0]
    averaged = sr.reshape(height, scale, width, scale, 3).mean(axis=(1, 3))
    lacking = torch.from_numpy(_blurred(lr - averaged)).permute(2, 0, 1)[None]
    smooth: Floats = (
        F.interpolate(lacking, sr.shape[:2], mode="bilinear")[0].permute(1, 2, 0).numpy()
    )
    return sr + smooth


def consistent(lr: Floats, sr: Floats) -> Floats:
    """Return SR that, shrunk by MATLAB's bicubic, is LR (nearly): iterated back-projection.

    Source: Irani and Peleg 1991, with the bicubic enlargement as the back-projecting kernel.
    """
    for _ in range(CONSISTENT_STEPS):
        # what cannot be shown must not make up for what can
        sr = sr.clip(0, 1)
        sr = sr + np.float32(CONSISTENT_GAIN) * _enlarged(lr - _shrunk(sr, lr), sr)
    return sr


def weakened(lr: Floats, sr: Floats, strength: float) -> Floats:
    """Return SR blended with the bicubic enlargement of LR: 1 is SR, 0 invents nothing."""
    plain = _enlarged(lr, sr)
    return plain + np.float32(strength) * (sr - plain)


def _shrunk(sr: Floats, lr: Floats) -> Floats:
    return resize_float(sr.astype(np.float64), lr.shape[0], lr.shape[1], "matlab").astype(
        np.float32
    )


def _enlarged(lr: Floats, sr: Floats) -> Floats:
    return resize_float(lr.astype(np.float64), sr.shape[0], sr.shape[1], "matlab").astype(
        np.float32
    )


def _blurred(picture: Floats) -> Floats:
    """Return the Gaussian mean around each pixel; outside, the edge goes on."""
    offsets = torch.arange(-COLOUR_REACH, COLOUR_REACH + 1, dtype=torch.float32)
    weights = torch.exp(-offsets.square() / (2 * COLOUR_SIGMA**2))
    weights = weights / weights.sum()
    planes = torch.from_numpy(picture).permute(2, 0, 1)[:, None]
    planes = F.pad(planes, (COLOUR_REACH,) * 4, mode="replicate")
    planes = F.conv2d(F.conv2d(planes, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    blurred: Floats = planes[:, 0].permute(1, 2, 0).numpy()
    return blurred


def _all_around(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return where the mask is true in all of the square of `reach` around."""
    height, width = mask.shape
    padded = np.pad(mask, reach, mode="edge")
    spans = range(2 * reach + 1)
    rows = np.logical_and.reduce([padded[start : start + height] for start in spans])
    whole: NDArray[np.bool_] = np.logical_and.reduce(
        [rows[:, start : start + width] for start in spans]
    )
    return whole
