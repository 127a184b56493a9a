"""LPIPS of 8-bit pictures: published calibration where the weights are here, and its manners."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from PIL import Image
from torch import nn

from upres.metrics.known import METRICS
from upres.metrics.lpips import lpips_distance
from upres.networks.lpips import LPIPS
from upres.weights.published import find

LEAST_SIDE = METRICS["lpips_alex"].least_side
NOISE = np.random.default_rng(0).integers(0, 256, (LEAST_SIDE, 40, 3), dtype=np.uint8)


def distance(network, sr, hr):
    sr, hr = (torch.from_numpy(p.copy()).permute(2, 0, 1)[None] / 255 for p in (sr, hr))
    return lpips_distance(network, sr, hr).item()


class Recorder(nn.Module):
    """Keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen = None

    def forward(self, sr, hr):
        self.seen = sr, hr
        return torch.tensor([0.25])


def photo_crop(name, left, top):
    data = pytest.importorskip("skimage.data", reason="scikit-image's photos are not installed")
    return np.ascontiguousarray(getattr(data, name)()[top : top + 256, left : left + 256])


@pytest.fixture(scope="module")
def network():
    if find("alexnet") is None or find("lpips-alex") is None:
        pytest.skip("the pretrained weights of LPIPS are not on this machine")
    from upres.weights.perceptual import load_lpips

    return load_lpips("alex")


# Golden values of an implementation that equals IQA-PyTorch's official calibration to 4 digits:
# 256x256 crops against 8 grey levels of themselves, and against their mirror image
@pytest.mark.parametrize(
    "name, left, top, coarse, mirrored",
    [
        ("chelsea", 60, 20, 0.10660, 0.56399),
        ("coffee", 150, 80, 0.05784, 0.45605),
        ("astronaut", 130, 20, 0.12931, 0.63239),
    ],
)
def test_distances_equal_the_calibrated_ones(network, name, left, top, coarse, mirrored):
    crop = photo_crop(name, left, top)
    posterised = crop // 32 * 32 + 16
    flipped = np.ascontiguousarray(crop[:, ::-1])
    assert distance(network, posterised, crop) == pytest.approx(coarse, abs=1e-4)
    assert distance(network, flipped, crop) == pytest.approx(mirrored, abs=1e-4)


def test_bicubic_is_as_far_as_measured(network):
    crop = photo_crop("coffee", 150, 80)
    small = Image.fromarray(crop).resize((64, 64), Image.Resampling.BICUBIC)
    large = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC))
    assert distance(network, large[4:-4, 4:-4], crop[4:-4, 4:-4]) == pytest.approx(0.263, abs=2e-3)


def test_the_network_sees_rgb_planes_between_0_and_1():
    recorder = Recorder()
    assert distance(recorder, NOISE, NOISE[::-1]) == 0.25
    sr, hr = recorder.seen
    assert sr.shape == (1, 3, LEAST_SIDE, 40)
    assert sr.dtype == torch.float32
    np.testing.assert_allclose(sr[0].permute(1, 2, 0).numpy() * 255, NOISE, atol=1e-4)
    np.testing.assert_allclose(hr[0].permute(1, 2, 0).numpy() * 255, NOISE[::-1], atol=1e-4)


def test_the_least_side_is_just_enough():
    lpips = LPIPS("alexnet")
    assert distance(lpips, NOISE, NOISE) == 0
    with pytest.raises(ValueError, match="too small"):
        distance(lpips, NOISE[1:], NOISE[1:])


def test_unlike_sizes_are_refused():
    with pytest.raises((ValueError, TypeCheckError), match=r"1, ?3, ?31, ?40"):
        distance(Recorder(), NOISE[1:], NOISE)
