"""SRCNN (Dong et al., TPAMI 2016): three convolutions over a bicubic enlargement."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel
from torch import Tensor, nn

from upres.networks.skip import Skip, plain_enlargement, with_skip

PAPER_START = 0.001  # standard deviation of the weights
SCALES = (2, 3, 4, 8)


class SRCNNSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of SRCNN; the defaults are 9-5-5 on RGB, 69,251 parameters."""

    kind: Literal["srcnn"] = "srcnn"
    middle: Literal[1, 3, 5] = 5  # the paper compares 9-1-5, 9-3-5 and 9-5-5
    channels: Literal[1, 3] = 3  # the paper's main network sees luma only: 1
    init: Literal["paper", "he"] = "paper"
    skip: Skip = "none"  # "bicubic" makes it learn the difference only


class SRCNN(nn.Module):
    """SRCNN with padded convolutions, so that nothing is lost at the edges.

    init "paper" draws weights from N(0, 0.001^2), which the paper trains by SGD with a tenth of
    the rate in the last layer; "he" (He et al. 2015) suits Adam.
    """

    def __init__(self, settings: SRCNNSettings, scale: int) -> None:
        if scale not in SCALES:
            raise ValueError(f"SRCNN enlarges by one of {SCALES}, not by {scale}")
        super().__init__()
        self.scale = scale
        self.skip: Skip = settings.skip
        self.conv1 = nn.Conv2d(settings.channels, 64, 9, padding=4)
        self.conv2 = nn.Conv2d(64, 32, settings.middle, padding=settings.middle // 2)
        self.conv3 = nn.Conv2d(32, settings.channels, 5, padding=2)
        for conv in (self.conv1, self.conv2, self.conv3):
            if settings.init == "paper":
                nn.init.normal_(conv.weight, std=PAPER_START)
            else:
                nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        """Return the picture `scale` times as large, around 0..1, not clamped.

        lr: as many channels as the settings say, RGB or luma, 0..1.
        """
        enlarged = plain_enlargement(lr, self.scale, "bicubic")
        computed = self.conv3(F.relu(self.conv2(F.relu(self.conv1(enlarged)))))
        return with_skip(computed, lr, self.scale, self.skip)
