"""Metrics as the judge calls them: which pictures, space, border and dialect they get."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from upres.errors import BadSetting, WorkFailed
from upres.evaluation.judge import JudgedPair, score
from upres.evaluation.measures import measures_for
from upres.evaluation.protocols import PROTOCOLS, get_protocol, make_lr
from upres.images import colour
from upres.images.resize import shrink
from upres.metrics.colour_shift import channel_shift, ciede2000
from upres.metrics.edge_gain import edge_gain
from upres.metrics.flat_artefacts import flat_artefacts
from upres.metrics.known import METRICS, get_metric
from upres.metrics.ms_ssim import ms_ssim
from upres.metrics.niqe import Pristine
from upres.metrics.psnr import psnr
from upres.metrics.ssim_dialects import SSIM_DIALECTS
from upres.networks.dists import DISTS
from upres.networks.features import FeatureNetwork
from upres.networks.lpips import LPIPS

FLOAT, RGB, SRGAN = (get_protocol(name) for name in ("sr-y-float", "sr-rgb", "srgan"))
LAYER = "vgg19_conv2_2"
NAMES = (*METRICS, LAYER)


@pytest.fixture(scope="module")
def networks():
    """Random networks of the right shapes."""
    pristine = Pristine(torch.zeros(36).double(), torch.eye(36).double())
    return {
        "lpips_alex": LPIPS("alexnet"),
        "lpips_vgg": LPIPS("vgg16"),
        "dists": DISTS(),
        "niqe": pristine,
        LAYER: FeatureNetwork("vgg19", ["conv2_2"]),
    }


def noise(side=48, width=52, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (side, width, 3), dtype=np.uint8)


def pair_of(hr, protocol=FLOAT, name="a.png"):
    return JudgedPair(name, make_lr(hr, protocol, 4), hr)


def values(names, sr, hr, protocol=FLOAT, networks=None):
    measures = measures_for(names, protocol, networks or {})
    (scores,) = score([(pair_of(hr, protocol), sr)], protocol, scale=4, measures=measures)
    return scores.metrics


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_measures_pictures_of_its_least_side(name, networks):
    metric = get_metric(name)
    side = metric.least_side + (2 * 4 if metric.spaces else 0)
    side += -side % 4
    hr, sr = noise(side, side), noise(side, side, seed=1)
    ((_, value),) = values([name], sr, hr, networks=networks).items()
    assert metric.low <= value <= metric.high
    ((_, equal),) = values([name], hr, hr, networks=networks).items()
    if name != "niqe":  # it sees no HR
        assert equal == pytest.approx(metric.ideal, abs=1e-6)  # float32


@pytest.mark.parametrize("name", [n for n in NAMES if get_metric(n).least_side > 4])
def test_smaller_pictures_are_refused(name, networks):
    metric = get_metric(name)
    side = (metric.least_side + (2 * 4 if metric.spaces else 0) - 1) // 4 * 4
    with pytest.raises(ValueError):
        values([name], noise(side, side), noise(side, side), networks=networks)


@pytest.mark.parametrize("protocol", [p for p in PROTOCOLS.values() if p.chain == "rgb"])
def test_ssim_is_that_of_the_protocols_dialect(protocol):
    sr, hr = noise(80, 60), noise(80, 60, seed=1)
    measured = values(["ssim"], sr, hr, protocol)[f"ssim_{protocol.space}"]
    if protocol.space == "rgb":
        planes = [torch.from_numpy(p.transpose(2, 0, 1)[None].copy()).double() for p in (sr, hr)]
    else:
        planes = [
            torch.from_numpy(colour.luma(p, protocol.y_rounded))[None, None] for p in (sr, hr)
        ]
    own = SSIM_DIALECTS[protocol.ssim](*planes, border=protocol.border_pixels(4)).item()
    assert measured == pytest.approx(own, rel=1e-12)
    others = [
        dialect(*planes, border=protocol.border_pixels(4)).item()
        for name, dialect in SSIM_DIALECTS.items()
        if name != protocol.ssim
    ]
    assert all(abs(measured - other) > 1e-7 for other in others)


def test_a_dialect_can_be_asked_for_by_name():
    names = ["ssim"] + [f"ssim_{dialect.replace('-', '_')}" for dialect in SSIM_DIALECTS]
    sr, hr = noise(80, 60), noise(80, 60, seed=1)
    of_srgan = values(names, sr, hr, SRGAN)
    assert of_srgan["ssim_y"] == of_srgan["ssim_daala_y"] != of_srgan["ssim_wang_y"]
    of_float = values(names, sr, hr)
    assert of_float["ssim_y"] == of_float["ssim_wang_y"] != of_float["ssim_daala_y"]
    assert len(set(of_float.values())) == len(SSIM_DIALECTS)


def test_keys_have_the_protocols_space_where_a_metric_has_one(networks):
    names = ["ms_ssim", "niqe", "psnr", LAYER]
    keys = ["ms_ssim_rgb", "niqe", "psnr_rgb", LAYER]
    assert list(measures_for(names, RGB, networks)) == keys


def test_a_cast_shows_in_its_own_channel():
    hr = noise() // 2
    sr = hr.copy()
    sr[..., 0] += 5
    sr[..., 2] += 1
    measured = values(["shift_red", "shift_green", "shift_blue", "ciede2000"], sr, hr)
    assert [measured[f"shift_{c}"] for c in ("red", "green", "blue")] == [5, 0, 1]
    assert measured["ciede2000"] > 1


@pytest.mark.parametrize("name", ["sr-y-float", "paper-a", "paper-b", "srgan"])
def test_the_input_is_compared_with_sr_by_the_protocols_resizer(name):
    protocol = get_protocol(name)
    sr, hr = noise(), noise(seed=1)
    assert values(["lr_psnr"], hr, hr, protocol)["lr_psnr"] == math.inf
    lrs = [shrink(p, 4, protocol.lr_resizer).transpose(2, 0, 1)[None].copy() for p in (sr, hr)]
    expected = psnr(*(torch.from_numpy(lr).double() for lr in lrs), border=0).item()
    assert values(["lr_psnr"], sr, hr, protocol)["lr_psnr"] == pytest.approx(expected)


def test_pictures_of_a_batch_have_the_values_that_they_have_alone(networks):
    names = [name for name in NAMES if get_metric(name).least_side <= 40]
    hrs, srs = [noise(seed=s) for s in (0, 1)], [noise(seed=s) for s in (2, 3)]
    measures = measures_for(names, FLOAT, networks)
    batch = [(pair_of(hr), sr) for hr, sr in zip(hrs, srs, strict=True)]
    together = score(batch, FLOAT, scale=4, measures=measures)
    for scores, sr, hr in zip(together, srs, hrs, strict=True):
        assert scores.metrics == pytest.approx(values(names, sr, hr, networks=networks), rel=1e-5)


def test_grey_is_that_of_full_range():
    hr = np.full((24, 24, 3), 100, np.uint8)
    sr = hr.copy()
    sr[::2, ::2] += 8
    sr[1::2, 1::2] += 8  # a checkerboard of amplitude 4 around 104
    assert values(["flat_artefacts"], sr, hr)["flat_artefacts"] == pytest.approx(16)


def test_luma_alone_has_no_metrics_of_rgb_pictures(networks):
    vdsr = get_protocol("vdsr")
    for name in NAMES:
        if get_metric(name).spaces:
            measures_for([name], vdsr, networks)
        else:
            with pytest.raises(
                BadSetting, match=f"{name} looks at RGB pictures, but protocol vdsr"
            ):
                measures_for([name], vdsr, networks)


@pytest.mark.parametrize("channels", [1, 3])
def test_metrics_of_pixels_stay_where_the_pictures_are(channels):
    """The device `meta` has shapes only: a tensor that comes from elsewhere is refused."""
    sr, hr = (torch.empty(2, channels, 192, 192, device="meta") for _ in range(2))
    bordered = [*SSIM_DIALECTS.values(), ms_ssim, psnr]
    whole = [flat_artefacts, edge_gain] if channels == 1 else [ciede2000, channel_shift]
    found = [measure(sr, hr, border=4) for measure in bordered]
    found += [measure(sr, hr) for measure in whole]
    assert {values.device.type for values in found} == {"meta"}
    assert {values.shape[0] for values in found} == {2}


def test_niqe_of_a_blank_picture_is_told_with_its_name(networks):
    blank = np.full((192, 192, 3), 90, np.uint8)
    batch = [
        (pair_of(hr, name=name), hr) for name, hr in (("a.png", noise(192, 192)), ("sky", blank))
    ]
    measures = measures_for(["niqe"], FLOAT, networks)
    with pytest.raises(WorkFailed, match="NIQE has no value for sky, a picture without texture"):
        score(batch, FLOAT, scale=4, measures=measures)


def test_a_value_out_of_range_stops_the_judging(networks):
    strict = dataclasses.replace(get_metric("psnr"), low=1000.0)
    ((key, (_, measure)),) = measures_for(["psnr"], FLOAT, {}).items()
    with pytest.raises(ValueError, match=r"psnr is .* outside"):
        score(
            [(pair_of(noise()), noise(seed=1))], FLOAT, scale=4, measures={key: (strict, measure)}
        )
