"""Metrics by name as functions of pictures: what the judge calls for each batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from upres.errors import BadSetting
from upres.evaluation.protocols import Protocol
from upres.metrics.known import Metric, get_metric, key_of
from upres.metrics.lpips import lpips_distance
from upres.metrics.psnr import psnr
from upres.metrics.ssim import ssim

Batch = NDArray[np.uint8]  # (n, h, w, 3) RGB
Networks = Mapping[str, nn.Module]  # by the name of the metric that calls it


@dataclass(frozen=True, eq=False)
class Seen:
    """Pictures of one size, as measures see them.

    compared: SR and HR in the protocol's space, (n c h w) float64 0..255, the border still on.
    Measures of the whole 8-bit RGB picture take sr, hr and lr.
    """

    sr: Batch
    hr: Batch
    lr: Batch
    compared: tuple[Tensor, Tensor]
    border: int
    scale: int
    protocol: Protocol


Measure = Callable[[Seen], Tensor]  # (n,) one value a picture


def measures_for(
    names: Iterable[str], protocol: Protocol, networks: Networks
) -> dict[str, tuple[Metric, Measure]]:
    """Return the asked metrics by the key that rows of scores have them under.

    networks: those that metrics with `weights` call.
    Raises BadSetting for an unknown metric, and for one that needs RGB where the protocol
    compares luma that was enlarged alone.
    """
    found = {}
    for name in names:
        metric = get_metric(name)
        if protocol.chain == "y" and not metric.spaces:
            raise BadSetting(
                f"{metric.name} looks at RGB pictures, but protocol {protocol.name} enlarges luma "
                f"alone; ask for psnr and ssim, or for protocol sr-y."
            )
        measure = _measure(metric.name, protocol, networks)
        found[key_of(metric, protocol.space)] = (metric, measure)
    return found


def _measure(name: str, protocol: Protocol, networks: Networks) -> Measure:
    match name:
        case "psnr":
            return lambda seen: psnr(*seen.compared, border=seen.border)
        case "ssim":
            return lambda seen: ssim(*seen.compared, border=seen.border)
        case "lpips_alex":
            network = networks[name]
            return lambda seen: lpips_distance(network, _unit(seen.sr), _unit(seen.hr))
    raise BadSetting(f"the metric {name!r} has no measure.")


def _unit(pictures: Batch) -> Tensor:
    """Return (n 3 h w), float32, 0..1."""
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return torch.from_numpy(planes).float() / 255
