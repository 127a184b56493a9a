"""The distance of two pictures' feature maps: what papers call content or perceptual loss."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact

ContentNorm = Literal["l1", "squared"]


def content(
    features_sr: Mapping[str, Float[Tensor, "n _ _ _"]],
    features_hr: Mapping[str, Float[Tensor, "n _ _ _"]],
    weights: Mapping[str, float],
    norm: ContentNorm = "squared",
) -> Float[Tensor, " n"]:
    """Return the weighted sum over layers of the mean difference of feature maps, a sample each.

    features_sr, features_hr: maps by layer name, as `networks.features.FeatureNetwork` gives
        them; take those of HR without gradient. weights: by layer; other layers are ignored.
    norm: "squared" (SRGAN, paper B equation 2) or "l1" (BasicSR's ESRGAN; the paper does not say).
    The mean is over C, H and W. SRGAN's equation 5 divides by W and H only and its features by
    12.75: for its literal value weigh a layer of C channels by C / 12.75^2.
    Raises ValueError if no layer is weighted, or if one is missing.
    """
    check_layers("content", features_sr, features_hr, weights)
    terms = [
        weight * _distance(features_sr[layer], features_hr[layer], norm)
        for layer, weight in weights.items()
    ]
    return torch.stack(terms).sum(dim=0)


def check_layers(
    term: str,
    features_sr: Mapping[str, Tensor],
    features_hr: Mapping[str, Tensor],
    weights: Mapping[str, float],
) -> None:
    """Raise ValueError if no layer is weighted, or if one has no features in either picture."""
    if not weights:
        raise ValueError(f"{term} needs the weight of at least one layer")
    missing = [layer for layer in weights if layer not in features_sr or layer not in features_hr]
    if missing:
        raise ValueError(f"no features of {', '.join(missing)}; got {', '.join(features_sr)}")


def _distance(sr: Tensor, hr: Tensor, norm: ContentNorm) -> Tensor:
    difference = exact(sr) - exact(hr)
    match norm:
        case "l1":
            return difference.abs().mean(dim=(1, 2, 3))
        case "squared":
            return difference.square().mean(dim=(1, 2, 3))
