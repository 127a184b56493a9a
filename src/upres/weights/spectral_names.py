"""Spectral norm's tensors under torch's older names, which published discriminators have.

older `torch.nn.utils.spectral_norm`: conv1.weight_orig, conv1.weight_u, conv1.weight_v
our parametrization: conv1.parametrizations.weight.original, ...weight.0._u, ...weight.0._v
Both mean weight_orig / (u . weight_orig v); only the spelling differs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from upres.errors import BadWeights
from upres.networks.unet_discriminator import UNetDiscriminatorSettings
from upres.weights.recognise import unwrap
from upres.weights.tensors import read_any

_SPELLING = {
    "weight_orig": "parametrizations.weight.original",
    "weight_u": "parametrizations.weight.0._u",
    "weight_v": "parametrizations.weight.0._v",
}


class ForeignDiscriminator(NamedTuple):
    """A discriminator that another program trained, its tensors under our names, float32."""

    settings: UNetDiscriminatorSettings
    tensors: dict[str, Tensor]


def parametrised(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same tensors under the parametrization's names; other names stay."""
    renamed = {}
    for key, tensor in tensors.items():
        layer, dot, last = key.rpartition(".")
        renamed[layer + dot + _SPELLING.get(last, last)] = tensor
    return renamed


def read_discriminator(path: Path) -> ForeignDiscriminator:
    """Return the U-Net discriminator in a file such as `RealESRGAN_x4plus_netD.pth`.

    `fill` puts the tensors into `UNetDiscriminator(settings)` and refuses an incomplete file.
    Raises BadWeights when the file is unsafe, damaged, or holds another network.
    """
    _, content = read_any(path)
    tensors = {key: value.float() for key, value in unwrap(content, str(path)).items()}
    first = tensors.get("conv0.weight")
    if first is None or "conv9.weight" not in tensors or first.ndim != 4:
        raise BadWeights(
            f"{path} is no U-Net discriminator (its first tensor is {min(tensors)!r}), expected "
            "one such as RealESRGAN_x4plus_netD.pth with conv0 to conv9: give that file."
        )
    tensors = parametrised(tensors)
    spectral = any(".parametrizations." in key for key in tensors)
    settings = UNetDiscriminatorSettings(
        width=first.shape[0], norm="spectral" if spectral else "none"
    )
    return ForeignDiscriminator(settings, tensors)
