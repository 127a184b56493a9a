"""DISTS (Ding et al. 2020): a learned distance that forgives another sample of the same texture.

A network, because it is layers with weights; metrics measure with it and losses may receive it.
The trunk is VGG16 whose poolings are a 3x3 Hann-weighted root mean square with stride 2, so that
nothing folds back as a shift of the picture makes it. Source: dingkeyan93/DISTS, DISTS_pt.py.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from upres.networks.features import FeatureNetwork, layer_channels

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")  # after the picture itself
CHANNELS = (3, *(layer_channels("vgg16", layer) for layer in LAYERS))  # 1475 in all
STABLE = 1e-6  # c1 and c2 of equations 3 and 4
POOL_STABLE = 1e-12  # under the root, whose slope at 0 has no bound


class DISTS(nn.Module):
    """One minus the weighted likeness of two pictures' means and structures, map by map.

    Weights: `trunk.features.N.*` as torchvision's, `alpha` (of the means) and `beta` (of the
    structures), each (1 1475 1 1) and all equal until they are loaded; only their proportions
    count. Frozen and always in eval mode.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = FeatureNetwork("vgg16", LAYERS)
        for index, layer in enumerate(self.trunk.plan):
            if layer.kind == "pool":
                self.trunk.features[index] = _RootMeanSquarePool()
        self.alpha = nn.Parameter(torch.full((1, sum(CHANNELS), 1, 1), 0.1))
        self.beta = nn.Parameter(torch.full((1, sum(CHANNELS), 1, 1), 0.1))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "DISTS":
        """Stay in eval mode."""
        return super().train(False)

    def forward(
        self, sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, " n"]:
        """Return one distance a pair, 0 where both are equal; RGB in 0..1, any float type.

        Gradients reach both pictures. It computes in float32, also under autocast.
        Raises ValueError for pictures of less than 16 pixels a side.
        """
        of_sr, of_hr = self.trunk(sr), self.trunk(hr)
        with torch.autocast(sr.device.type, enabled=False):
            weights = self.alpha.float().sum() + self.beta.float().sum()
            alphas = (self.alpha.float() / weights).flatten().split(CHANNELS)
            betas = (self.beta.float() / weights).flatten().split(CHANNELS)
            pairs = [(sr, hr), *((of_sr[layer], of_hr[layer]) for layer in LAYERS)]
            alike = [
                _likeness(a.float(), b.float(), alpha, beta)
                for (a, b), alpha, beta in zip(pairs, alphas, betas, strict=True)
            ]
            return 1 - torch.stack(alike).sum(dim=0)


def _likeness(a: Tensor, b: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """Weighted sum of equations 3 (means) and 4 (structure) over the channels of one map."""
    mean_a, mean_b = a.mean(dim=(2, 3), keepdim=True), b.mean(dim=(2, 3), keepdim=True)
    off_a, off_b = a - mean_a, b - mean_b
    means = (2 * mean_a * mean_b + STABLE) / (mean_a.square() + mean_b.square() + STABLE)
    both = (off_a * off_b).mean(dim=(2, 3))  # from the means: equal pictures are exactly alike
    apart = off_a.square().mean(dim=(2, 3)) + off_b.square().mean(dim=(2, 3))
    structure = (2 * both + STABLE) / (apart + STABLE)
    return (alpha * means.flatten(1) + beta * structure).sum(dim=1)


class _RootMeanSquarePool(nn.Module):
    """Halves the sides: sqrt of the squares under a 3x3 Hann window."""

    def __init__(self) -> None:
        super().__init__()
        hann = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("window", torch.outer(hann, hann)[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        assert isinstance(self.window, Tensor)
        channels = x.shape[1]
        window = self.window.expand(channels, 1, 3, 3)
        summed = F.conv2d(x.square(), window, stride=2, padding=1, groups=channels)
        return (summed + POOL_STABLE).sqrt()
