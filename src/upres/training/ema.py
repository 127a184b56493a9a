"""The exponential moving average of a network's weights."""

import copy

import torch
from torch import nn


def averaged_copy(network: nn.Module) -> nn.Module:
    """Return a copy that will hold the average; it starts at the network's present weights."""
    average = copy.deepcopy(network).eval()
    return average.requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move `average` towards `network`: decay * average + (1 - decay) * network.

    Parameters are averaged; buffers are copied, since an average of batch-norm statistics or of
    spectral norm's singular vectors belongs to no network.
    """
    for kept, live in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(live.detach(), 1 - decay)
    for held, now in zip(average.buffers(), network.buffers(), strict=True):
        held.copy_(now)
