"""Our PSNR and SSIM beside those of scikit-image and torchmetrics, and in the dialects' tables.

Tolerances: 1e-12 where both compute in float64 the same way; what torchmetrics computes otherwise
is named beside its tolerance.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from upres.images.colour import luma
from upres.images.files import read_rgb
from upres.images.resize import crop_to_multiple, enlarge, shrink
from upres.metrics.ms_ssim import ms_ssim
from upres.metrics.psnr import psnr
from upres.metrics.ssim_dialects import SSIM_DIALECTS

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"
needs_set5 = pytest.mark.skipif(not SET5.is_dir(), reason="Set5 is not on this machine")
PHOTOS = ("astronaut", "coffee", "chelsea")


@pytest.fixture(scope="module", params=PHOTOS)
def photo(request):
    """A crop of a photo and the bicubic x4 of its LR, uint8."""
    hr = np.ascontiguousarray(getattr(data, request.param)()[40:248, 60:360])
    return enlarge(shrink(hr, 4), 4), hr


def planes(picture):
    """A picture as the metrics take it: (1, c, h, w), float64."""
    values = np.atleast_3d(picture).astype(np.float64)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]


def ours(dialect, sr, hr, border=0):
    return float(SSIM_DIALECTS[dialect](planes(sr), planes(hr), border=border))


def test_psnr_is_scikit_images(photo):
    sr, hr = photo
    theirs = peak_signal_noise_ratio(hr, sr, data_range=255)
    assert float(psnr(planes(sr), planes(hr), border=0)) == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize(
    "dialect, settings",
    [
        ("scikit-image", {}),
        ("scikit-image-gaussian", {"gaussian_weights": True}),
        ("wang", {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}),
    ],
)
@pytest.mark.parametrize("space", ["rgb", "y"])
def test_ssim_is_scikit_images(photo, dialect, settings, space):
    sr, hr = photo if space == "rgb" else (luma(picture, False) for picture in photo)
    channels = {"channel_axis": 2} if space == "rgb" else {}
    theirs = structural_similarity(hr, sr, data_range=255, **channels, **settings)
    assert ours(dialect, sr, hr) == pytest.approx(theirs, abs=1e-12)


def test_psnr_is_torchmetrics(photo):
    image = pytest.importorskip("torchmetrics.functional.image")
    sr, hr = map(planes, photo)
    theirs = image.peak_signal_noise_ratio(sr, hr, data_range=255.0)
    # its logarithm is of float32: a relative 6e-8 of a PSNR below 40
    assert float(psnr(sr, hr, border=0)) == pytest.approx(float(theirs), abs=3e-6)


def test_ssim_is_torchmetrics(photo):
    image = pytest.importorskip("torchmetrics.functional.image")
    sr, hr = map(planes, photo)
    theirs = image.structural_similarity_index_measure(sr, hr, data_range=255.0)
    assert ours("torchmetrics", *photo) == pytest.approx(float(theirs), abs=1e-12)


def test_torchmetrics_map_without_its_edge_is_wangs_dialect(photo):
    image = pytest.importorskip("torchmetrics.functional.image")
    sr, hr = map(planes, photo)
    _, values = image.structural_similarity_index_measure(
        sr, hr, data_range=255.0, return_full_image=True
    )
    assert ours("wang", *photo) == pytest.approx(float(values[..., 5:-5, 5:-5].mean()), abs=1e-12)
    assert abs(ours("wang", *photo) - float(values.mean())) > 1e-4


def test_ms_ssim_is_torchmetrics(photo):
    image = pytest.importorskip("torchmetrics.functional.image")
    sr, hr = (planes(luma(picture, False)) for picture in photo)
    theirs = image.multiscale_structural_similarity_index_measure(sr, hr, data_range=255.0)
    # it mirrors the edges of the coarsest size, where SR and HR hardly differ; tests/unit has the
    # authors' own definition
    assert float(ms_ssim(sr, hr, border=0)) == pytest.approx(float(theirs), abs=2e-5)


@pytest.fixture(scope="module")
def bicubic_of_set5():
    """SR and HR at x4; LR and bicubic as of MATLAB, rounded once."""
    pictures = [crop_to_multiple(read_rgb(path), 4) for path in sorted((SET5 / "HR").iterdir())]
    assert len(pictures) == 5
    return [(enlarge(shrink(hr, 4), 4), hr) for hr in pictures]


# of Set5 at x4, from an independent implementation that equals MATLAB's published values
@needs_set5
@pytest.mark.parametrize(
    "dialect, space, border, value",
    [
        ("wang", "y", 4, 0.81127),
        ("scikit-image", "y", 4, 0.82323),
        ("scikit-image", "rgb", 0, 0.79019),
        ("scikit-image-gaussian", "y", 4, 0.81078),
        ("daala", "y", 4, 0.82118),
    ],
)
def test_set5_scores_as_published_in_each_dialect(bicubic_of_set5, dialect, space, border, value):
    pairs = bicubic_of_set5
    if space == "y":
        pairs = [(luma(sr, False), luma(hr, False)) for sr, hr in pairs]
    found = [ours(dialect, sr, hr, border) for sr, hr in pairs]
    assert np.mean(found) == pytest.approx(value, abs=5.1e-6)


@needs_set5
@pytest.mark.parametrize(
    "image, torchmetrics, wang",
    [("butterfly", 0.696977, 0.699224), ("woman", 0.812600, 0.814348)],
)
def test_published_lr_enlarged_scores_as_torchmetrics_has_it(image, torchmetrics, wang):
    hr = crop_to_multiple(read_rgb(SET5 / "HR" / f"{image}.png"), 4)
    lr = next((SET5 / "LR_x4").glob(f"{image}*"))
    sr = enlarge(read_rgb(lr), 4)
    assert ours("torchmetrics", sr, hr) == pytest.approx(torchmetrics, abs=5.1e-7)
    assert ours("wang", sr, hr) == pytest.approx(wang, abs=5.1e-7)


# SRGAN's tables state .8211 for bicubic on Set5, and only this dialect comes near it
@needs_set5
def test_srgans_table_is_met_by_daala_and_by_no_other_dialect(bicubic_of_set5):
    pairs = [(luma(sr, False), luma(hr, False)) for sr, hr in bicubic_of_set5]
    near = {
        dialect: abs(np.mean([ours(dialect, sr, hr, 4) for sr, hr in pairs]) - 0.8211)
        for dialect in SSIM_DIALECTS
    }
    assert near.pop("daala") < 1.5e-4
    assert min(near.values()) > 1.5e-3
