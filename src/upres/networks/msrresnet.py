"""MSRResNet, BasicSR's SRResNet without batch norm, with a bilinear skip over the whole network.

conv_first, `blocks` plain residual blocks, enlarging convolutions with pixel shuffle, conv_hr,
conv_last, plus LR. Key names are BasicSR's (`basicsr/archs/srresnet_arch.py`).
"""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, NonNegativeInt, PositiveInt
from torch import Tensor, nn

from upres.networks.skip import Skip, with_skip

SLOPE = 0.1  # of the leaky ReLUs outside the blocks
START = 0.1  # He's start made ten times smaller, for every convolution

STAGES: dict[int, tuple[int, ...]] = {2: (2,), 3: (3,), 4: (2, 2)}  # pixel shuffles of a scale


class MSRResNetSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of MSRResNet; the defaults are BasicSR's 1,517,571 parameters at x4."""

    kind: Literal["msrresnet"] = "msrresnet"
    blocks: NonNegativeInt = 16  # options/train/SRResNet_SRGAN/train_MSRResNet_x4.yml
    width: PositiveInt = 64  # the same file
    skip: Skip = "bilinear"  # srresnet_arch.py


class MSRResNet(nn.Module):
    """The residual network without batch norm that BasicSR trains as SRResNet and SRGAN."""

    def __init__(self, settings: MSRResNetSettings, scale: int) -> None:
        if scale not in STAGES:
            raise ValueError(f"MSRResNet enlarges by one of {tuple(STAGES)}, not by {scale}")
        super().__init__()
        self.scale = scale
        self.skip: Skip = settings.skip
        self.stages = STAGES[scale]
        width = settings.width
        self.conv_first = _conv(3, width)
        self.body = nn.Sequential(*(_Block(width) for _ in range(settings.blocks)))
        for number, factor in enumerate(self.stages, start=1):
            self.add_module(f"upconv{number}", _conv(width, width * factor**2))
        self.conv_hr = _conv(width, width)
        self.conv_last = _conv(width, 3)

    def forward(self, lr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Return the picture `scale` times as large, RGB around 0..1, not clamped."""
        x = self.body(F.leaky_relu(self.conv_first(lr), SLOPE))
        for number, factor in enumerate(self.stages, start=1):
            wide = self.get_submodule(f"upconv{number}")(x)
            x = F.leaky_relu(F.pixel_shuffle(wide, factor), SLOPE)
        computed = self.conv_last(F.leaky_relu(self.conv_hr(x), SLOPE))
        return with_skip(computed, lr, self.scale, self.skip)


class _Block(nn.Module):
    """conv, ReLU, conv, plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _conv(width, width)
        self.conv2 = _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + residual


def _conv(seen: int, made: int) -> nn.Conv2d:
    conv = nn.Conv2d(seen, made, 3, padding=1)
    nn.init.kaiming_normal_(conv.weight)
    conv.weight.data.mul_(START)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
