"""Every term of a generator's loss that a stage asks for, on one batch."""

from collections.abc import Mapping

import torch
from torch import Tensor

from upres.losses.content import content
from upres.losses.frequency import frequency
from upres.losses.gradient import gradient
from upres.losses.pixel import PIXEL_LOSSES
from upres.losses.structure import STRUCTURE_LOSSES
from upres.losses.style import style
from upres.losses.variation import total_variation
from upres.recipes.terms import GanLosses, PixelLosses
from upres.training.perceivers import Distance, Features


def picture_terms(
    sr: Tensor,
    hr: Tensor,
    losses: PixelLosses | GanLosses,
    weights: Mapping[str, float],
    *,
    lpips: Distance | None = None,
    dists: Distance | None = None,
) -> dict[str, Tensor]:
    """Return the mean of each term that compares the pictures themselves and weighs something.

    sr, hr: (n, 3, H, W), float32 RGB 0..1. weights: those in force now, by name.
    """
    terms: dict[str, Tensor] = {}
    for name in (name for name, weight in weights.items() if weight):
        match name:
            case "pixel":
                terms[name] = PIXEL_LOSSES[losses.pixel.form](sr, hr)
            case "structure" if losses.structure is not None:
                terms[name] = STRUCTURE_LOSSES[losses.structure.form](sr, hr)
            case "gradient":
                terms[name] = gradient(sr, hr)
            case "frequency":
                terms[name] = frequency(sr, hr)
            case "variation":
                terms[name] = total_variation(sr)
            case "lpips" if lpips is not None:
                terms[name] = lpips(sr, hr)
            case "dists" if dists is not None:
                terms[name] = dists(sr, hr)
            case "content" | "style" | "adversarial":
                pass
            case _:
                raise ValueError(f"the {name} term has nothing to look through")
    return {name: term.mean() for name, term in terms.items()}


def feature_terms(
    sr: Tensor,
    hr: Tensor,
    losses: GanLosses,
    weights: Mapping[str, float],
    features: Features | None,
) -> dict[str, Tensor]:
    """Return the mean of the content and style terms, of one look at each picture.

    features: picture (n, 3, H, W) in 0..1 -> feature maps by layer name.
    """
    wanted = [name for name in ("content", "style") if weights.get(name)]
    if not wanted or features is None:
        return {}
    with torch.no_grad():
        of_hr = features(hr)
    of_sr = features(sr)
    terms: dict[str, Tensor] = {}
    if "content" in wanted:
        layers = losses.content.layers
        terms["content"] = content(of_sr, of_hr, layers, losses.content.form).mean()
    if "style" in wanted and losses.style is not None:
        terms["style"] = style(of_sr, of_hr, losses.style.layers).mean()
    return terms
