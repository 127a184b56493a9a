"""Our judge against a second implementation, written here from the definitions alone.

Dense matrices for the resizer, one formula for luma, SSIM by full two-dimensional correlation; it
shares no line with the program. Sets that are not on this machine go through the same code as these
made pictures, so what agrees here agrees there.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import correlate2d

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol

Floats = NDArray[np.float64]

# One sample of 5000 that is rounded the other way is worth up to 2e-4 dB
PSNR_ALIKE, SSIM_ALIKE = 2e-4, 2e-5


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def matrix(n_in: int, n_out: int, mirrored: bool) -> Floats:
    """MATLAB's imresize along one axis, counted from 1 as its text does."""
    scale = n_out / n_in
    squeeze = min(scale, 1.0)
    found = np.zeros((n_out, n_in))
    for o in range(1, n_out + 1):
        centre = o / scale + 0.5 * (1 - 1 / scale)
        taps = range(math.floor(centre - 2 / squeeze) - 1, math.ceil(centre + 2 / squeeze) + 2)
        weights = [squeeze * cubic(squeeze * (centre - i)) for i in taps]
        for i, weight in zip(taps, weights, strict=True):
            at = i - 1
            if mirrored:
                at = at % (2 * n_in)
                at = at if at < n_in else 2 * n_in - 1 - at
            else:
                at = min(max(at, 0), n_in - 1)
            found[o - 1, at] += weight / sum(weights)
    return found


def resized(plane: Floats, height: int, width: int, mirrored: bool, each_pass: bool) -> Floats:
    half = matrix(plane.shape[0], height, mirrored) @ plane
    if each_pass:
        half = whole(half)
    return half @ matrix(plane.shape[1], width, mirrored).T


def whole(plane: Floats, low: int = 0, high: int = 255) -> Floats:
    return np.clip(np.floor(np.round(plane, 9) + 0.5), low, high)


def luma(rgb: Floats) -> Floats:
    if rgb.ndim == 2:
        return rgb
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255


