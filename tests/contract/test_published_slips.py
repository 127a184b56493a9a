"""What slips cost: each value is bicubic on Set5 x4 with one thing changed, as computed elsewhere.

The protocols must not make any of these slips; here the tests make them on purpose, out of the same
resizers, luma and metrics, so that each part is held to a published digit of its own.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from upres.images.colour import luma
from upres.images.files import read_rgb
from upres.images.resize import crop_to_multiple, enlarge, resize_float, shrink
from upres.metrics.psnr import psnr
from upres.metrics.ssim import ssim
from upres.metrics.ssim_dialects import SSIM_DIALECTS

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"
pytestmark = pytest.mark.skipif(not SET5.is_dir(), reason="Set5 is not on this machine")

Pixels = NDArray[np.uint8]
PSNR_DIGITS, SSIM_DIGITS = 5.1e-5, 5.1e-6


@cache
def hr_pictures(multiple: int = 4) -> list[Pixels]:
    paths = sorted((SET5 / "HR").glob("*.png"))
    return [crop_to_multiple(read_rgb(path), multiple) for path in paths]


@cache
def sr_pictures(lr_by: str = "matlab", by: str = "matlab", multiple: int = 4) -> list[Pixels]:
    return [ENLARGED[by](MADE[lr_by](hr)) for hr in hr_pictures(multiple)]


def by_area(hr: Pixels) -> Pixels:
    """OpenCV's INTER_AREA at a whole factor: the mean of 4x4 pixels."""
    height, width = hr.shape[0] // 4, hr.shape[1] // 4
    means = hr.reshape(height, 4, width, 4, 3).mean(axis=(1, 3))
    return np.rint(means).astype(np.uint8)


def with_corners_aligned(lr: Pixels) -> Pixels:
    planes = torch.from_numpy(lr.astype(np.float64)).permute(2, 0, 1)[None]
    large = F.interpolate(planes, scale_factor=4, mode="bicubic", align_corners=True)
    return rounded(large[0].permute(1, 2, 0).numpy())


def rounded(picture: NDArray[np.float64]) -> Pixels:
    return np.floor(picture + 0.5).clip(0, 255).astype(np.uint8)


MADE = {
    "matlab": lambda hr: shrink(hr, 4, "matlab"),
    "pillow": lambda hr: shrink(hr, 4, "pillow"),
    "torch": lambda hr: shrink(hr, 4, "torch"),
    "area": by_area,
    "opencv": lambda hr: shrink(hr, 4, "opencv"),
}
ENLARGED = {
    "matlab": lambda lr: enlarge(lr, 4, "bicubic", "matlab"),
    "pillow": lambda lr: enlarge(lr, 4, "bicubic", "pillow"),
    "opencv": lambda lr: enlarge(lr, 4, "bicubic", "opencv"),
    "torch": lambda lr: enlarge(lr, 4, "bicubic", "torch"),
    "align_corners": with_corners_aligned,
}


def float_luma(picture: Pixels) -> NDArray[np.float64]:
    return luma(picture, rounded=False)[..., None]


def full_range_luma(picture: Pixels) -> NDArray[np.float64]:
    """OpenCV's Y of YCrCb: .299, .587, .114 as 14-bit integers, rounded."""
    sums = picture.astype(np.int64) @ np.array([4899, 9617, 1868])
    return ((sums + 8192) >> 14)[..., None].astype(np.float64)


def luma_of_bgr(picture: Pixels) -> NDArray[np.float64]:
    return float_luma(picture[..., ::-1])


def luma_of_bt709(picture: Pixels) -> NDArray[np.float64]:
    weights = np.array([0.2126, 0.7152, 0.0722]) * 219 / 255
    return 16 + (picture @ weights)[..., None]


def colours(picture: Pixels) -> NDArray[np.float64]:
    return picture.astype(np.float64)


