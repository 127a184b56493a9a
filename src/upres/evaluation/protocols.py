"""Evaluation protocols: all that must be fixed before two numbers may be compared.

Every protocol takes 8-bit HR cropped (top left kept) to a multiple of the scale and 8-bit SR of
the same size, and averages the values of the pictures; it never pools their errors.
"""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from upres.errors import BadSetting, suggestion
from upres.images.resize import ResizerName, crop_to_multiple, shrink
from upres.metrics.ssim import WINDOW

SSIMDialect = Literal["wang", "daala", "scikit-image", "torchmetrics"]

GIVEN_LR = "+given-lr"


class Protocol(BaseModel, frozen=True, extra="forbid"):
    """How LR is made and what of SR and HR is compared.

    chain: `rgb` shrinks the 8-bit picture to an 8-bit LR, which is what a network is given; `y`
        shrinks and enlarges 8-bit luma alone, the LR in floats, so only kernels and finished
        pictures can be judged by it.
    border: HR pixels left out on each side; `scale` and `scale+6` go with the scale.
    """

    name: str
    chain: Literal["rgb", "y"] = "rgb"
    y_clamped: bool = False  # the enlarged luma of chain `y` is clamped to 16..235
    lr_resizer: ResizerName = "matlab"  # ignored where the LR files are given
    enlarged_by: ResizerName = "matlab"  # whose bicubic the row `bicubic` is
    space: Literal["y", "rgb"]  # y: BT.601 studio luma; rgb: the three channels
    y_rounded: bool = False  # luma rounded to whole numbers, as MATLAB does with 8-bit pictures
    border: Literal["scale", "scale+6"] | int = Field("scale")
    ssim: SSIMDialect = "wang"  # window, edge and constants
    given_lr: bool = False  # LR read from files, however they were made
    explanation: str
    used_by: str

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        if self.chain == "y" and not (self.space == "y" and self.y_rounded):
            raise ValueError("chain y compares rounded luma: space must be y and y_rounded true")
        if self.chain == "y" and self.given_lr:
            raise ValueError(f"{self.name} makes its LR in floats: no file can hold it")
        return self

    def border_pixels(self, scale: int) -> int:
        """Return how many HR pixels are left out on each side."""
        match self.border:
            case "scale":
                return scale
            case "scale+6":
                return scale + 6
            case pixels:
                return pixels

    def least_side(self, scale: int) -> int:
        """Return the fewest HR pixels a side that can be compared: one SSIM window."""
        return WINDOW + 2 * self.border_pixels(scale)

    @property
    def lr_source(self) -> str:
        """Where LR come from, in words."""
        if self.given_lr:
            return "given"
        return f"{self.lr_resizer}, luma in floats" if self.chain == "y" else self.lr_resizer

    @property
    def compared(self) -> str:
        """What of the pictures is compared, in words."""
        if self.space == "rgb":
            return "RGB"
        return "BT.601 luma, rounded" if self.y_rounded else "BT.601 luma, not rounded"


_ALL = (
    Protocol(
        name="sr-y-float",
        space="y",
        explanation="Luma, not rounded; LR by MATLAB's bicubic on RGB, rounded once.",
        used_by="BasicSR and its descendants; the default here",
    ),
    Protocol(
        name="sr-y",
        space="y",
        y_rounded=True,
        explanation="Luma, rounded to 8 bits; LR by MATLAB's bicubic on RGB, rounded once.",
        used_by="MATLAB scripts that call rgb2ycbcr on 8-bit pictures",
    ),
    Protocol(
        name="sr-rgb",
        space="rgb",
        explanation="The three channels, one error over all of them; LR as for sr-y.",
        used_by="BasicSR's and mmagic's model zoos (their SSIM dialects differ)",
    ),
    Protocol(
        name="srcnn",
        chain="y",
        space="y",
        y_rounded=True,
        explanation="Luma alone, rounded, shrunk and enlarged with an LR in floats; the result "
        "rounded.",
        used_by="the tables of SRCNN's own code",
    ),
    Protocol(
        name="vdsr",
        chain="y",
        y_clamped=True,
        space="y",
        y_rounded=True,
        explanation="As srcnn, and the result clamped to 16..235.",
        used_by="the bicubic row that is copied from paper to paper",
    ),
    Protocol(
        name="selfexsr",
        lr_resizer="matlab-legacy",
        enlarged_by="matlab-legacy",
        space="y",
        y_rounded=True,
        explanation="As sr-y, by the older MATLAB's bicubic, which rounds after each pass.",
        used_by="SelfExSR's stored scores and LR files",
    ),
    Protocol(
        name="srgan",
        lr_resizer="matlab-legacy",
        enlarged_by="matlab-legacy",
        space="y",
        border=4,
        ssim="daala",
        explanation="Luma, not rounded, border 4 at every scale, SSIM as the daala tools have it "
        "(the paper does not say how it made luma and LR: this is a reading).",
        used_by="the tables of the SRGAN paper",
    ),
    Protocol(
        name="ntire",
        space="rgb",
        border="scale+6",
        explanation="The three channels without a border of scale + 6 pixels.",
        used_by="EDSR's validation on DIV2K and the NTIRE challenges",
    ),
    Protocol(
        name="paper-a",
        lr_resizer="paper-a",
        enlarged_by="opencv",
        space="rgb",
        border=0,
        explanation="The three channels, no border; LR by OpenCV's bicubic from a picture that "
        "Pillow shrank and enlarged before.",
        used_by="the student paper on SRGAN and ESRGAN (docs/papers.md, A12)",
    ),
    Protocol(
        name="paper-b",
        lr_resizer="pillow",
        enlarged_by="pillow",
        space="rgb",
        border=0,
        explanation="The three channels, no border; LR by Pillow's antialiased bicubic (settings "
        "not stated there: this is a reading).",
        used_by="the USRGAN paper (docs/papers.md, B14)",
    ),
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _ALL}


def get_protocol(name: str) -> Protocol:
    """Return the protocol of that name, `+given-lr` allowed. Raises BadSetting."""
    plain = name.removesuffix(GIVEN_LR)
    if plain not in PROTOCOLS:
        raise BadSetting(f"no protocol {name!r}; {suggestion(plain, PROTOCOLS)}")
    protocol = PROTOCOLS[plain]
    return protocol if plain == name else with_given_lr(protocol)


def with_given_lr(protocol: Protocol) -> Protocol:
    """Return `protocol` on LR files as they are: another protocol, with another name.

    Raises BadSetting where no file can hold the protocol's LR.
    """
    if protocol.given_lr:
        return protocol
    if protocol.chain == "y":
        raise BadSetting(
            f"protocol {protocol.name} makes its LR in floats, so no file can give it; "
            f"take sr-y for LR files."
        )
    return protocol.model_copy(update={"name": protocol.name + GIVEN_LR, "given_lr": True})


def make_lr(hr: NDArray[np.uint8], protocol: Protocol, scale: int) -> NDArray[np.uint8]:
    """Return the protocol's LR of `hr`, cropped to a multiple of `scale` first.

    Of chain `y` it is the LR that sr-y makes: for pictures to look at, not for scores.
    """
    return shrink(crop_to_multiple(hr, scale), scale, protocol.lr_resizer)
