"""Structural similarity in the dialect of Wang et al.'s own code, which MATLAB and BasicSR share.

Other toolboxes differ in window, edge and constants, up to 0.01: never compare across dialects.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional as F

from upres.metrics.psnr import inner

WINDOW = 11  # pixels
SIGMA = 1.5


def ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return the SSIM index of each image, at most 1, which equal pictures reach.

    sr, hr: values 0..peak; computed in float64, a channel at a time, then averaged.
    border: HR pixels left out on each side before the windows, which lie fully inside.
    Raises ValueError if the shapes differ or less than one window is left.
    Source: Wang et al. 2004, `ssim_index.m`: Gaussian window 11x11 with sigma 1.5, K = .01, .03,
    variances without bias correction.
    """
    sr, hr = inner(sr, hr, border)
    if min(hr.shape[-2:]) < WINDOW:
        raise ValueError(f"SSIM needs {WINDOW} pixels a side, not {tuple(hr.shape[-2:])}")
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    x, y = sr.double(), hr.double()
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = _windowed(torch.stack([x, y, x * x, y * y, x * y]))
    product, squares = mean_x * mean_y, mean_x.square() + mean_y.square()
    likeness = (2 * product + c1) * (2 * (mean_xy - product) + c2)
    bound = (squares + c1) * (mean_xx + mean_yy - squares + c2)
    index: Tensor = likeness / bound
    return index.mean(dim=(1, 2, 3))


def _windowed(maps: Tensor) -> Tensor:
    """Return the Gaussian means of (..., h, w) over the windows that lie fully inside."""
    distance = torch.arange(WINDOW, dtype=maps.dtype, device=maps.device) - WINDOW // 2
    window = torch.exp(-distance.square() / (2 * SIGMA**2))
    window = window / window.sum()
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    flat = F.conv2d(flat, window.view(1, 1, -1, 1))
    flat = F.conv2d(flat, window.view(1, 1, 1, -1))
    return flat.reshape(*maps.shape[:-2], *flat.shape[-2:])
