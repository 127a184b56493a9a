"""What, apart from the picture, decides the result: as JSON, for the key it is known by."""

import functools
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from upres.batch.manifest import sha256_of
from upres.images.saving import SaveSettings
from upres.upscaling.finishing import Finish
from upres.upscaling.sizes import SizeWish
from upres.upscaling.upscaler import Upscaler


def made_by(
    upscaler: Upscaler, wish: SizeWish, save: SaveSettings, mask: Path | None = None
) -> dict[str, Any]:
    """Return all that changes what `upscale_file` writes for a picture."""
    return {
        "model": network_digest(upscaler.network),
        "scale": upscaler.scale,
        "precision": upscaler.precision,
        "backend": upscaler.backend,
        "tile": upscaler.tile,
        "exact": upscaler.exact,
        "finishes": [_told(finish) for finish in upscaler.finishes],
        "size": asdict(wish),
        "save": asdict(save),
        "mask": None if mask is None else sha256_of(mask),
    }


def network_digest(network: nn.Module) -> str:
    """Return the sha256 of a network's layers and weights, in hexadecimal."""
    digest = hashlib.sha256(repr(network).encode())
    for name, values in sorted(network.state_dict().items()):
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _told(finish: Finish) -> str:
    change = finish.change
    if isinstance(change, functools.partial):
        return f"{change.func.__name__} {change.keywords}"
    return getattr(change, "__name__", repr(change))
