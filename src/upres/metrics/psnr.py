"""Peak signal-to-noise ratio."""

from jaxtyping import Float, Float64
from torch import Tensor


def psnr(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, border: int, peak: float = 255.0
) -> Float64[Tensor, " n"]:
    """Return the PSNR of each image in decibels; higher is closer, inf where they are equal.

    sr, hr: values 0..peak. Luma (c = 1) gives the `psnr_y` of papers, RGB (c = 3) `psnr_rgb`:
        the error is averaged over c, h and w at once, in float64.
    border: HR pixels left out on each side; tables use the scale.
    Raises ValueError if the shapes differ or the border leaves nothing to compare.
    """
    sr, hr = inner(sr, hr, border)
    mse = (sr.double() - hr.double()).square().mean(dim=(1, 2, 3))
    return 10 * (peak**2 / mse).log10()


def inner(sr: Tensor, hr: Tensor, border: int) -> tuple[Tensor, Tensor]:
    """Return both pictures (n, c, h, w) without `border` pixels on each side, as views.

    Raises ValueError if the shapes differ or nothing is left.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    height, width = hr.shape[-2:]
    if 2 * border >= min(height, width):
        raise ValueError(f"a border of {border} leaves nothing of {width}x{height}")
    rows, columns = slice(border, height - border), slice(border, width - border)
    return sr[..., rows, columns], hr[..., rows, columns]
