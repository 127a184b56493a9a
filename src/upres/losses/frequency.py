"""How differently two pictures are made up of waves."""

import torch
from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact


def frequency(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean absolute difference of the real and imaginary parts of both spectra.

    sr, hr: 0..1. Computed in float32 or finer: the constant wave is thousands of times larger than
    the fine ones, and bfloat16 would leave nothing of those.
    The transform is orthonormal, so that the value does not grow with the picture; without that
    (MIMO-UNet, weight 0.1) it is sqrt(h * w) times as large. Of waves that come twice, turned
    round, in a real picture's spectrum one is kept.
    Raises ValueError if the pictures are of different shapes.
    Source: Cho et al. 2021 (MIMO-UNet), there over the whole spectrum.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    difference = torch.fft.rfft2(exact(sr) - exact(hr), norm="ortho")
    return torch.view_as_real(difference).abs().mean(dim=(1, 2, 3, 4))
