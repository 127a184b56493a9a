"""How far colours have moved: as eyes see it (CIEDE2000), and each channel's mean."""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

# sRGB to XYZ and the white of D65 (2 degrees), as scikit-image has them
_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)


def ciede2000(sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]) -> Float64[Tensor, " n"]:
    """Return the mean difference of colour of each image; 0 is equal, about 1 just visible.

    sr, hr: sRGB 0..255, whole pictures. Raises ValueError if the shapes differ.
    Source: CIE 142-2001 with kL = kC = kH = 1, white D65.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    return colour_difference(lab(sr), lab(hr)).mean(dim=(1, 2))


def channel_shift(
    sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]
) -> Float64[Tensor, "n 3"]:
    """Return the mean of SR - HR of red, green and blue, in levels of 255; 0 is no shift.

    sr, hr: RGB 0..255, whole pictures. Raises ValueError if the shapes differ.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    return (sr.double() - hr.double()).mean(dim=(2, 3))


def lab(rgb: Float[Tensor, "n 3 h w"]) -> Float64[Tensor, "n 3 h w"]:
    """Return L* 0..100, a* and b* of sRGB 0..255."""
    values = rgb.double() / 255
    linear = torch.where(
        values <= 0.04045, values / 12.92, ((values.clamp(min=0) + 0.055) / 1.055) ** 2.4
    )
    xyz = torch.einsum("xc,nchw->nxhw", linear.new_tensor(_TO_XYZ), linear)
    relative = xyz / xyz.new_tensor(_WHITE).view(3, 1, 1)
    x, y, z = torch.where(
        relative > 0.008856, relative.clamp(min=0) ** (1 / 3), 7.787 * relative + 16 / 116
    ).unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def colour_difference(
    one: Float64[Tensor, "n 3 h w"], other: Float64[Tensor, "n 3 h w"]
) -> Float64[Tensor, "n h w"]:
    """Return CIEDE2000 of each pixel's two colours, given as L*, a*, b*.

    Source: Sharma, Wu and Dalal 2005, equations 2 to 22; the letters are theirs.
    """
    (l1, a1, b1), (l2, a2, b2) = one.unbind(dim=1), other.unbind(dim=1)
    g = 0.5 * (1 - _share_of_seventh_power((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2))
    (c1, h1), (c2, h2) = _polar((1 + g) * a1, b1), _polar((1 + g) * a2, b2)

    turn = h2 - h1  # of hue; where one is grey it has none, but then d_hue is 0 below
    turn = torch.where(turn > 180, turn - 360, torch.where(turn < -180, turn + 360, turn))
    middle = (h1 + turn / 2) % 360  # of the shorter way round

    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    off = (lightness - 50).square()
    t = (
        1
        - 0.17 * _cos(middle - 30)
        + 0.24 * _cos(2 * middle)
        + 0.32 * _cos(3 * middle + 6)
        - 0.20 * _cos(4 * middle - 63)
    )
    d_lightness = (l2 - l1) / (1 + 0.015 * off / (20 + off).sqrt())
    d_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    d_hue = 2 * (c1 * c2).sqrt() * _sin(turn / 2) / (1 + 0.015 * chroma * t)
    blueness = 30 * torch.exp(-((middle - 275) / 25).square())
    rotation = -_sin(2 * blueness) * 2 * _share_of_seventh_power(chroma)
    squares = d_lightness.square() + d_chroma.square() + d_hue.square()
    return (squares + rotation * d_chroma * d_hue).clamp(min=0).sqrt()


def _share_of_seventh_power(chroma: Tensor) -> Tensor:
    power = chroma**7
    return (power / (power + 25.0**7)).sqrt()


def _polar(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return chroma and hue, 0..360 degrees."""
    return torch.hypot(a, b), torch.atan2(b, a).rad2deg() % 360


def _cos(degrees: Tensor) -> Tensor:
    return torch.cos(degrees * (math.pi / 180))


def _sin(degrees: Tensor) -> Tensor:
    return torch.sin(degrees * (math.pi / 180))
