"""The pretrained networks that metrics call: which are needed, and getting them."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from upres.errors import BadSetting, MissingWeights
from upres.metrics.known import feature_layer, get_metric
from upres.metrics.niqe import Pristine
from upres.weights.download import Progress
from upres.weights.niqe_statistics import load_niqe_statistics
from upres.weights.perceptual import load_dists, load_features, load_lpips
from upres.weights.published import require


def load_networks(
    names: Iterable[str],
    weights_dir: Path | None = None,
    device: torch.device | str = "cpu",
    *,
    download: bool = True,
    progress: Progress | None = None,
) -> tuple[dict[str, nn.Module], dict[str, str]]:
    """Return the networks that these metrics call, on `device`, by metric, and what is missing.

    names: of metrics; those without weights need nothing. download: get what is not on this
    machine. The second part says for each metric whose weights cannot be had why, and how to get
    them: the others can be measured.
    Raises BadSetting for an unknown metric, BadWeights for a damaged file.
    """
    networks: dict[str, nn.Module] = {}
    missing: dict[str, str] = {}
    for name in names:
        metric = get_metric(name)
        if not metric.weights:
            continue
        try:
            require(
                metric.weights,
                metric.label,
                field=f"leaving {metric.name} out of --metrics",
                weights_dir=weights_dir,
                download=download,
                progress=progress,
            )
            networks[metric.name] = _load(metric.name, weights_dir).to(device)
        except MissingWeights as error:
            missing[metric.name] = str(error)
    return networks, missing


def _load(name: str, weights_dir: Path | None) -> nn.Module:
    match name:
        case "lpips_alex":
            return load_lpips("alex", weights_dir)
        case "lpips_vgg":
            return load_lpips("vgg", weights_dir)
        case "dists":
            return load_dists(weights_dir)
        case "niqe":
            return Pristine(*load_niqe_statistics(weights_dir))
    layer = feature_layer(name)
    if layer is None:
        raise BadSetting(f"the metric {name!r} calls no network.")
    return load_features(layer[0], (layer[1],), weights_dir)
