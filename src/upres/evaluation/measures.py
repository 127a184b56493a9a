"""Metrics by name as functions of pictures: what the judge calls for each batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from upres.errors import BadSetting, WorkFailed
from upres.evaluation.protocols import Protocol
from upres.images import colour
from upres.images.resize import shrink
from upres.metrics.colour_shift import channel_shift, ciede2000
from upres.metrics.consistency import lr_psnr
from upres.metrics.dists import dists_distance
from upres.metrics.edge_gain import edge_gain
from upres.metrics.feature_distance import feature_distance
from upres.metrics.flat_artefacts import flat_artefacts
from upres.metrics.known import Metric, feature_layer, get_metric, key_of
from upres.metrics.lpips import lpips_distance
from upres.metrics.ms_ssim import ms_ssim
from upres.metrics.niqe import Pristine, niqe
from upres.metrics.psnr import psnr
from upres.metrics.ssim_dialects import SSIM_DIALECTS

Batch = NDArray[np.uint8]  # (n, h, w, 3) RGB
Networks = Mapping[str, nn.Module]  # by the name of the metric that calls it


@dataclass(frozen=True, eq=False)
class Seen:
    """Pictures of one size, as measures see them, and what they are called.

    compared: SR and HR in the protocol's space, (n c h w) float64 0..255, the border still on.
    Measures of the whole 8-bit RGB picture take sr, hr and lr.
    """

    names: tuple[str, ...]
    sr: Batch
    hr: Batch
    lr: Batch
    compared: tuple[Tensor, Tensor]
    border: int
    scale: int
    protocol: Protocol

    @cached_property
    def units(self) -> tuple[Tensor, Tensor]:
        """SR and HR as networks take them: (n 3 h w), float32, 0..1."""
        return _planes(self.sr).float() / 255, _planes(self.hr).float() / 255

    @cached_property
    def levels(self) -> tuple[Tensor, Tensor]:
        """SR and HR as (n 3 h w), float64, 0..255."""
        return _planes(self.sr).double(), _planes(self.hr).double()

    @cached_property
    def greys(self) -> tuple[Tensor, Tensor]:
        """The grey value of SR and HR: (n 1 h w), float64, 0..255."""
        sr, hr = (
            torch.from_numpy(colour.grey(pictures))[:, None] for pictures in (self.sr, self.hr)
        )
        return sr, hr


Measure = Callable[[Seen], Tensor]  # (n,) one value a picture


def measures_for(
    names: Iterable[str], protocol: Protocol, networks: Networks
) -> dict[str, tuple[Metric, Measure]]:
    """Return the asked metrics by the key that rows of scores have them under.

    networks: those that metrics with `weights` call (`evaluation.networks.load_networks`).
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
        found[key_of(metric, protocol.space)] = (metric, _measure(metric, protocol, networks))
    return found


def _measure(metric: Metric, protocol: Protocol, networks: Networks) -> Measure:
    if metric.weights:
        return _by_network(metric.name, networks[metric.name])
    if metric.spaces:
        return _in_space(metric.name, protocol)
    return _of_whole_picture(metric.name)


def _in_space(name: str, protocol: Protocol) -> Measure:
    """What the protocol's space, border and dialect decide."""
    match name:
        case "psnr":
            return lambda seen: psnr(*seen.compared, border=seen.border)
        case "ms_ssim":
            return lambda seen: ms_ssim(*seen.compared, border=seen.border)
    own = name.removeprefix("ssim").removeprefix("_").replace("_", "-")
    similarity = SSIM_DIALECTS[own or protocol.ssim]
    return lambda seen: similarity(*seen.compared, border=seen.border)


def _of_whole_picture(name: str) -> Measure:
    match name:
        case "lr_psnr":
            return _lr_psnr
        case "ciede2000":
            return lambda seen: ciede2000(*seen.levels)
        case "shift_red":
            return lambda seen: channel_shift(*seen.levels)[:, 0]
        case "shift_green":
            return lambda seen: channel_shift(*seen.levels)[:, 1]
        case "shift_blue":
            return lambda seen: channel_shift(*seen.levels)[:, 2]
        case "flat_artefacts":
            return lambda seen: flat_artefacts(*seen.greys)
        case "edge_gain":
            return lambda seen: edge_gain(*seen.greys)
    raise BadSetting(f"the metric {name!r} has no measure.")


def _by_network(name: str, network: nn.Module) -> Measure:
    match name:
        case "lpips_alex" | "lpips_vgg":
            return lambda seen: lpips_distance(network, *seen.units)
        case "dists":
            return lambda seen: dists_distance(network, *seen.units)
        case "niqe":
            assert isinstance(network, Pristine)
            return partial(_niqe, network)
    if feature_layer(name) is None:
        raise BadSetting(f"the metric {name!r} has no measure.")
    return lambda seen: feature_distance(network, *seen.units)


def _lr_psnr(seen: Seen) -> Tensor:
    scale, resizer = seen.scale, seen.protocol.lr_resizer
    return lr_psnr(seen.sr, seen.lr, lambda picture: shrink(picture, scale, resizer))


def _niqe(pristine: Pristine, seen: Seen) -> Tensor:
    luma = torch.from_numpy(colour.luma(seen.sr, rounded=True))[:, None]
    values = niqe(luma, pristine)
    none = [name for name, lacks in zip(seen.names, values.isnan(), strict=True) if lacks]
    if none:
        raise WorkFailed(
            f"NIQE has no value for {', '.join(none)}, a picture without texture in at least two "
            "blocks of 96x96: leave niqe out of --metrics, or that picture out of the folder."
        )
    return values


def _planes(pictures: Batch) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
