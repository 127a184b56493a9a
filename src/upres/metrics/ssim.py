"""Structural similarity in the dialect of Wang et al.'s own code, which MATLAB and BasicSR share.

Other toolboxes differ in window, edge and constants, up to 0.01: never compare across dialects
(`metrics.ssim_dialects` has the others).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

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
    return likeness(moments(sr.double(), hr.double(), gaussian(WINDOW)), peak).mean(dim=(1, 2, 3))


@dataclass(frozen=True, eq=False)
class Moments:
    """What SSIM knows of the two pictures within each window: maps of one shape."""

    mean_x: Tensor
    mean_y: Tensor
    variances: Tensor  # of x and of y, added
    covariance: Tensor


def moments(
    x: Float64[Tensor, "n c h w"],
    y: Float64[Tensor, "n c h w"],
    window: Sequence[float],
    *,
    bias: float = 1.0,
) -> Moments:
    """Return the moments under each window that lies fully inside, (n, c, h', w').

    window: weights along one side of a square, window, of sum 1.
    bias: factor of variances and covariance; pixels / (pixels - 1) for a sample's.
    Raises ValueError if a side is shorter than the window.
    """
    if min(x.shape[-2:]) < len(window):
        raise ValueError(f"SSIM needs {len(window)} pixels a side, not {tuple(x.shape[-2:])}")
    return moments_of((windowed(values, window) for values in products(x, y)), bias=bias)


def products(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Yield x, y, x^2, y^2 and xy: what a window averages. One at a time: pictures are large."""
    yield x
    yield y
    yield x * x
    yield y * y
    yield x * y


def moments_of(averages: Iterable[Tensor], *, bias: float = 1.0) -> Moments:
    """Return the moments, given the averages of `products` under each window."""
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = averages
    # in this order equal pictures have twice the covariance to the last bit, so that SSIM is 1
    variances = (mean_xx - mean_x.square()) + (mean_yy - mean_y.square())
    return Moments(mean_x, mean_y, bias * variances, bias * (mean_xy - mean_x * mean_y))


def likeness(of: Moments, peak: float) -> Tensor:
    """Return the map of SSIM: likeness of means times that of contrast and structure."""
    c1 = (0.01 * peak) ** 2
    means = (2 * of.mean_x * of.mean_y + c1) / (of.mean_x.square() + of.mean_y.square() + c1)
    return means * contrast_and_structure(of, peak)


def contrast_and_structure(of: Moments, peak: float) -> Tensor:
    """Return the map of SSIM without its first factor, the means."""
    c2 = (0.03 * peak) ** 2
    return (2 * of.covariance + c2) / (of.variances + c2)


def gaussian(width: int, sigma: float = SIGMA) -> list[float]:
    """Return `width` weights of sum 1 around the middle one."""
    weights = [math.exp(-((i - width // 2) ** 2) / (2 * sigma**2)) for i in range(width)]
    return [weight / math.fsum(weights) for weight in weights]


def windowed(maps: Float64[Tensor, "*maps h w"], window: Sequence[float]) -> Tensor:
    """Return the weighted sums of (..., h, w) under the windows that lie fully inside.

    Shifted slices are added: torch's convolution of float64 takes six times as long on a CPU.
    """
    for side in (-2, -1):
        length = maps.shape[side] - len(window) + 1
        total = torch.zeros_like(maps.narrow(side, 0, length))
        for shift, weight in enumerate(window):
            total.add_(maps.narrow(side, shift, length), alpha=weight)
        maps = total
    return maps
