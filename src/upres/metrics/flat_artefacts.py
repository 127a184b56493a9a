"""What an enlargement adds where the photo is flat: noise, ringing, patterns."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from upres.metrics.ssim import windowed

FLAT = 2.0  # levels of 255: HR's deviation under a window stays below it
WINDOW = 7  # pixels a side
BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # what it leaves is the fine detail


def flat_artefacts(
    sr: Float[Tensor, "n 1 h w"], hr: Float[Tensor, "n 1 h w"]
) -> Float64[Tensor, " n"]:
    """Return the energy of fine detail, SR's less HR's, where HR is flat; in squared levels.

    0: as much as HR. Above: artefacts, 4 is noise of 2 levels. Below: HR's own grain was lost.
    Fine detail is what a 5x5 binomial blur takes away; flat is where HR deviates by less than 2
    levels within 7x7 pixels. A picture without flat places has 0.
    sr, hr: grey 0..255, whole pictures.
    Raises ValueError if the shapes differ or a side has fewer than 7 pixels.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    if min(hr.shape[-2:]) < WINDOW:
        raise ValueError(f"flat places need {WINDOW} pixels a side, not {tuple(hr.shape[-2:])}")
    sr, hr = sr.double(), hr.double()
    box = [1 / WINDOW] * WINDOW
    mean, mean_square = windowed(torch.stack([hr, hr.square()]), box)
    flat = mean_square - mean.square() < FLAT**2
    more = (_detail(sr).square() - _detail(hr).square())[..., 1:-1, 1:-1]  # 7x7 lie inside here
    total = torch.where(flat, more, 0.0).sum(dim=(1, 2, 3))
    energy: Tensor = total / flat.sum(dim=(1, 2, 3)).clamp(min=1)
    return energy


def _detail(pictures: Tensor) -> Tensor:
    """Return (n, c, h - 4, w - 4)."""
    return pictures[..., 2:-2, 2:-2] - windowed(pictures, BLUR)
