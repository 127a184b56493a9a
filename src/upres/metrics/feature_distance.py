"""The distance of pictures as a pretrained network's features see it; the network is passed in."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def feature_distance(
    network: nn.Module, sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]
) -> Float[Tensor, " n"]:
    """Return the mean squared difference of each pair's features; 0 is equal, lower is closer.

    The mean is over channels, height and width, without a factor: SRGAN's 1 / 12.75^2 and its
    sum over channels are not in it.
    sr, hr: RGB 0..1, whole pictures, no border. network: `networks.features.FeatureNetwork` of
    one layer with its weights, on any device: the pictures are taken to it.
    Raises ValueError if the sizes differ or the network gives more than one layer.
    Source: Ledig et al. 2017, equation 5; paper A's table 1 has it at VGG19's conv3_4.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    device = next(network.parameters()).device
    with torch.inference_mode():
        (of_sr,) = network(sr.to(device)).values()
        (of_hr,) = network(hr.to(device)).values()
    distances: Tensor = (of_sr - of_hr).square().mean(dim=(1, 2, 3))
    return distances.cpu()
