"""Distances of pictures pixel by pixel: one value a sample, the mean over its values."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

PixelForm = Literal["l1", "mse", "charbonnier"]


def l1(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean absolute difference, in the unit of the pictures (0..1).

    Source: ESRGAN section 3.3; the first stage of papers A (ESRGAN) and B.
    """
    return (sr - hr).abs().mean(dim=(1, 2, 3))


def mse(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean squared difference.

    Source: SRGAN equation 4. There pictures lie in -1..1, which makes it four times as large.
    """
    return (sr - hr).square().mean(dim=(1, 2, 3))


def charbonnier(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, eps: float = 1e-3
) -> Float[Tensor, " n"]:
    """Return the mean of sqrt(difference^2 + eps^2): L1 with a round tip, eps where both agree.

    Source: Lai et al. 2017 (LapSRN), whose eps is 1e-3.
    """
    return torch.sqrt((sr - hr).square() + eps**2).mean(dim=(1, 2, 3))


PIXEL_LOSSES: Mapping[PixelForm, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "mse": mse,
    "charbonnier": charbonnier,
}
