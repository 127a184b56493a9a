"""The number type that losses are computed in."""

import torch
from torch import Tensor


def exact(values: Tensor) -> Tensor:
    """Return the values in float32, or in their own type where that is finer.

    bfloat16 has 8 bits: differences of close pictures vanish in it, and so do sums of many values.
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))
