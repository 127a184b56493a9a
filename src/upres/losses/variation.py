"""Total variation: how much a picture changes from pixel to pixel."""

from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact
from upres.losses.gradient import steepness


def total_variation(sr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean absolute difference of neighbours across plus the mean of those down.

    sr: 0..1, at least 2 pixels a side. 0 for a flat picture, and smaller the smoother it is.
    This is the anisotropic variation: the isotropic one, a square root, has no gradient where a
    picture is flat. SRGAN's section 3.4 gives a weight (2e-8 beside VGG2,2) and no formula; if it
    means a sum over the picture, its weight here is about h * w * c times that.
    Raises ValueError if the picture is smaller.
    Source: Aly and Dubois 2005 for enlarging; BasicSR `WeightedTVLoss`.
    """
    return steepness(exact(sr))
