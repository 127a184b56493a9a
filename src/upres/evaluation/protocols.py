"""Evaluation protocols: all that must be fixed before two numbers may be compared.

Every protocol takes 8-bit HR cropped (top left kept) to a multiple of the scale and 8-bit SR of
the same size, and averages the values of the pictures; it never pools their errors.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from upres.errors import BadSetting, suggestion
from upres.images.resize import ResizerName, crop_to_multiple, shrink
from upres.metrics.ssim import WINDOW

GIVEN_LR = "+given-lr"


class Protocol(BaseModel, frozen=True, extra="forbid"):
    """How LR is made and what of SR and HR is compared."""

    name: str
    lr_resizer: ResizerName  # ignored where the LR files are given
    space: Literal["y", "rgb"]  # y: BT.601 studio luma; rgb: the three channels
    y_rounded: bool  # luma rounded to whole numbers, as MATLAB does with 8-bit pictures
    border: Literal["scale"] = "scale"  # HR pixels left out on each side
    ssim: Literal["wang"] = "wang"  # the dialect: window, edge and constants
    given_lr: bool = False  # LR read from files, however they were made
    explanation: str

    def border_pixels(self, scale: int) -> int:
        """Return how many HR pixels are left out on each side."""
        return scale

    def least_side(self, scale: int) -> int:
        """Return the fewest HR pixels a side that can be compared: one SSIM window."""
        return WINDOW + 2 * self.border_pixels(scale)


PROTOCOLS: dict[str, Protocol] = {
    # BasicSR's `to_y_channel` and its descendants; bicubic on Set5 x4 is 28.4314 / 0.81127
    "sr-y-float": Protocol(
        name="sr-y-float",
        lr_resizer="matlab",
        space="y",
        y_rounded=False,
        explanation="PSNR and SSIM of the luma, not rounded; LR by MATLAB's bicubic.",
    ),
    # MATLAB scripts: `rgb2ycbcr` of 8-bit pictures; bicubic on Set5 x4 is 28.4189 / 0.81025
    "sr-y": Protocol(
        name="sr-y",
        lr_resizer="matlab",
        space="y",
        y_rounded=True,
        explanation="PSNR and SSIM of the luma, rounded to 8 bits; LR by MATLAB's bicubic.",
    ),
}


def get_protocol(name: str) -> Protocol:
    """Return the protocol of that name, `+given-lr` allowed. Raises BadSetting."""
    plain = name.removesuffix(GIVEN_LR)
    if plain not in PROTOCOLS:
        raise BadSetting(f"no protocol {name!r}; {suggestion(plain, PROTOCOLS)}")
    protocol = PROTOCOLS[plain]
    return protocol if plain == name else with_given_lr(protocol)


def with_given_lr(protocol: Protocol) -> Protocol:
    """Return `protocol` on LR files as they are: another protocol, with another name."""
    if protocol.given_lr:
        return protocol
    return protocol.model_copy(update={"name": protocol.name + GIVEN_LR, "given_lr": True})


def make_lr(hr: NDArray[np.uint8], protocol: Protocol, scale: int) -> NDArray[np.uint8]:
    """Return the protocol's LR of `hr`, cropped to a multiple of `scale` first."""
    return shrink(crop_to_multiple(hr, scale), scale, protocol.lr_resizer)
