"""SSIM at five sizes of the picture (Wang, Simoncelli and Bovik 2003)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from torch import Tensor

from upres.metrics.psnr import inner
from upres.metrics.ssim import WINDOW, contrast_and_structure, gaussian, likeness, moments

SHARES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents, from the finest size on
LEAST_SIDE = WINDOW * 2 ** (len(SHARES) - 1)  # pixels


def ms_ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return the MS-SSIM index of each image, 0..1; equal pictures reach 1.

    The mean likeness of contrast and structure at each size, at the coarsest also that of means,
    each to the power of its share, multiplied. A mean below 0, which has no such power, counts
    as 0. Each size is the one before, averaged over 2x2 pixels; where a side is odd its last
    pixel counts twice.

    sr, hr: values 0..peak; computed in float64, a channel at a time, then averaged.
    border: HR pixels left out on each side first.
    Raises ValueError if the shapes differ or less than 176 pixels a side are left.
    Source: `msssim.m` of the authors, by products; the windows of `metrics.ssim`.
    """
    sr, hr = inner(sr, hr, border)
    if min(hr.shape[-2:]) < LEAST_SIDE:
        raise ValueError(f"MS-SSIM needs {LEAST_SIDE} pixels a side, not {tuple(hr.shape[-2:])}")
    x, y, window = sr.double(), hr.double(), gaussian(WINDOW)
    index = torch.ones(x.shape[:2], dtype=x.dtype, device=x.device)
    for share in SHARES[:-1]:
        values = contrast_and_structure(moments(x, y, window), peak)
        index = index * values.mean(dim=(2, 3)).clamp(min=0) ** share
        x, y = _halved(x), _halved(y)
    coarsest = likeness(moments(x, y, window), peak).mean(dim=(2, 3)).clamp(min=0)
    return (index * coarsest ** SHARES[-1]).mean(dim=1)


def _halved(planes: Tensor) -> Tensor:
    """Return means of 2x2 pixels, (n, c, ceil(h / 2), ceil(w / 2))."""
    height, width = planes.shape[-2:]
    even = F.pad(planes, (0, width % 2, 0, height % 2), mode="replicate")
    return F.avg_pool2d(even, 2)
