"""How differently two pictures change from pixel to pixel."""

from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact


def gradient(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean absolute difference of slopes, across plus down; blind to the level.

    sr, hr: 0..1, at least 2 pixels a side. A slope is the next pixel less this one.
    Slopes keep their signs, as in Eigen and Fergus 2015 section 4.1 (there squared): the gradient
    difference loss of Mathieu et al. 2016 compares sizes only, and forgives an edge turned round.
    Raises ValueError if the pictures are smaller, or of different shapes.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    return steepness(exact(sr) - exact(hr))


def steepness(picture: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Return the mean absolute slope across plus the mean absolute slope down.

    Raises ValueError if a side has less than 2 pixels.
    """
    height, width = picture.shape[-2:]
    if min(height, width) < 2:
        raise ValueError(f"slopes need pictures of 2 pixels a side, not {width}x{height}")
    across, down = picture.diff(dim=3).abs(), picture.diff(dim=2).abs()
    return across.mean(dim=(1, 2, 3)) + down.mean(dim=(1, 2, 3))
