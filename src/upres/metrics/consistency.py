"""Does an enlargement still say what its LR said?"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64
from numpy.typing import NDArray
from torch import Tensor

from upres.metrics.psnr import psnr

Pictures = NDArray[np.uint8]  # (n, h, w, 3) RGB


def lr_psnr(
    sr: Pictures, lr: Pictures, shrink: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> Float64[Tensor, " n"]:
    """Return the PSNR in decibels between each LR and its SR shrunk; inf where they are equal.

    sr, lr: 8-bit RGB. shrink: makes LR of one SR as the LR was made of HR, rounded alike.
    All three channels, no border: what rounding to 8 bits can cost alone is about 48 dB and more.
    Raises ValueError if what `shrink` makes has another size than the LR.
    Source: LR-PSNR of the NTIRE 2021 challenge on learning the SR space, which asks for 45 dB.
    """
    shrunk = np.stack([shrink(picture) for picture in sr])
    return psnr(_planes(shrunk), _planes(lr), border=0)


def _planes(pictures: Pictures) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).double()
