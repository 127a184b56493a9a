"""Resizers against worked numbers, the libraries they imitate, and published LR files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from upres.images.resize import (
    RESIZERS,
    crop_to_multiple,
    enlarge,
    resize_float,
    shrink,
    shrink_blurred,
)
from upres.metrics.ssim import ssim

SHARED = Path(__file__).parents[2].parent / "shared"
SET5 = SHARED / "data" / "Set5"
DIV2K = SHARED / "data" / "DIV2K-valid-crops256"
ROW = [10, 20, 40, 80, 160, 200, 230, 250]
STEPS = np.tile(np.array(ROW, np.uint8), (8, 1))
NOISE = np.random.default_rng(3).integers(0, 256, (24, 36, 3), dtype=np.uint8)


def to_array(path):
    return np.asarray(Image.open(path).convert("RGB"))


# Worked by hand from the kernels' definitions: the first row of 8 equal rows
@pytest.mark.parametrize(
    "resizer, four, two",
    [
        ("matlab", [13, 62, 178, 242], [38, 210]),
        ("matlab-legacy", [14, 62, 178, 241], [41, 206]),
        ("pillow", [14, 62, 179, 240], [47, 199]),
        ("opencv", [13, 54, 185, 243], [27, 217]),
        ("torch", [14, 62, 179, 240], [47, 199]),
    ],
)
def test_shrunk_bytes_equal_the_worked_ones(resizer, four, two):
    assert shrink(STEPS, 2, resizer)[0].tolist() == four
    assert shrink(STEPS, 4, resizer)[0].tolist() == two


@pytest.mark.parametrize(
    "resizer, four, two",
    [
        ("matlab", [12.8125, 62.2265625, 177.8515625, 242.109375], [37.871094, 209.628906]),
        (
            "matlab-legacy",
            [13.515625, 62.2265625, 177.8515625, 240.8203125],
            [41.223145, 205.627441],
        ),
        ("opencv", [13.125, 54.375, 184.6875, 242.8125], [27.1875, 216.875]),
        ("torch", [13.765690, 61.621622, 178.687259, 240.167364], [46.631002, 199.313674]),
    ],
)
def test_shrunk_floats_equal_the_worked_ones(resizer, four, two):
    picture = STEPS.astype(np.float64)
    np.testing.assert_allclose(resize_float(picture, 4, 4, resizer)[0], four, atol=5e-7)
    np.testing.assert_allclose(resize_float(picture, 2, 2, resizer)[0], two, atol=5e-7)


def test_enlarged_rows_start_with_the_worked_values():
    matlab = resize_float(STEPS.astype(np.float64), 16, 16, "matlab")[0, :4]
    np.testing.assert_allclose(matlab, [9.0625, 11.5625, 16.5625, 23.828125], atol=1e-12)
    assert enlarge(STEPS, 2, "bicubic", "opencv")[0, :4].tolist() == [9, 12, 16, 24]


def test_sizes_that_are_no_multiples_follow_matlab():
    ramp = np.arange(16.0).reshape(4, 4)
    expected = [
        [0.750552, 2.100442, 3.450331],
        [6.150110, 7.5, 8.849890],
        [11.549669, 12.899558, 14.249448],
    ]
    np.testing.assert_allclose(resize_float(ramp, 3, 3, "matlab"), expected, atol=5e-7)


def test_a_halved_impulse_shows_the_kernel():
    impulse = np.zeros((32, 32))
    impulse[16] = 256.0
    # the 8 taps start 3 before 2 * o, so input 16 is the last tap of output 6, the sixth of 7 ...
    weights = resize_float(impulse, 16, 32, "matlab")[6:10, 0]
    np.testing.assert_allclose(weights, [-3, 29, 111, -9], atol=1e-10)


@pytest.mark.parametrize("resizer", RESIZERS)
@pytest.mark.parametrize("shape", [(24, 24), (24, 24, 3)])
def test_a_flat_picture_stays_flat(resizer, shape):
    flat = np.full(shape, 77, np.uint8)
    small = shrink(flat, 4, resizer)
    assert small.shape[:2] == (6, 6)
    assert small.ndim == len(shape)
    assert (small == 77).all()
    assert (enlarge(small, 4, "bicubic", resizer) == flat).all()


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pillow_is_pillow(scale):
    small = Image.fromarray(NOISE).resize((36 // scale, 24 // scale), Image.Resampling.BICUBIC)
    assert (shrink(NOISE, scale, "pillow") == np.asarray(small)).all()
    large = Image.fromarray(NOISE).resize((36 * scale, 24 * scale), Image.Resampling.LANCZOS)
    assert (enlarge(NOISE, scale, "lanczos", "pillow") == np.asarray(large)).all()


@pytest.mark.parametrize("size", [(8, 12), (12, 9), (48, 72)])
@pytest.mark.parametrize("resizer, antialias", [("torch", True), ("opencv", False)])
def test_floats_equal_torch(resizer, antialias, size):
    picture = NOISE.astype(np.float64)
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None]
    theirs = F.interpolate(planes, size, mode="bicubic", antialias=antialias)[0].permute(1, 2, 0)
    np.testing.assert_allclose(resize_float(picture, *size, resizer), theirs.numpy(), atol=1e-9)


def test_matlab_lanczos_is_pillows_away_from_the_edge():
    ours = enlarge(NOISE, 2, "lanczos", "matlab")[8:-8, 8:-8].astype(int)
    theirs = enlarge(NOISE, 2, "lanczos", "pillow")[8:-8, 8:-8].astype(int)
    # Pillow rounds and clamps between the passes; a clamped overshoot is worth some levels
    assert np.abs(ours - theirs).mean() < 0.5


def test_nearest_repeats_pixels():
    assert enlarge(STEPS[:1, :2], 3, "nearest").tolist() == [[10] * 3 + [20] * 3] * 3


def test_sixteen_bits_are_kept():
    wide = STEPS.astype(np.uint16) * 257
    large = enlarge(wide, 2)
    assert large.dtype == np.uint16
    exact = resize_float(wide.astype(np.float64), 16, 16, "matlab")
    assert np.abs(large - exact).max() <= 0.5


def test_halves_are_rounded_up():
    assert resize_float(np.array([[2.0, 3.0]]), 1, 1, "opencv").tolist() == [[2.5]]
    assert shrink(np.array([[2, 3]] * 2, np.uint8), 2, "opencv").tolist() == [[3]]


def test_cropping_keeps_the_top_left():
    cropped = crop_to_multiple(NOISE, 7)
    assert cropped.shape == (21, 35, 3)
    assert (cropped == NOISE[:21, :35]).all()
    assert crop_to_multiple(NOISE[..., 0], 4).shape == (24, 36)


def test_wrong_sides_and_missing_kernels_are_refused():
    with pytest.raises(ValueError, match="36x24, whose sides are no multiples of 5"):
        shrink(NOISE, 5)
    with pytest.raises(ValueError, match="opencv has no Lanczos"):
        enlarge(NOISE, 2, "lanczos", "opencv")
    with pytest.raises(ValueError, match="not uint16"):
        enlarge(NOISE.astype(np.uint16), 2, "bicubic", "pillow")
    with pytest.raises(ValueError, match="nearest"):
        resize_float(NOISE.astype(np.float64), 2, 2, "matlab", "nearest")


@pytest.mark.parametrize("side", [1, 2, 3])
def test_tiny_pictures_are_enlarged(side):
    tiny = np.full((side, 1, 3), 9, np.uint8)
    for resizer in RESIZERS:
        assert (enlarge(tiny, 4, "bicubic", resizer) == 9).all()


@pytest.mark.skipif(not SET5.is_dir(), reason="the published Set5 files are not on this machine")
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_matlab_legacy_makes_the_published_files_bit_for_bit(scale):
    for path in sorted((SET5 / "HR").glob("*.png")):
        lr = shrink(crop_to_multiple(to_array(path), scale), scale, "matlab-legacy")
        assert (lr == to_array(SET5 / f"LR_x{scale}" / path.name)).all(), path.name


@pytest.mark.skipif(not DIV2K.is_dir(), reason="the DIV2K crops are not on this machine")
def test_paper_a_chain_scores_as_measured():
    scores, structures = [], []
    for path in sorted(DIV2K.glob("*.png")):
        hr = to_array(path)
        sr = enlarge(shrink(hr, 4, "paper-a"), 4, "bicubic", "paper-a")
        mse = np.mean((sr.astype(np.float64) - hr) ** 2)
        scores.append(10 * np.log10(255**2 / mse))
        exact, expected = (
            torch.from_numpy(p.transpose(2, 0, 1)[None].astype(float)) for p in (sr, hr)
        )
        structures.append(float(ssim(exact, expected, border=0)))
    assert len(scores) == 100
    assert round(float(np.mean(scores)), 2) == 25.31  # RGB, no border; the paper states 25.25
    assert round(float(np.mean(structures)), 4) == 0.6853
    assert (shrink_blurred(hr, 4) == shrink(hr, 4, "paper-a")).all()
