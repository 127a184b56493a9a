"""The geometric self-ensemble: a network over all eight flips and turns of a picture, averaged.

Source: Timofte et al. 2016 ("Seven ways to improve example-based single image super resolution"),
section 3.6; EDSR (Lim et al. 2017) calls it self-ensemble, Real-ESRGAN's programs TTA.
"""

import torch
from torch import Tensor, nn


class SelfEnsemble(nn.Module):
    """The mean of what a network gives for the eight symmetries, each turned back.

    Takes and gives what the network does, (n 3 h w), in eight times its time. One picture goes
    through at a time, so the memory is the network's.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        """Return SR, not clamped."""
        total: Tensor | None = None
        for turns in range(4):
            for mirrored in (False, True):
                seen = torch.rot90(lr, turns, (2, 3))
                seen = seen.flip(3) if mirrored else seen
                sr = self.network(seen)
                sr = sr.flip(3) if mirrored else sr
                sr = torch.rot90(sr, -turns, (2, 3))
                total = sr if total is None else total + sr
        assert total is not None
        return total / 8
