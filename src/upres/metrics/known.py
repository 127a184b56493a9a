"""Metrics by name: what they say, what they are blind to, when they must not be the headline.

A name as people ask for it (`psnr`) and as a row of scores has it (`psnr_y`: on luma) are the
same metric; the space behind it is the protocol's.
"""

from typing import get_args

from upres.errors import BadSetting, suggestion
from upres.metrics.listed import METRICS as METRICS
from upres.metrics.metric import Metric as Metric
from upres.networks.features import FeatureNetworkName, layer_names, least_side

DEFAULT_METRICS = ("psnr", "ssim", "lpips_alex")
SPACES = ("y", "rgb")
FEATURE_NETWORKS: tuple[FeatureNetworkName, ...] = get_args(FeatureNetworkName)

_ROUNDING = 1e-9  # by which a value may lie outside its range


def get_metric(name: str) -> Metric:
    """Return the metric of that name, with or without a space behind it.

    `vgg19_conv5_4` is the distance of VGG19's features at that layer; any layer of any of the
    feature networks will do. Raises BadSetting for a name that is none.
    """
    plain = _without_space(name)
    if plain in METRICS:
        return METRICS[plain]
    layer = feature_layer(plain)
    if layer is None:
        raise BadSetting(f"no metric {name!r}; {suggestion(plain, METRICS)}")
    return _feature_distance(*layer)


def feature_layer(name: str) -> tuple[FeatureNetworkName, str] | None:
    """Return the network and layer that a distance of features is named for; None: it is none.

    Raises BadSetting for a layer that the network does not have.
    """
    network, _, layer = name.partition("_")
    for known in FEATURE_NETWORKS:
        if network == known:
            layers = layer_names(known)
            if layer not in layers:
                raise BadSetting(
                    f"{known} has no layer {layer!r}; {suggestion(layer, layers)} "
                    f"A metric of it is called {known}_{layers[-1]}, for example."
                )
            return known, layer
    return None


def key_of(metric: Metric, space: str) -> str:
    """Return what the metric is called in a row of scores: `psnr_y`, `lpips_alex`."""
    return f"{metric.name}_{space}" if metric.spaces else metric.name


def label_of(key: str) -> str:
    """Return what a row's metric is called in tables: `PSNR-Y`, `LPIPS`."""
    metric = get_metric(key)
    space = key.removeprefix(metric.name).removeprefix("_")
    return f"{metric.label}-{space.upper()}" if space else metric.label


def checked(metric: Metric, value: float) -> float:
    """Return `value`. Raises ValueError where the metric cannot have it: nan, or out of range."""
    if not metric.low - _ROUNDING <= value <= metric.high + _ROUNDING:  # nan is in no range
        raise ValueError(
            f"{metric.name} is {value}, outside {metric.low:g}..{metric.high:g}: this is a mistake "
            "of the program"
        )
    return value


def _without_space(name: str) -> str:
    for space in SPACES:
        plain = name.removesuffix(f"_{space}")
        if plain != name and plain in METRICS and METRICS[plain].spaces:
            return plain
    return name


def _feature_distance(network: FeatureNetworkName, layer: str) -> Metric:
    shown = {"vgg19": "VGG19", "vgg16": "VGG16", "alexnet": "AlexNet"}[network]
    return Metric(
        name=f"{network}_{layer}",
        label=f"{shown} {layer}",
        higher=False,
        ideal=0.0,
        what=f"distance of the two pictures' features in {shown}, as content losses have it",
        blind_to="what the layer does not respond to; who trained by it wins by it",
        source="mean squared difference over channels and places, as in paper A's table 1 "
        "(vgg19_conv3_4), pictures in 0..1 normalised as ImageNet's",
        least_side=least_side(network, layer),
        weights=(network,),
    )
