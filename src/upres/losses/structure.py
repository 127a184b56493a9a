"""How far two pictures are from the same structure: 1 - SSIM and 1 - MS-SSIM.

In Wang's dialect, as `metrics.ssim` has it: Gaussian window 11x11 with sigma 1.5, fully inside of
the picture, K = .01 and .03, variances without bias correction; a colour at a time, then averaged.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from upres.losses.exact import exact

StructureForm = Literal["ssim", "ms-ssim"]

WINDOW = 11  # pixels
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2  # pictures have a peak of 1
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest first
LEAST_INDEX = 1e-4  # that a scale counts with in the product of scales


def ssim(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return 1 - SSIM: 0 for equal pictures, 1 for unlike ones, up to 2 for opposite ones.

    sr, hr: 0..1, at least 11 pixels a side.
    Raises ValueError if they are smaller, or of different shapes.
    Source: Wang et al. 2004 equation 13.
    """
    _check(sr, hr, "ssim")
    luminance, contrast = _indexes(exact(sr), exact(hr))
    return 1 - (luminance * contrast).mean(dim=(1, 2, 3))


def ms_ssim(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return 1 - MS-SSIM: 0 for equal pictures, nearly 1 for unlike ones.

    sr, hr: 0..1, at least 161 pixels a side, which leave a window of 11 at the fifth scale.
    Each scale is half of the one before: the mean of 2x2 pixels (of what is left at an odd edge,
    as in Wang's `msssim.m`; others fill up with zeros there).
    A scale whose index is below 1e-4 counts as 1e-4, since a negative index has no such power.
    Others cut at 0, which makes the whole product 0: a picture with one such scale then has no
    gradient at all, and one just above has a slope without bound.
    Raises ValueError if the pictures are smaller, or of different shapes.
    Source: Wang et al. 2003 equation 7, with its five weights.
    """
    _check(sr, hr, "ms-ssim")
    sr, hr = exact(sr), exact(hr)
    index = sr.new_ones(sr.shape[:2])
    last = len(SCALE_WEIGHTS) - 1
    for scale, weight in enumerate(SCALE_WEIGHTS):
        luminance, contrast = _indexes(sr, hr)
        found = luminance * contrast if scale == last else contrast
        index = index * found.mean(dim=(2, 3)).clamp(min=LEAST_INDEX) ** weight
        if scale < last:
            sr, hr = (F.avg_pool2d(picture, 2, ceil_mode=True) for picture in (sr, hr))
    return 1 - index.mean(dim=1)


STRUCTURE_LOSSES: Mapping[StructureForm, Callable[[Tensor, Tensor], Tensor]] = {
    "ssim": ssim,
    "ms-ssim": ms_ssim,
}

LEAST_SIDES: Mapping[StructureForm, int] = {
    "ssim": WINDOW,
    "ms-ssim": (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1,
}


def _indexes(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maps of luminance and of contrast times structure, each (n, c, h - 10, w - 10)."""
    maps = torch.stack([x, y, x * x, y * y, x * y])
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = _along(_along(maps, -2), -1)
    product, squares = mean_x * mean_y, mean_x.square() + mean_y.square()
    luminance = (2 * product + C1) / (squares + C1)
    contrast = (2 * (mean_xy - product) + C2) / (mean_xx + mean_yy - squares + C2)
    return luminance, contrast


def _along(maps: Tensor, dim: int) -> Tensor:
    """Return the Gaussian means along one axis over the windows that lie fully inside.

    A sum of shifted maps, since a convolution may be done in fewer bits (autocast, TF32), in which
    a variance, the small difference of a mean square and a squared mean, is lost.
    """
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-offsets.square() / (2 * SIGMA**2))
    weights: list[float] = (window / window.sum()).tolist()
    length = maps.shape[dim] - WINDOW + 1
    means = weights[0] * maps.narrow(dim, 0, length)
    for start, weight in enumerate(weights[1:], start=1):
        means = torch.add(means, maps.narrow(dim, start, length), alpha=weight)
    return means


def _check(sr: Tensor, hr: Tensor, form: StructureForm) -> None:
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    height, width = hr.shape[-2:]
    least = LEAST_SIDES[form]
    if min(height, width) < least:
        raise ValueError(f"{form} needs pictures of {least} pixels a side, not {width}x{height}")