def planes_of(picture: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


def compared(view, srs, hrs):
    """SR and HR of each picture as (1 c h w)."""
    return [(planes_of(view(s)), planes_of(view(h))) for s, h in zip(srs, hrs, strict=True)]


def mean(measure, pairs, **arguments) -> float:
    return float(np.mean([measure(sr, hr, **arguments).item() for sr, hr in pairs]))


@pytest.mark.parametrize(
    "view, border, multiple, found_psnr, found_ssim",
    [
        (float_luma, 0, 4, 28.4397, 0.81109),
        (float_luma, 2, 4, 28.4248, 0.81118),
        (float_luma, 4, 4, 28.4314, 0.81127),
        (float_luma, 6, 4, 28.4410, 0.81156),
        (float_luma, 8, 4, 28.4472, 0.81184),
        (full_range_luma, 4, 4, 27.1049, 0.79163),
        (luma_of_bgr, 4, 4, 28.6048, 0.80845),
        (luma_of_bt709, 4, 4, 28.4484, 0.81243),
        (colours, 0, 4, 26.7027, 0.77340),
        (colours, 4, 4, 26.6955, 0.77338),
        (float_luma, 4, 12, 28.3973, 0.81149),
    ],
)
def test_colour_border_and_crop_cost_what_they_cost_elsewhere(
    view, border, multiple, found_psnr, found_ssim
):
    pairs = compared(view, sr_pictures(multiple=multiple), hr_pictures(multiple))
    assert mean(psnr, pairs, border=border) == pytest.approx(found_psnr, abs=PSNR_DIGITS)
    assert mean(ssim, pairs, border=border) == pytest.approx(found_ssim, abs=SSIM_DIGITS)


def test_means_that_are_taken_in_another_order_give_other_numbers():
    pairs = compared(colours, sr_pictures(), hr_pictures())
    channels = [(s[:, c : c + 1], h[:, c : c + 1]) for s, h in pairs for c in range(3)]
    assert mean(psnr, channels, border=4) == pytest.approx(26.7424, abs=PSNR_DIGITS)
    luma_pairs = compared(float_luma, sr_pictures(), hr_pictures())
    errors = [(s - h)[..., 4:-4, 4:-4].square().flatten() for s, h in luma_pairs]
    pooled = 10 * np.log10(255**2 / torch.cat(errors).mean().item())
    assert pooled == pytest.approx(28.0936, abs=PSNR_DIGITS)


def test_a_wrong_peak_or_range_gives_the_numbers_it_gives_elsewhere():
    colour = compared(colours, sr_pictures(), hr_pictures())
    signed = [(s / 127.5 - 1, h / 127.5 - 1) for s, h in colour]
    assert mean(psnr, signed, border=0, peak=1.0) == pytest.approx(20.6821, abs=PSNR_DIGITS)
    grey = compared(float_luma, sr_pictures(), hr_pictures())
    assert mean(ssim, grey, border=4, peak=1.0) == pytest.approx(0.57594, abs=SSIM_DIGITS)
    unit = [(s / 255, h / 255) for s, h in grey]
    assert mean(ssim, unit, border=4) == pytest.approx(0.99993, abs=SSIM_DIGITS)
    signed = [(s / 127.5 - 1, h / 127.5 - 1) for s, h in grey]
    assert mean(ssim, signed, border=4, peak=2.0) == pytest.approx(0.78999, abs=SSIM_DIGITS)


@pytest.mark.parametrize(
    "dialect, view, border, value",
    [
        ("scikit-image", float_luma, 4, 0.82323),
        ("scikit-image", colours, 0, 0.79019),
        ("daala", float_luma, 4, 0.82118),
    ],
)
def test_other_dialects_of_ssim_give_what_they_give_elsewhere(dialect, view, border, value):
    pairs = compared(view, sr_pictures(), hr_pictures())
    found = mean(SSIM_DIALECTS[dialect], pairs, border=border)
    assert found == pytest.approx(value, abs=SSIM_DIGITS)


# LR made by (rows) and enlarged by (columns), luma in floats, border 4
COLUMNS = ("matlab", "pillow", "opencv", "torch", "align_corners")
PAIRS = {
    "matlab": [28.431, 28.429, 28.633, 28.431, 26.511],
    "pillow": [28.431, 28.429, 28.632, 28.431, 26.513],
    "torch": [28.431, 28.430, 28.634, 28.432, 26.513],
    "area": [28.430, 28.429, 28.636, 28.430, 26.475],
    "opencv": [27.803, 27.804, 27.692, 27.805, 25.485],
}
STRUCTURES = {
    "matlab": [0.8113, 0.8111, 0.8138, 0.8113, 0.7792],
    "pillow": [0.8112, 0.8111, 0.8137, 0.8112, 0.7792],
    "torch": [0.8113, 0.8111, 0.8138, 0.8113, 0.7792],
    "area": [0.8165, 0.8164, 0.8181, 0.8165, 0.7812],
    "opencv": [0.8162, 0.8161, 0.8102, 0.8162, 0.7670],
}


@pytest.mark.parametrize("lr_by", PAIRS)
def test_resizers_that_are_paired_with_another_score_as_elsewhere(lr_by):
    for i, by in enumerate(COLUMNS):
        pairs = compared(float_luma, sr_pictures(lr_by, by), hr_pictures())
        assert mean(psnr, pairs, border=4) == pytest.approx(PAIRS[lr_by][i], abs=5.1e-4), by
        assert mean(ssim, pairs, border=4) == pytest.approx(STRUCTURES[lr_by][i], abs=5.1e-5), by


# Luma or RGB, rounded once or after each pass, edges mirrored or repeated; PSNR, SSIM at x2 x3 x4
ROUNDINGS = {
    "luma in bytes, mirrored": [(33.6367, 0.92912), (30.3839, 0.86785), (28.4145, 0.80995)],
    "luma in bytes, repeated": [(33.6371, 0.92912), (30.3854, 0.86785), (28.4156, 0.80995)],
    "RGB by passes, mirrored, Y rounded": [
        (33.6396, 0.92922),
        (30.3850, 0.86779),
        (28.4165, 0.81008),
    ],
    "RGB by passes, mirrored": [(33.6734, 0.93029), (30.4033, 0.86891), (28.4290, 0.81114)],
    "RGB by passes, repeated": [(33.6741, 0.93029), (30.4047, 0.86891), (28.4302, 0.81114)],
    "luma, nothing rounded": [(33.6904, 0.93080), (30.4077, 0.86918), (28.4324, 0.81138)],
}


def by_passes(picture: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """MATLAB's mirrored bicubic on bytes, which rounds after the rows and after the columns."""
    rows = rounded(resize_float(picture, height, picture.shape[1], "matlab"))
    return rounded(resize_float(rows.astype(np.float64), height, width, "matlab")).astype(float)


def there_and_back(picture: NDArray[np.float64], scale: int, mirrored: bool):
    height, width = picture.shape[:2]
    if mirrored:
        small = by_passes(picture, height // scale, width // scale)
        return by_passes(small, height, width)
    small = shrink(picture.astype(np.uint8), scale, "matlab-legacy")
    return enlarge(small, scale, "bicubic", "matlab-legacy").astype(np.float64)


def by_chain(name: str, hr: Pixels, scale: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """SR and HR as luma (h, w)."""
    if name == "luma, nothing rounded":
        exact = luma(hr, rounded=False)
        height, width = exact.shape
        small = resize_float(exact, height // scale, width // scale, "matlab")
        return resize_float(small, height, width, "matlab"), exact
    mirrored, y_rounded = "mirrored" in name, "Y rounded" in name
    if name.startswith("luma"):
        whole = luma(hr, rounded=True)
        return there_and_back(whole, scale, mirrored), whole
    sr = there_and_back(colours(hr), scale, mirrored)
    return luma(sr, y_rounded), luma(hr, y_rounded)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ROUNDINGS)
def test_other_roundings_score_as_elsewhere(name, scale):
    pairs = [by_chain(name, hr, scale) for hr in hr_pictures(scale)]
    tensors = [(planes_of(s[..., None]), planes_of(h[..., None])) for s, h in pairs]
    found_psnr, found_ssim = ROUNDINGS[name][scale - 2]
    assert mean(psnr, tensors, border=scale) == pytest.approx(found_psnr, abs=PSNR_DIGITS)
    assert mean(ssim, tensors, border=scale) == pytest.approx(found_ssim, abs=SSIM_DIGITS)
