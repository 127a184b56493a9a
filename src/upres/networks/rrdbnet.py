"""RRDBNet, the generator of ESRGAN (Wang et al. 2018, section 3.1; layers as in BasicSR).

conv_first, `blocks` residual-in-residual dense blocks, conv_body and a long skip, enlarging
convolutions, conv_hr, conv_last. Key names are BasicSR's. x2 and x1 look at a pixel-unshuffled
picture and enlarge it four times, as BasicSR does, so that all published weights can be read.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, PositiveFloat, PositiveInt
from torch import Tensor, nn

from upres.networks.skip import Skip, with_skip

SLOPE = 0.2  # of every leaky ReLU
DENSE_START = 0.1  # ESRGAN, supplement 2: He's start made ten times smaller
LAST_START = 0.01  # no source: with a skip, of torch's own start, so that training starts near it

Upsampling = Literal["nearest", "pixelshuffle"]

# What the enlarging convolutions enlarge by, one factor each, and the unshuffle before them.
STAGES: dict[Upsampling, dict[int, tuple[int, ...]]] = {
    "nearest": {1: (2, 2), 2: (2, 2), 3: (3,), 4: (2, 2), 8: (2, 2, 2)},
    "pixelshuffle": {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)},
}
UNSHUFFLE: dict[Upsampling, dict[int, int]] = {"nearest": {1: 4, 2: 2}, "pixelshuffle": {}}


class RRDBNetSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of RRDBNet; the defaults are ESRGAN's 16,697,987 parameters at x4."""

    kind: Literal["rrdbnet"] = "rrdbnet"
    blocks: PositiveInt = 23  # ESRGAN 4.1; nb in the code
    width: PositiveInt = 64  # nf
    growth: PositiveInt = 32  # gc
    residual_scale: PositiveFloat = 0.2  # ESRGAN 3.1, beta
    upsampling: Upsampling = "nearest"  # BasicSR; "pixelshuffle" is paper B's wording
    batch_norm: Literal["none", "block", "conv"] = "none"  # ESRGAN 3.1 removes it
    skip: Skip = "none"


class RRDBNet(nn.Module):
    """ESRGAN's generator."""

    def __init__(self, settings: RRDBNetSettings, scale: int) -> None:
        known = STAGES[settings.upsampling]
        if scale not in known:
            raise ValueError(f"RRDBNet enlarges by one of {tuple(known)}, not by {scale}")
        super().__init__()
        self.scale = scale
        self.skip: Skip = settings.skip
        self.upsampling: Upsampling = settings.upsampling
        self.stages = known[scale]
        self.unshuffle = UNSHUFFLE[settings.upsampling].get(scale, 1)
        width = settings.width
        self.conv_first = nn.Conv2d(3 * self.unshuffle**2, width, 3, padding=1)
        self.body = nn.Sequential(*(_ResidualBlock(settings) for _ in range(settings.blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for number, factor in enumerate(self.stages, start=1):
            made = width * factor**2 if settings.upsampling == "pixelshuffle" else width
            self.add_module(f"conv_up{number}", nn.Conv2d(width, made, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)
        if settings.skip != "none":
            self.conv_last.weight.data.mul_(LAST_START)
            nn.init.zeros_(self.conv_last.bias)  # type: ignore[arg-type]

    def forward(self, lr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Return the picture `scale` times as large, RGB around 0..1, not clamped."""
        h, w = lr.shape[-2:]
        first = self.conv_first(self._unshuffled(lr))
        x = first + self.conv_body(self.body(first))
        for number, factor in enumerate(self.stages, start=1):
            x = F.leaky_relu(self._enlarged(x, number, factor), SLOPE)
        computed = self.conv_last(F.leaky_relu(self.conv_hr(x), SLOPE))
        computed = computed[..., : h * self.scale, : w * self.scale]
        return with_skip(computed, lr, self.scale, self.skip)

    def _unshuffled(self, lr: Tensor) -> Tensor:
        if self.unshuffle == 1:
            return lr
        h, w = lr.shape[-2:]
        # Sides that do not divide grow by copies of the last row and column; forward cuts them off.
        lr = F.pad(lr, (0, -w % self.unshuffle, 0, -h % self.unshuffle), mode="replicate")
        return F.pixel_unshuffle(lr, self.unshuffle)

    def _enlarged(self, x: Tensor, number: int, factor: int) -> Tensor:
        conv = self.get_submodule(f"conv_up{number}")
        enlarged: Tensor
        if self.upsampling == "pixelshuffle":
            enlarged = F.pixel_shuffle(conv(x), factor)
        else:
            enlarged = conv(F.interpolate(x, scale_factor=factor, mode="nearest"))
        return enlarged


class _ResidualBlock(nn.Module):
    """RRDB: three dense blocks and a scaled residual around them."""

    def __init__(self, settings: RRDBNetSettings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        self.rdb1 = _DenseBlock(settings)
        self.rdb2 = _DenseBlock(settings)
        self.rdb3 = _DenseBlock(settings)
        per_block = settings.batch_norm == "block"
        self.bn = nn.BatchNorm2d(settings.width) if per_block else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        dense: Tensor = self.bn(self.rdb3(self.rdb2(self.rdb1(x))))
        return x + self.residual_scale * dense


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees the outputs of all before it."""

    def __init__(self, settings: RRDBNetSettings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        per_conv = settings.batch_norm == "conv"
        for number in range(1, 6):
            seen = settings.width + (number - 1) * settings.growth
            made = settings.growth if number < 5 else settings.width
            conv = nn.Conv2d(seen, made, 3, padding=1)
            nn.init.kaiming_normal_(conv.weight)
            conv.weight.data.mul_(DENSE_START)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm2d(made) if per_conv else nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, 5):
            made = F.leaky_relu(self._conv(number, seen), SLOPE)
            seen = torch.cat((seen, made), dim=1)
        return x + self.residual_scale * self._conv(5, seen)

    def _conv(self, number: int, x: Tensor) -> Tensor:
        convolved = self.get_submodule(f"conv{number}")(x)
        normed: Tensor = self.get_submodule(f"bn{number}")(convolved)
        return normed
