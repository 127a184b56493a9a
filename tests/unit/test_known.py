"""Metrics by name."""

import math

import pytest

from upres.errors import BadSetting
from upres.metrics.known import (
    DEFAULT_METRICS,
    METRICS,
    checked,
    feature_layer,
    get_metric,
    key_of,
    label_of,
)
from upres.weights.published import PUBLISHED


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_says_what_it_is_and_what_it_does_not_see(metric):
    assert metric.what and metric.blind_to and metric.source and metric.label
    assert metric.low <= metric.ideal <= metric.high
    assert (metric.higher is None) == (metric.ideal not in (metric.low, metric.high))
    assert set(metric.weights) <= set(PUBLISHED)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("space", ["y", "rgb"])
def test_a_rows_key_leads_back_to_its_metric(metric, space):
    assert get_metric(key_of(metric, space)) is metric


def test_keys_and_labels():
    assert key_of(get_metric("ssim_daala"), "rgb") == "ssim_daala_rgb"
    assert key_of(get_metric("lpips_alex"), "y") == "lpips_alex"
    assert label_of("psnr_y") == "PSNR-Y"
    assert label_of("lpips_alex") == "LPIPS"
    assert label_of("vgg19_conv5_4") == "VGG19 conv5_4"
    assert all(name in METRICS for name in DEFAULT_METRICS)


@pytest.mark.parametrize(
    ("name", "network", "layer", "least"),
    [
        # four poolings by 2 lie before VGG's fifth level, two before its third
        ("vgg19_conv5_4", "vgg19", "conv5_4", 16),
        ("vgg16_relu3_3", "vgg16", "relu3_3", 4),
        ("alexnet_conv5", "alexnet", "conv5", 31),
    ],
)
def test_any_layer_of_a_feature_network_is_a_metric(name, network, layer, least):
    metric = get_metric(name)
    assert (metric.name, metric.weights, metric.least_side) == (name, (network,), least)
    assert not metric.spaces and metric.higher is False and metric.ideal == 0
    assert feature_layer(name) == (network, layer)
    assert key_of(metric, "y") == name


@pytest.mark.parametrize("name", ["lpips_alex", "psnr", "vgg", "conv5_4", ""])
def test_other_names_are_no_layers(name):
    assert feature_layer(name) is None


def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(BadSetting, match=r"no metric 'lpip_alex'; did you mean 'lpips_alex'\?"):
        get_metric("lpip_alex")
    with pytest.raises(BadSetting, match=r"vgg19 has no layer 'conv5_5'; did you mean 'conv5_4'"):
        get_metric("vgg19_conv5_5")
    with pytest.raises(BadSetting, match="no metric 'dists_y'"):
        get_metric("dists_y")  # it has no space


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("psnr", math.nan),
        ("ssim", 1.01),
        ("ssim", -1.2),
        ("lpips_alex", -0.1),
        ("ms_ssim", -0.2),
        ("dists", 2.5),
        ("shift_red", 256.0),
        ("niqe", math.nan),
        ("edge_gain", -1.0),
    ],
)
def test_a_value_out_of_range_is_a_mistake(name, value):
    with pytest.raises(ValueError, match=f"{name} is .* outside"):
        checked(get_metric(name), value)


def test_values_in_range_come_back():
    assert checked(get_metric("psnr"), math.inf) == math.inf
    assert checked(get_metric("psnr"), -3.0) == -3
    assert checked(get_metric("ssim"), 1.0 + 1e-12) == 1.0 + 1e-12  # rounding
    assert checked(get_metric("flat_artefacts"), -2.25) == -2.25


def test_directions_and_ranges_in_words():
    assert get_metric("edge_gain").direction == "best at 1"
    assert get_metric("edge_gain").arrow == "→1"
    assert get_metric("psnr").direction == "higher is better"
    assert get_metric("niqe").arrow == "↓"
    ranges = [get_metric(n).range for n in ("psnr", "ssim", "niqe")]
    assert ranges == ["any", "-1..1", "0 and more"]
