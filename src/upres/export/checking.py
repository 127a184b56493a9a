"""Is an exported file the network it was made from?"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # LR (n c h w) to SR

SIZES = ((1, 48, 64), (2, 33, 17), (1, 1, 7))  # batch, rows, columns: none is what was traced
_COARSE = 6  # px between the random values that a picture is drawn through
_GRAIN = 0.02


def greatest_difference(network: nn.Module, run: Run, *, channels: int = 3) -> float:
    """Return the largest difference of `run` from `network` in float32 over SIZES.

    In levels of 255, on smooth random pictures with some grain; infinite for another size or
    values that are not finite.
    """
    worst = 0.0
    for number, size in enumerate(SIZES):
        lr = random_picture(*size, channels=channels, seed=number)
        with torch.inference_mode():
            expected = network(lr).numpy()
        given = run(lr.numpy())
        if given.shape != expected.shape or not np.isfinite(given).all():
            return float("inf")
        worst = max(worst, 255 * float(np.abs(given - expected).max()))
    return worst


def random_picture(
    batch: int, height: int, width: int, *, channels: int, seed: int
) -> Float[Tensor, "n c h w"]:
    """Return pictures of soft blobs with grain, 0..1: noise alone is no picture to a network."""
    draws = torch.Generator().manual_seed(seed)
    coarse = (height // _COARSE + 2, width // _COARSE + 2)
    blobs = F.interpolate(
        torch.rand(batch, channels, *coarse, generator=draws), (height, width), mode="bilinear"
    )
    grain = _GRAIN * torch.randn(blobs.shape, generator=draws)
    return (blobs + grain).clamp(0, 1)
