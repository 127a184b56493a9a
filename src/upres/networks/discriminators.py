"""VGG-style discriminators: a patch of fixed size in, one logit out.

layout "srgan" (Ledig et al. 2017, section 2.1): eight 3x3 convolutions, every second one with
stride 2, so that the last map has a sixteenth of the patch's side; then two dense layers.
layout "basicsr" (VGGStyleDiscriminator, which ESRGAN's public options use): levels of a 3x3
convolution and a 4x4 one with stride 2, as many as leave a map of at least 4x4: five for a patch
of 128, six for 256 as in BasicSR, four for 64 and 96. Key names are BasicSR's.
"""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2  # SRGAN 2.1
SMALLEST_PATCH = 16


class VGGDiscriminatorSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of the VGG-style discriminator; the defaults are BasicSR's."""

    kind: Literal["vgg"] = "vgg"
    layout: Literal["srgan", "basicsr"] = "basicsr"
    norm: Literal["batch", "spectral"] = "batch"  # paper B 3.2: spectral, "across the network"
    width: PositiveInt = 64  # SRGAN 2.1; 32 is cheap and enough for small generators
    dense: PositiveInt = 100  # BasicSR; SRGAN has 1024
    # No source: what spectral norm takes from a signal at each layer (about half of it, with the
    # leaky ReLU) this gives back; at 1 a fresh discriminator of ten layers hardly tells anything.
    spectral_gain: PositiveFloat = 1.0
    conv_bias: bool = False  # before batch norm, where it is redundant; elsewhere there always is


class VGGDiscriminator(nn.Module):
    """Tells photos from generated pictures by one logit each; there is no sigmoid.

    hr_patch: side of the square patches that will be judged, at least 16 (the first dense
        layer's size depends on it). The first convolution has no batch norm.
    Spectral norm is torch's parametrization, which estimates each norm by fifteen iterations when
    it is built (the older function does not: a fresh network is then wrong in eval mode) and by
    one more at every use in training mode, also without gradients.
    """

    def __init__(self, settings: VGGDiscriminatorSettings, hr_patch: int) -> None:
        if hr_patch < SMALLEST_PATCH:
            raise ValueError(f"hr_patch must be at least {SMALLEST_PATCH}, not {hr_patch}")
        super().__init__()
        self.hr_patch = hr_patch
        self.spectral = settings.norm == "spectral"
        self.gain = settings.spectral_gain if self.spectral else 1.0
        self.conv_bias = settings.conv_bias
        kernel = 3 if settings.layout == "srgan" else 4
        self.levels = 4 if settings.layout == "srgan" else _levels(hr_patch)
        channels, side = 3, hr_patch
        for level in range(self.levels):
            made = settings.width * min(2**level, 8)
            self._add(f"{level}_0", nn.Conv2d(channels, made, 3, 1, 1, bias=self._bias(level)))
            self._add(f"{level}_1", nn.Conv2d(made, made, kernel, 2, 1, bias=self._bias()))
            channels, side = made, (side + 2 - kernel) // 2 + 1
        self.linear1 = self._limited(nn.Linear(channels * side**2, settings.dense))
        self.linear2 = self._limited(nn.Linear(settings.dense, 1))

    def forward(self, hr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1"]:
        """Return one float32 logit a picture: high where it looks like a photo.

        hr: RGB 0..1, patches of `hr_patch` x `hr_patch`; ValueError for another size.
        """
        if hr.shape[-2:] != (self.hr_patch, self.hr_patch):
            h, w = hr.shape[-2:]
            raise ValueError(f"patches are {w}x{h}, but this discriminator judges {self.hr_patch}")
        x = hr
        for level in range(self.levels):
            for half in range(2):
                x = self.get_submodule(f"conv{level}_{half}")(x)
                if not self.spectral and (level, half) != (0, 0):
                    x = self.get_submodule(f"bn{level}_{half}")(x)
                x = F.leaky_relu(self.gain * x, SLOPE)
        x = F.leaky_relu(self.gain * self.linear1(x.flatten(1)), SLOPE)
        logits: Tensor = self.linear2(x)
        return logits.float()  # losses take exponentials of it

    def _bias(self, level: int | None = None) -> bool:
        return level == 0 or self.spectral or self.conv_bias

    def _add(self, name: str, conv: nn.Conv2d) -> None:
        self.add_module(f"conv{name}", self._limited(conv))
        if not self.spectral and name != "0_0":
            self.add_module(f"bn{name}", nn.BatchNorm2d(conv.out_channels))

    def _limited(self, layer: nn.Module) -> nn.Module:
        return spectral_norm(layer) if self.spectral else layer


def _levels(hr_patch: int) -> int:
    levels = 0
    while hr_patch // 2 >= 4:
        hr_patch //= 2
        levels += 1
    return levels
