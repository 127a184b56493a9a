"""DISTS of pictures; the network that measures it is passed in."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def dists_distance(
    network: nn.Module, sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]
) -> Float[Tensor, " n"]:
    """Return the distance of structure and texture of each pair; 0 is equal, lower is closer.

    sr, hr: RGB 0..1, whole pictures, no border. network: `networks.dists.DISTS` with its weights,
    on any device: the pictures are taken to it.
    Raises ValueError if the sizes differ.
    Source: Ding et al. 2020.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    device = next(network.parameters()).device
    with torch.inference_mode():
        distances: Tensor = network(sr.to(device), hr.to(device))
    return distances.clamp(min=0).cpu()  # float32 may leave a hair below nothing
