"""SRResNet, the generator of SRGAN (Ledig et al. 2017, section 2.1 and figure 4).

A 9x9 head, `blocks` residual blocks with batch norm, one more convolution and a long skip,
enlarging convolutions with pixel shuffle, a 9x9 tail. The start is torch's own.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, NonNegativeInt, PositiveInt, model_validator
from torch import Tensor, nn

from upres.networks.skip import Skip, with_skip

STAGES: dict[int, tuple[int, ...]] = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}  # pixel shuffles


class SRResNetSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of SRResNet; the defaults are SRGAN's 1,549,462 parameters at x4."""

    kind: Literal["srresnet"] = "srresnet"
    blocks: NonNegativeInt = 16  # SRGAN 3.2; paper A has 8
    width: PositiveInt = 64  # SRGAN 2.1
    conv_bias: bool = True  # before batch norm, where it is redundant; elsewhere there always is
    tanh: bool = False  # bound the output to 0..1; the paper's text mentions none
    skip: Skip = "none"

    @model_validator(mode="after")
    def _bounded_or_added(self) -> "SRResNetSettings":
        if self.tanh and self.skip != "none":
            raise ValueError("tanh bounds a whole picture: it needs skip 'none'")
        return self


class SRResNet(nn.Module):
    """SRGAN's generator. In eval mode batch norm is frozen, as in the paper's tests."""

    def __init__(self, settings: SRResNetSettings, scale: int) -> None:
        if scale not in STAGES:
            raise ValueError(f"SRResNet enlarges by one of {tuple(STAGES)}, not by {scale}")
        super().__init__()
        self.scale = scale
        self.skip: Skip = settings.skip
        self.tanh = settings.tanh
        self.stages = STAGES[scale]
        width, bias = settings.width, settings.conv_bias
        self.conv_first = nn.Conv2d(3, width, 9, padding=4)
        self.act_first = nn.PReLU()
        self.body = nn.Sequential(*(_Block(width, bias) for _ in range(settings.blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.bn_body = nn.BatchNorm2d(width)
        for number, factor in enumerate(self.stages, start=1):
            self.add_module(f"upconv{number}", nn.Conv2d(width, width * factor**2, 3, padding=1))
            self.add_module(f"upact{number}", nn.PReLU())
        self.conv_last = nn.Conv2d(width, 3, 9, padding=4)

    def forward(self, lr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Return the picture `scale` times as large, RGB around 0..1, not clamped.

        With `tanh` the paper's range of -1..1 is brought to 0..1 here.
        """
        first = self.act_first(self.conv_first(lr))
        x = first + self.bn_body(self.conv_body(self.body(first)))
        for number, factor in enumerate(self.stages, start=1):
            shuffled = F.pixel_shuffle(self.get_submodule(f"upconv{number}")(x), factor)
            x = self.get_submodule(f"upact{number}")(shuffled)
        computed = self.conv_last(x)
        if self.tanh:
            computed = (torch.tanh(computed) + 1) / 2
        return with_skip(computed, lr, self.scale, self.skip)


class _Block(nn.Module):
    """conv, batch norm, PReLU, conv, batch norm, plus the input."""

    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.bn1 = nn.BatchNorm2d(width)
        self.act = nn.PReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.act(self.bn1(self.conv1(x)))
        residual: Tensor = self.bn2(self.conv2(inner))
        return x + residual
