"""LPIPS (Zhang et al. 2018, version 0.1): a learned distance of two pictures.

A network, because it is layers with weights; metrics measure with it and losses may receive it.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from upres.networks.features import FeatureNetwork, layer_channels

LPIPSTrunk = Literal["alexnet", "vgg16"]

LAYERS: dict[LPIPSTrunk, tuple[str, ...]] = {
    "alexnet": ("relu1", "relu2", "relu3", "relu4", "relu5"),
    "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
}
NO_DIRECTION = 1e-10  # added to a norm, so that a pixel without features has no direction


class LPIPS(nn.Module):
    """The distance of two pictures by unit feature vectors and learned weights of channels.

    Weights: `trunk.features.N.*` as torchvision's, and `heads.I.weight` (1, C, 1, 1), which are
    a plain mean of channels until they are loaded. Frozen and always in eval mode.
    """

    def __init__(self, trunk: LPIPSTrunk) -> None:
        super().__init__()
        self.trunk = FeatureNetwork(trunk, LAYERS[trunk])
        self.heads = nn.ModuleList()
        for layer in LAYERS[trunk]:
            channels = layer_channels(trunk, layer)
            head = nn.utils.skip_init(nn.Conv2d, channels, 1, 1, bias=False)
            nn.init.constant_(head.weight, 1 / channels)
            self.heads.append(head)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "LPIPS":
        """Stay in eval mode."""
        return super().train(False)

    def forward(
        self, sr: Float[Tensor, "n 3 h w"], hr: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, " n"]:
        """Return one distance a pair, 0 where both are equal; RGB in 0..1, any float type.

        Gradients reach both pictures. Raises ValueError for pictures smaller than the trunk needs
        (31 pixels a side for AlexNet, 16 for VGG16).
        """
        of_sr, of_hr = self.trunk(sr), self.trunk(hr)
        with torch.autocast(sr.device.type, enabled=False):
            distances = []
            for head, layer in zip(self.heads, self.trunk.layers, strict=True):
                difference = _directions(of_sr[layer]) - _directions(of_hr[layer])
                distances.append(head(difference.square()).mean(dim=(1, 2, 3)))
            return torch.stack(distances).sum(dim=0)


def _directions(features: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (norm + NO_DIRECTION)
