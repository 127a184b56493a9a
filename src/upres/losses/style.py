"""The distance of two pictures' textures: which features come together, wherever they are."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from upres.losses.content import ContentNorm, check_layers
from upres.losses.exact import exact


def style(
    features_sr: Mapping[str, Float[Tensor, "n _ _ _"]],
    features_hr: Mapping[str, Float[Tensor, "n _ _ _"]],
    weights: Mapping[str, float],
    norm: ContentNorm = "l1",
) -> Float[Tensor, " n"]:
    """Return the weighted sum over layers of the mean difference of Gram matrices, a sample each.

    features_sr, features_hr: maps by layer name, as `networks.features.FeatureNetwork` gives
        them; take those of HR without gradient. weights: by layer; other layers are ignored.
    norm: "l1" (BasicSR) or "squared" (Gatys et al.), over the C x C entries.
    Raises ValueError if no layer is weighted, or if one is missing.
    Source: Gatys et al. 2016 equations 3 and 4, with BasicSR's factors.
    """
    check_layers("style", features_sr, features_hr, weights)
    terms = [
        weight * _distance(gram(features_sr[layer]), gram(features_hr[layer]), norm)
        for layer, weight in weights.items()
    ]
    return torch.stack(terms).sum(dim=0)


def gram(features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c c"]:
    """Return the products of each two channels, summed over positions, over c * h * w.

    Computed in float32 or finer, also under autocast: sums over all positions.
    Source: Johnson et al. 2016 equation 3; BasicSR `PerceptualLoss._gram_mat`.
    """
    _, c, h, w = features.shape
    with torch.autocast(features.device.type, enabled=False):
        flat = exact(features).flatten(2)
        return flat @ flat.mT / (c * h * w)


def _distance(sr: Tensor, hr: Tensor, norm: ContentNorm) -> Tensor:
    match norm:
        case "l1":
            return (sr - hr).abs().mean(dim=(1, 2))
        case "squared":
            return (sr - hr).square().mean(dim=(1, 2))
