"""SSIM as other toolboxes compute it, so that their tables can be met and told apart.

The same two pictures differ between dialects by up to 0.01, in SRGAN's by more: a value belongs
to its dialect. All have the constants of Wang et al. 2004, K = .01 and .03.
"""

import math
from collections.abc import Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from torch import Tensor

from upres.metrics.psnr import inner
from upres.metrics.ssim import (
    WINDOW,
    gaussian,
    likeness,
    moments,
    moments_of,
    products,
    ssim,
    windowed,
)

BOX = 7  # pixels, scikit-image's window
DAALA_WEIGHT = 256  # the sum of daala's whole-numbered window along a side


class SSIM(Protocol):
    """Any of the dialects: pictures (n c h w) of values 0..peak -> (n)."""

    def __call__(self, sr: Tensor, hr: Tensor, *, border: int, peak: float = 255.0) -> Tensor: ...


def scikit_image_ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return SSIM as `skimage.metrics.structural_similarity` has it by default.

    Windows of 7x7 equal weights, fully inside; variances as of a sample (times 49 / 48).
    Arguments, range and errors as `metrics.ssim.ssim`.
    """
    sr, hr = inner(sr, hr, border)
    pixels = BOX**2
    seen = moments(sr.double(), hr.double(), [1 / BOX] * BOX, bias=pixels / (pixels - 1))
    return likeness(seen, peak).mean(dim=(1, 2, 3))


def scikit_image_gaussian_ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return SSIM as scikit-image has it with `gaussian_weights=True` and nothing else.

    Wang's window, but variances as of a sample (times 121 / 120).
    Arguments, range and errors as `metrics.ssim.ssim`.
    """
    sr, hr = inner(sr, hr, border)
    pixels = WINDOW**2
    seen = moments(sr.double(), hr.double(), gaussian(WINDOW), bias=pixels / (pixels - 1))
    return likeness(seen, peak).mean(dim=(1, 2, 3))


def torchmetrics_ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return SSIM as torchmetrics 1.9 has it with `data_range=peak`.

    Wang's window around every pixel: the picture is continued by its mirror image.
    Arguments, range and errors as `metrics.ssim.ssim`.
    """
    sr, hr = inner(sr, hr, border)
    if min(hr.shape[-2:]) < WINDOW:
        raise ValueError(f"SSIM needs {WINDOW} pixels a side, not {tuple(hr.shape[-2:])}")
    around = (WINDOW // 2,) * 4
    x, y = (F.pad(plane.double(), around, mode="reflect") for plane in (sr, hr))
    return likeness(moments(x, y, gaussian(WINDOW)), peak).mean(dim=(1, 2, 3))


def daala_ssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return SSIM as daala's `dump_ssim --raw` has it: that of the SRGAN paper's tables.

    The window grows with the picture's height (sigma 1.5 at 256 pixels, after the border is
    off), is cut at the edges, and each pixel counts by what is left of its window. daala reads
    8-bit luma; here any values do.
    Arguments, range and errors as `metrics.ssim.ssim`, but a single pixel is enough.
    Source: xiph/daala, tools/dump_ssim.c.
    """
    sr, hr = inner(sr, hr, border)
    height, width = hr.shape[-2:]
    window = daala_window(1.5 * height / 256, min(height, width))
    reach = (len(window) // 2,) * 4
    x, y = sr.double(), hr.double()
    mass = windowed(F.pad(torch.ones_like(x), reach), window)
    averages = (windowed(F.pad(seen, reach), window) / mass for seen in products(x, y))
    values = likeness(moments_of(averages), peak)
    return (mass * values).sum(dim=(1, 2, 3)) / mass.sum(dim=(1, 2, 3))


def daala_window(sigma: float, longest: int) -> list[float]:
    """Return daala's window along a side: whole numbers of sum 256.

    It ends where the Gaussian would round to nothing, or `longest` - 1 pixels from its middle.
    """
    height = DAALA_WEIGHT / (math.sqrt(2 * math.pi) * sigma)
    first_nothing = math.sqrt(math.pi / 2) * sigma / DAALA_WEIGHT
    reach = 0 if first_nothing >= 1 else int(sigma * math.sqrt(-2 * math.log(first_nothing)))
    reach = min(reach, longest - 1)
    curve = [height * math.exp(-(i**2) / (2 * sigma**2)) for i in range(reach, 0, -1)]
    half = [float(int(weight + 0.5)) for weight in curve]
    return [*half, float(DAALA_WEIGHT - 2 * sum(half)), *reversed(half)]


SSIM_DIALECTS: Mapping[str, SSIM] = {
    "wang": ssim,
    "daala": daala_ssim,
    "scikit-image": scikit_image_ssim,
    "scikit-image-gaussian": scikit_image_gaussian_ssim,
    "torchmetrics": torchmetrics_ssim,
}
