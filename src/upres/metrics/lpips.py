"""LPIPS of 8-bit pictures; the network that measures it is passed in."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

LEAST_SIDE = 31  # pixels: AlexNet's two poolings leave one position of 31


def lpips_distance(network: nn.Module, sr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> float:
    """Return the perceptual distance of two RGB pictures (H, W, 3); 0 is equal, lower is closer.

    network: `networks.lpips.LPIPS` with its weights. Whole pictures, no border.
    Raises ValueError if the sizes differ.
    Source: Zhang et al. 2018, version 0.1 of the weights.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {sr.shape} but hr is {hr.shape}")
    device = next(network.parameters()).device
    with torch.inference_mode():
        distance: Tensor = network(_tensor(sr).to(device), _tensor(hr).to(device))
    return float(distance)


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
