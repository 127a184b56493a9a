"""NIQE: how unlike undamaged photos a picture's statistics are. It needs no HR."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from torch import Tensor, nn

BLOCK = 96  # pixels a side, on which the authors' model was made
LEAST_SIDE = 2 * BLOCK  # four blocks: from fewer a covariance says nothing
SIGMA = 7 / 6  # of the 7x7 Gaussian window
NOTHING = 1e-9  # what rounding leaves of a flat place, whose detail is 0

# MATLAB's antialiased bicubic to half the size, the picture mirrored at its edges
_HALVING = [-3 / 256, -9 / 256, 29 / 256, 111 / 256, 111 / 256, 29 / 256, -9 / 256, -3 / 256]
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


class Pristine(nn.Module):
    """What the authors measured of undamaged photos: mean (36) and covariance (36 36), float64.

    A module, so that it goes to a device as the networks of other metrics do.
    """

    def __init__(self, mean: Float64[Tensor, "36"], covariance: Float64[Tensor, "36 36"]) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("covariance", covariance)

    def forward(
        self, mean: Float64[Tensor, "36"], covariance: Float64[Tensor, "36 36"]
    ) -> Float64[Tensor, ""]:
        """Return the distance of another mean and covariance, equation 10 of the paper."""
        assert isinstance(self.mean, Tensor) and isinstance(self.covariance, Tensor)
        apart = self.mean - mean
        spread = torch.linalg.pinv((self.covariance + covariance) / 2, hermitian=True)
        distance: Tensor = (apart @ spread @ apart).sqrt()
        return distance


def niqe(luma: Float[Tensor, "n 1 h w"], pristine: Pristine) -> Float64[Tensor, " n"]:
    """Return NIQE of each image, 0 or more; lower is more like undamaged photos.

    luma: BT.601 studio luma 16..235 rounded to whole numbers, whole pictures, on any device;
    what lies beyond the last whole block of 96x96 does not count. nan where fewer than two
    blocks have any texture.
    Raises ValueError if a side has fewer than 192 pixels.
    Source: Mittal, Soundararajan and Bovik 2013, and their MATLAB code.
    """
    if min(luma.shape[-2:]) < LEAST_SIDE:
        raise ValueError(f"NIQE needs {LEAST_SIDE} pixels a side, not {tuple(luma.shape[-2:])}")
    device = next(pristine.buffers()).device
    height, width = (side // BLOCK * BLOCK for side in luma.shape[-2:])
    fine = luma[..., :height, :width].to(device).double()
    coarse = _halved(_halved(fine).mT).mT
    features = torch.cat([_features(fine, BLOCK), _features(coarse, BLOCK // 2)], dim=-1)
    return torch.stack([_distance(of_blocks, pristine) for of_blocks in features]).cpu()


def _distance(of_blocks: Tensor, pristine: Pristine) -> Tensor:
    """Return NIQE of one picture, given the features of its blocks (blocks, 36)."""
    whole = of_blocks[~of_blocks.isnan().any(dim=1)]
    if len(whole) < 2:
        return of_blocks.new_tensor(torch.nan)
    distance: Tensor = pristine(of_blocks.nanmean(dim=0), torch.cov(whole.T))
    return distance


def _halved(pictures: Tensor) -> Tensor:
    """Return the pictures with half their rows."""
    mirrored = [pictures[..., :3, :].flip(-2), pictures, pictures[..., -3:, :].flip(-2)]
    taps = pictures.new_tensor(_HALVING).view(1, 1, -1, 1)
    return F.conv2d(torch.cat(mirrored, dim=-2), taps, stride=(2, 1))


def _features(pictures: Tensor, block: int) -> Tensor:
    """Return (n, blocks, 18): how local detail is distributed, and its products of neighbours."""
    blocks = _normalised(pictures).unfold(2, block, block).unfold(3, block, block)
    blocks = blocks.flatten(1, 3)  # (n, blocks, block, block)
    alpha, left, right = _asymmetric_gaussian(blocks)
    features = [alpha, (left + right) / 2]
    for shift in _NEIGHBOURS:
        alpha, left, right = _asymmetric_gaussian(blocks * blocks.roll(shift, dims=(2, 3)))
        mean = (right - left) * _gamma(2 / alpha) / _gamma(1 / alpha)
        features += [alpha, mean, left, right]
    return torch.stack(features, dim=-1)


def _normalised(pictures: Tensor) -> Tensor:
    """Return the pictures less their local mean, over their local deviation: equation 1."""
    distance = torch.arange(7, dtype=pictures.dtype, device=pictures.device) - 3
    side = torch.exp(-distance.square() / (2 * SIGMA**2))
    window = torch.outer(side, side) / side.sum().square()
    around = F.pad(pictures, (3, 3, 3, 3), mode="replicate")
    mean, mean_square = (F.conv2d(x, window[None, None]) for x in (around, around.square()))
    detail = pictures - mean
    detail = torch.where(detail.abs() < NOTHING, 0.0, detail)
    return detail / ((mean_square - mean.square()).abs().sqrt() + 1)


def _asymmetric_gaussian(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return shape, left and right scale of the generalised Gaussian that fits each block.

    The shape is looked up among 0.2, 0.201 ... 10; a block without negative or positive values
    has no scales: nan.
    """
    values = blocks.flatten(2)
    left = _deviation(values, values < 0)
    right = _deviation(values, values > 0)
    skew = left / right
    ratio = values.abs().mean(dim=2).square() / values.square().mean(dim=2)
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew.square() + 1).square()
    shapes = torch.arange(200, 10001, dtype=values.dtype, device=values.device) / 1000
    ratios = _gamma(2 / shapes).square() / (_gamma(1 / shapes) * _gamma(3 / shapes))
    above = torch.searchsorted(ratios, ratio.contiguous()).clamp(1, len(shapes) - 1)
    nearest = torch.where(ratio - ratios[above - 1] <= ratios[above] - ratio, above - 1, above)
    alpha = shapes[nearest.where(~ratio.isnan(), 0)]
    width = (_gamma(1 / alpha) / _gamma(3 / alpha)).sqrt()
    return alpha, left * width, right * width


def _deviation(values: Tensor, counted: Tensor) -> Tensor:
    squares = torch.where(counted, values.square(), 0.0).sum(dim=2)
    return (squares / counted.sum(dim=2)).sqrt()


def _gamma(x: Tensor) -> Tensor:
    return torch.lgamma(x).exp()
