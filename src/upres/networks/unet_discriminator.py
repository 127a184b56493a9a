"""The U-Net discriminator of Real-ESRGAN (Wang et al. 2021): one logit for every pixel.

conv0 3x3; three 4x4 convolutions with stride 2 down to an eighth of the side; three times
bilinear x2, a 3x3 convolution and the sum with the map of that size on the way down; conv7 and
conv8 3x3; conv9 to one channel. Source: UNetDiscriminatorSN in Real-ESRGAN's discriminator_arch.py;
its layer names are kept. Its files have an older spelling of spectral norm's tensors, which
`weights.spectral_names` translates.
"""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2  # of every leaky ReLU
MULTIPLE = 8  # pixels: three halvings, and back to the same sides


class UNetDiscriminatorSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of the U-Net discriminator; the defaults are Real-ESRGAN's 4,376,897 parameters."""

    kind: Literal["unet"] = "unet"
    width: PositiveInt = 64  # num_feat in the code
    norm: Literal["spectral", "none"] = "spectral"  # on all but the first and the last
    # No source: what spectral norm takes from a signal at each layer this gives back; see
    # VGGDiscriminatorSettings. Published weights want 1.
    spectral_gain: PositiveFloat = 1.0


class UNetDiscriminator(nn.Module):
    """Says of every pixel whether it belongs to a photo; there is no sigmoid.

    Spectral norm is torch's parametrization, as in the VGG-style discriminator: nearly right from
    the start and unchanged by judging in eval mode.
    """

    def __init__(self, settings: UNetDiscriminatorSettings) -> None:
        super().__init__()
        self.spectral = settings.norm == "spectral"
        self.gain = settings.spectral_gain if self.spectral else 1.0
        width = settings.width
        self.conv0 = nn.Conv2d(3, width, 3, padding=1)
        self.conv1 = self._limited(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False))
        self.conv2 = self._limited(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False))
        self.conv3 = self._limited(nn.Conv2d(4 * width, 8 * width, 4, 2, 1, bias=False))
        self.conv4 = self._limited(nn.Conv2d(8 * width, 4 * width, 3, padding=1, bias=False))
        self.conv5 = self._limited(nn.Conv2d(4 * width, 2 * width, 3, padding=1, bias=False))
        self.conv6 = self._limited(nn.Conv2d(2 * width, width, 3, padding=1, bias=False))
        self.conv7 = self._limited(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.conv8 = self._limited(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.conv9 = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, hr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 h w"]:
        """Return one float32 logit a pixel: high where it looks like a photo.

        hr: RGB 0..1; ValueError for sides that are no multiples of 8.
        """
        h, w = hr.shape[-2:]
        if h % MULTIPLE or w % MULTIPLE:
            raise ValueError(f"pictures are {w}x{h}, but the U-Net needs multiples of {MULTIPLE}")
        x0 = F.leaky_relu(self.conv0(hr), SLOPE)
        x1 = self._active(self.conv1(x0))
        x2 = self._active(self.conv2(x1))
        x3 = self._active(self.conv3(x2))
        x = self._active(self.conv4(_doubled(x3))) + x2  # the sum comes after the activation
        x = self._active(self.conv5(_doubled(x))) + x1
        x = self._active(self.conv6(_doubled(x))) + x0
        x = self._active(self.conv8(self._active(self.conv7(x))))
        logits: Tensor = self.conv9(x)
        return logits.float()  # losses take exponentials of it

    def _active(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.gain * x, SLOPE)

    def _limited(self, conv: nn.Conv2d) -> nn.Module:
        return spectral_norm(conv) if self.spectral else conv


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
