"""Numbers about a generator's pictures and weights that no loss term shows.

Fine detail is what a picture's luma keeps when a blur is taken away: the finest band of Burt and
Adelson's Laplacian pyramid ("The Laplacian Pyramid as a Compact Image Code", 1983; their weights
1 4 6 4 1, a = 0.375). The filter is 0 on every even slope, so smooth shading is no detail. Of a
wave along one axis it keeps the whole amplitude at 2 pixels a period, 75 % at 4, 27 % at 8 and
7 % at 16; of a checkerboard all.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
_LUMA = (0.299, 0.587, 0.114)  # BT.601 on the full range
# The mean square that rounding to 8 bits alone gives a picture in 0..1. Added where energies are
# divided, so that two flat pictures compare as equal and not as 0 / 0.
ROUNDING = 1 / 12 / 255**2


@torch.no_grad()
def high_frequency(sr: Tensor, hr: Tensor) -> float:
    """Return the energy of SR's fine detail over that of HR's: 1 where they have equally much.

    sr, hr: (n, 3, H, W), RGB in 0..1, at least 5 pixels a side. Below 1 SR is softer than HR,
    above it has more fine detail than there was, which can only be invented (noise, ringing,
    patterns). One ratio of the whole batch, so that flat crops weigh little.
    """
    return (_energy(_detail(sr)) + ROUNDING) / (_energy(_detail(hr)) + ROUNDING)


@torch.no_grad()
def grid_energy(sr: Tensor, hr: Tensor, scale: int) -> float:
    """Return which share of SR's fine detail repeats with the LR grid, less the same of HR.

    sr, hr: (n, 3, H, W), RGB in 0..1, at least 4 + 2 * scale pixels a side. About 0 (either sign)
    without a pattern, at most 1. The fine detail of each picture is averaged over all pixels that
    lie alike on the grid of LR pixels: a picture's own detail averages out, what the network
    repeats at every LR pixel stays. The share is the variance of these means over the mean square
    of the detail, both summed over the batch. An odd scale is taken twice, so that the period 2
    of strided and transposed convolutions always counts too. HR's own share is what crops of this
    size have by chance or by their motif (fabric, bricks) and is subtracted.
    Source of the pattern: Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts"
    (Distill 2016); Shi et al. 2017 ("ICNR") for pixel shuffle. The measure is ours.
    """
    period = scale if scale % 2 == 0 else 2 * scale
    return _periodic_share(_detail(sr), period) - _periodic_share(_detail(hr), period)


@torch.no_grad()
def parameter_distance(average: nn.Module, network: nn.Module) -> float:
    """Return the relative distance ||average - network|| / ||network|| over all parameters.

    Buffers are left out: they are copied into an average, not averaged. NaN for a network whose
    parameters are all 0.
    """
    pairs = list(zip(average.parameters(), network.parameters(), strict=True))
    size = _norm(live for _, live in pairs)
    return _norm(kept - live for kept, live in pairs) / size if size else math.nan


def _detail(picture: Tensor) -> Tensor:
    """Luma less its blur, (n, H - 4, W - 4).

    Sums of shifted copies and not a convolution, which autocast would compute in bf16: small
    differences of large numbers need float32.
    """
    rgb = picture.detach().float()
    luma = sum(weight * rgb[:, channel] for channel, weight in enumerate(_LUMA))
    assert isinstance(luma, Tensor)
    return luma[..., 2:-2, 2:-2] - _blurred(_blurred(luma, dim=-1), dim=-2)


def _blurred(luma: Tensor, dim: int) -> Tensor:
    size = luma.shape[dim] - 4
    taps = [weight * luma.narrow(dim, at, size) for at, weight in enumerate(_BLUR)]
    return torch.stack(taps).sum(0)


def _energy(detail: Tensor) -> float:
    return float(detail.square().mean())


def _periodic_share(detail: Tensor, period: int) -> float:
    rows, columns = (side // period for side in detail.shape[-2:])
    cut = detail[..., : rows * period, : columns * period]
    phases = cut.reshape(-1, rows, period, columns, period).mean(dim=(1, 3))  # (n, period, period)
    repeated = phases.var(dim=(1, 2), unbiased=False).mean()
    return float(repeated) / (_energy(cut) + ROUNDING)


def _norm(tensors: Iterable[Tensor]) -> float:
    norms = [torch.linalg.vector_norm(tensor.detach().float()) for tensor in tensors]
    return float(torch.linalg.vector_norm(torch.stack(norms))) if norms else 0.0