def there_and_back(rgb: Floats, scale: int, mirrored: bool, each_pass: bool) -> Floats:
    def one(plane: Floats) -> Floats:
        height, width = plane.shape
        sizes = (height // scale, width // scale)
        lr = whole(resized(plane, *sizes, mirrored, each_pass))
        return whole(resized(lr, height, width, mirrored, each_pass))

    if rgb.ndim == 2:
        return one(rgb)
    return np.stack([one(rgb[..., c]) for c in range(3)], axis=-1)


def luma_there_and_back(y: Floats, scale: int, clamped: bool) -> Floats:
    height, width = y.shape
    lr = resized(y, height // scale, width // scale, True, False)
    large = resized(lr, height, width, True, False)
    return whole(large, 16, 235) if clamped else whole(large)


def compared(name: str, hr: Floats, scale: int) -> tuple[list[Floats], list[Floats]]:
    """Return the planes of SR and HR that the protocol compares."""
    if name in ("srcnn", "vdsr"):
        y = whole(luma(hr))
        return [luma_there_and_back(y, scale, name == "vdsr")], [y]
    sr = there_and_back(hr, scale, name != "selfexsr", name == "selfexsr")
    if name == "sr-rgb":
        colours = [np.atleast_3d(picture) for picture in (sr, hr)]
        srs, hrs = ([c[..., i] for i in range(c.shape[2])] for c in colours)
        return srs, hrs
    if name == "sr-y-float":
        return [luma(sr)], [luma(hr)]
    return [whole(luma(sr))], [whole(luma(hr))]


def psnr(srs: list[Floats], hrs: list[Floats]) -> float:
    return 10 * math.log10(255**2 / float(np.mean(np.square(np.stack(srs) - np.stack(hrs)))))


def ssim(sr: Floats, hr: Floats) -> float:
    line = np.exp(-(np.arange(-5.0, 6.0) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(plane: Floats) -> Floats:
        found: Floats = correlate2d(plane, window, mode="valid")
        return found

    a, b = mean(sr), mean(hr)
    aa, bb, ab = mean(sr * sr) - a * a, mean(hr * hr) - b * b, mean(sr * hr) - a * b
    index = (2 * a * b + 6.5025) * (2 * ab + 58.5225)
    return float(np.mean(index / ((a * a + b * b + 6.5025) * (aa + bb + 58.5225))))


def expected(name: str, picture: NDArray[np.uint8], scale: int) -> tuple[float, float]:
    height, width = (side - side % scale for side in picture.shape[:2])
    hr = picture[:height, :width].astype(np.float64)
    inner = slice(scale, -scale)
    srs, hrs = ([p[inner, inner] for p in planes] for planes in compared(name, hr, scale))
    structures = [ssim(s, h) for s, h in zip(srs, hrs, strict=True)]
    return psnr(srs, hrs), float(np.mean(structures))


def made_pictures() -> dict[str, NDArray[np.uint8]]:
    """Waves, discs, noise and a grey picture, with sides that are no multiples of the scales."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:71, 0:86].astype(float)
    waves = [
        127 + 127 * np.sin(rows * f + columns * g) for f, g in ((0.3, 0.1), (0.05, 0.4), (1, 0))
    ]
    discs = np.zeros((64, 77, 3))
    for _ in range(40):
        y, x, radius = rng.uniform(0, 77, 3) * (1, 1, 0.15)
        discs[np.hypot(*(np.mgrid[0:64, 0:77] - np.array([y, x])[:, None, None])) < radius] = (
            rng.uniform(0, 255, 3)
        )
    steps = rng.integers(0, 2, (9, 11)).repeat(8, axis=0).repeat(8, axis=1) * 255.0
    return {
        "waves": np.stack(waves, axis=-1).round().astype(np.uint8),
        "discs": discs.round().astype(np.uint8),
        "noise": rng.integers(0, 256, (61, 67, 3), dtype=np.uint8),
        "grey": steps[:70, :85].astype(np.uint8),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made")
    for name, pixels in made_pictures().items():
        Image.fromarray(pixels).save(path / f"{name}.png")
    return path


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["sr-y-float", "sr-y", "sr-rgb", "srcnn", "vdsr", "selfexsr"])
def test_the_judge_agrees_with_a_second_implementation(name, scale, folder):
    protocol = get_protocol(name)
    candidates, _ = resolve_rows(["bicubic"], scale)
    pairs = load_pairs(folder, scale, protocol=protocol)
    measures = measures_for(["psnr", "ssim"], protocol, {})
    result = compare(candidates, pairs, protocol, scale=scale, dataset="made", measures=measures)
    (row,) = result.rows
    found = {Path(score.image).stem: score.metrics for score in row.per_image}
    assert set(found) == set(made_pictures())
    for picture, pixels in made_pictures().items():
        by_psnr, by_ssim = expected(name, pixels, scale)
        space = protocol.space
        assert found[picture][f"psnr_{space}"] == pytest.approx(by_psnr, abs=PSNR_ALIKE), picture
        assert found[picture][f"ssim_{space}"] == pytest.approx(by_ssim, abs=SSIM_ALIKE), picture


def test_the_second_implementation_has_the_worked_weights():
    # x1/2, x1/3 and x2, worked by hand from Keys' cubic of a = -0.5
    half = matrix(32, 16, True)[8]
    np.testing.assert_allclose(half[13:21] * 256, [-3, -9, 29, 111, 111, 29, -9, -3], atol=1e-12)
    third = matrix(36, 12, True)[6] * 81
    np.testing.assert_allclose(third[14:25], [-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1], atol=1e-9)
    double = matrix(8, 16, True)[6]
    np.testing.assert_allclose(double[1:5], [-0.0234375, 0.2265625, 0.8671875, -0.0703125])
