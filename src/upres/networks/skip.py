"""The plain enlargement of LR that a generator may add to what its convolutions compute."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Skip = Literal["none", "nearest", "bilinear", "bicubic"]

SKIP_RADIUS: dict[Skip, int] = {"none": 0, "nearest": 0, "bilinear": 1, "bicubic": 2}  # LR pixels


def plain_enlargement(
    lr: Float[Tensor, "n c h w"], scale: int, skip: Skip
) -> Float[Tensor, "n c sh sw"]:
    """Return `lr` enlarged `scale` times without learning, in the type of `lr`; not clamped.

    "bicubic" is Keys' kernel with a = -0.5, half-pixel centres and weights renormalised at the
    edges: inside the picture that is the bicubic of MATLAB, of Pillow and of our baseline.
    torch has it under the name `antialias`, which does nothing else when a picture grows; its
    plain bicubic has a = -0.75.
    Raises ValueError for "none", which has no picture.
    """
    match skip:
        case "nearest":
            return F.interpolate(lr, scale_factor=scale, mode="nearest")
        case "bilinear":
            return F.interpolate(lr, scale_factor=scale, mode="bilinear", align_corners=False)
        case "bicubic":
            size = (lr.shape[-2] * scale, lr.shape[-1] * scale)
            # autocast would choose bfloat16, which this kernel does not have
            with torch.autocast(lr.device.type, enabled=False):
                return F.interpolate(lr, size, mode="bicubic", align_corners=False, antialias=True)
        case "none":
            raise ValueError("skip 'none' has no plain enlargement")


def with_skip(
    computed: Float[Tensor, "n c sh sw"], lr: Float[Tensor, "n c h w"], scale: int, skip: Skip
) -> Float[Tensor, "n c sh sw"]:
    """Return `computed` plus the plain enlargement of `lr`, in the type of `lr`.

    So a network whose convolutions ran in bfloat16 still answers in float32, and the
    enlargement, which carries most of the picture, was never rounded to 8 significant bits.
    """
    if skip == "none":
        return computed.to(lr.dtype)
    return plain_enlargement(lr, scale, skip) + computed.to(lr.dtype)
