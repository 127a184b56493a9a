"""How sharp an enlargement is where the photo has its edges."""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

STEEPEST = 0.1  # the share of HR's pixels that count as its edges


def edge_gain(sr: Float[Tensor, "n 1 h w"], hr: Float[Tensor, "n 1 h w"]) -> Float64[Tensor, " n"]:
    """Return the gradients' energy of SR over that of HR, on HR's edges.

    1: as sharp as HR. Below: blurred. Above: oversharpened. Edges are the tenth of HR's pixels
    with the steepest gradient (Sobel). A picture without any gradient has 1.
    sr, hr: grey, any range, whole pictures.
    Raises ValueError if the shapes differ or a side has fewer than 3 pixels.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr is {tuple(sr.shape)} but hr is {tuple(hr.shape)}")
    if min(hr.shape[-2:]) < 3:
        raise ValueError(f"gradients need 3 pixels a side, not {tuple(hr.shape[-2:])}")
    of_sr, of_hr = _energy(sr.double()), _energy(hr.double())
    count = math.ceil(STEEPEST * of_hr.shape[1])
    least = of_hr.topk(count, dim=1).values[:, -1:]
    edges = (of_hr >= least) & (of_hr > 0)
    gained = torch.where(edges, of_sr, 0.0).sum(dim=1)
    had = torch.where(edges, of_hr, 0.0).sum(dim=1)
    return torch.where(had > 0, gained / had, 1.0)


def _energy(pictures: Tensor) -> Tensor:
    """Return the squared length of Sobel's gradient at each inner pixel, (n, pixels)."""
    smooth_down = (pictures[..., :-2, :] + 2 * pictures[..., 1:-1, :] + pictures[..., 2:, :]) / 4
    smooth_across = (pictures[..., :-2] + 2 * pictures[..., 1:-1] + pictures[..., 2:]) / 4
    across = (smooth_down[..., 2:] - smooth_down[..., :-2]) / 2
    down = (smooth_across[..., 2:, :] - smooth_across[..., :-2, :]) / 2
    return (across.square() + down.square()).flatten(1)
