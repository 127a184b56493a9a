"""The compact network of Real-ESRGAN (SRVGGNetCompact): all work at LR size, one pixel shuffle.

conv 3x3, PReLU, (conv 3x3, PReLU) x convs, conv 3x3 to 3 s^2 channels, pixel shuffle, plus LR.
Key names are those of `realesr-animevideov3` (16 convs) and `realesr-general-x4v3` (32 convs).
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, NonNegativeInt, PositiveInt
from torch import Tensor, nn

from upres.networks.skip import Skip, with_skip

PRELU_START = 0.25  # torch's own
INNER_START = 0.1  # how much of He's start is added to the identity
LAST_START = 0.01  # and how much of it the last convolution gets

SCALES = (1, 2, 3, 4)


class CompactSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of the compact network; the published ones are 64 wide."""

    kind: Literal["compact"] = "compact"
    width: PositiveInt = 64  # realesrgan/archs/srvgg_arch.py
    convs: NonNegativeInt = 16  # animevideov3 has 16, general-x4v3 has 32
    skip: Skip = "nearest"  # srvgg_arch.py


class Compact(nn.Module):
    """SRVGGNetCompact, as published but for its start, which is not published.

    torch's default start makes each layer's output smaller than its input, and 16 layers without
    a residual then learn next to nothing for hundreds of steps. He et al. (2015) keep the size.
    Here the inner convolutions pass on what they see, plus a tenth of He's random weights, and
    the last one has a hundredth of He's: training starts very near the plain enlargement.
    """

    def __init__(self, settings: CompactSettings, scale: int) -> None:
        if scale not in SCALES:
            raise ValueError(f"the compact network enlarges by one of {SCALES}, not by {scale}")
        super().__init__()
        self.scale = scale
        self.skip: Skip = settings.skip
        width = settings.width
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width, PRELU_START)]
        for _ in range(settings.convs):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width, PRELU_START)]
        layers.append(nn.Conv2d(width, 3 * scale**2, 3, padding=1))
        self.body = nn.Sequential(*layers)
        self._start()

    def _start(self) -> None:
        convs = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, a=PRELU_START)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            for conv in convs[1:-1]:
                conv.weight.mul_(INNER_START)
                conv.weight[:, :, 1, 1] += torch.eye(conv.in_channels)
            convs[-1].weight.mul_(LAST_START)

    def forward(self, lr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Return the picture `scale` times as large, RGB around 0..1, not clamped."""
        computed = F.pixel_shuffle(self.body(lr), self.scale)
        return with_skip(computed, lr, self.scale, self.skip)
