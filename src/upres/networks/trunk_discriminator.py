"""A discriminator that looks through a pretrained, frozen VGG: one logit a patch.

The other reading of USRGAN (paper B): its figure 2 names a pretrained VGG19 that extracts the
discriminator's features, its section 3.2 a stack of convolutions; docs/papers.md, question B5.
Here the pretrained network is the stack and only a small head learns: a 3x3 convolution, a 4x4
one with stride 2, two dense layers, all under spectral norm (B 3.2), leaky ReLU between them.
"""

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from upres.networks.features import FeatureNetwork, layer_channels, layer_names, layer_stride

SLOPE = 0.2  # of every leaky ReLU, B 3.2
LEAST_MAP = 4  # positions a side: fewer say nothing of the picture's parts


class TrunkDiscriminatorSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of the discriminator on a pretrained trunk.

    conv5_4 is VGG19's last convolution: the whole network extracts the features, from 64 to 512
    channels as in B 3.2, and a patch of 128 leaves 8x8 positions, each of which sees all of it.
    Before its ReLU, as in the content loss (B7), nothing is cut off. conv3_4 sees finer detail.
    """

    kind: Literal["trunk"] = "trunk"
    network: Literal["vgg19", "vgg16"] = "vgg19"  # paper B, figure 2
    layer: str = "conv5_4"  # not stated
    width: PositiveInt = 256  # of the head's convolutions; not stated
    dense: PositiveInt = 100  # as in the VGG style; not stated
    spectral_gain: PositiveFloat = 1.0  # see VGGDiscriminatorSettings

    @model_validator(mode="after")
    def _layer_exists(self) -> "TrunkDiscriminatorSettings":
        known = layer_names(self.network)
        if self.layer not in known:
            raise ValueError(f"{self.network} has no layer {self.layer!r}: use {', '.join(known)}")
        return self


class TrunkDiscriminator(nn.Module):
    """Tells photos from generated pictures by one logit each; there is no sigmoid.

    hr_patch: side of the square patches that will be judged.
    trunk: the pretrained network, asked for `settings.layer` and nothing else; None takes one with
        random weights, for shapes and counts.
    The trunk is no part of the state_dict nor of the parameters: it never changes, and every save
    would carry it. It follows `.to(...)` all the same, and gradients pass through it to a picture.
    """

    def __init__(
        self,
        settings: TrunkDiscriminatorSettings,
        hr_patch: int,
        trunk: FeatureNetwork | None = None,
    ) -> None:
        least = LEAST_MAP * layer_stride(settings.network, settings.layer)
        if hr_patch < least:
            raise ValueError(
                f"hr_patch must be at least {least} for {settings.layer}, not {hr_patch}"
            )
        if trunk is None:
            trunk = FeatureNetwork(settings.network, (settings.layer,))
        if trunk.layers != (settings.layer,):
            raise ValueError(f"the trunk gives {trunk.layers}, not {settings.layer} alone")
        super().__init__()
        self.hr_patch = hr_patch
        self.layer = settings.layer
        self.gain = settings.spectral_gain
        self._trunk = (trunk,)  # in a tuple, so that torch does not take it for a part of this
        channels = layer_channels(settings.network, settings.layer)
        side = hr_patch // layer_stride(settings.network, settings.layer) // 2
        width = settings.width
        self.conv1 = spectral_norm(nn.Conv2d(channels, width, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(width, width, 4, stride=2, padding=1))
        self.linear1 = spectral_norm(nn.Linear(width * side**2, settings.dense))
        self.linear2 = spectral_norm(nn.Linear(settings.dense, 1))

    @property
    def trunk(self) -> FeatureNetwork:
        """The pretrained network."""
        return self._trunk[0]

    def forward(self, hr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1"]:
        """Return one float32 logit a picture: high where it looks like a photo.

        hr: RGB 0..1, patches of `hr_patch` x `hr_patch`; ValueError for another size.
        """
        if hr.shape[-2:] != (self.hr_patch, self.hr_patch):
            h, w = hr.shape[-2:]
            raise ValueError(f"patches are {w}x{h}, but this discriminator judges {self.hr_patch}")
        x = self.trunk(hr)[self.layer].to(self.linear2.bias.dtype)
        x = self._active(self.conv2(self._active(self.conv1(x))))
        logits: Tensor = self.linear2(self._active(self.linear1(x.flatten(1))))
        return logits.float()  # losses take exponentials of it

    def _active(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.gain * x, SLOPE)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "TrunkDiscriminator":
        """What `.to`, `.cuda` and their like call: the trunk goes along."""
        self.trunk._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self
