"""LR files that MATLAB made, beside ours; and the weights of MATLAB's bicubic as worked by hand."""

from pathlib import Path

import numpy as np
import pytest

from upres.images.files import read_rgb
from upres.images.resize import crop_to_multiple, resize_float, shrink

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"
EDGE = 4  # LR pixels on each side

# Set5 at x2, x3, x4: share of samples that equal the published files', and the largest difference,
# inside and at the edge; counted by an independent implementation
FILES = {
    "symmetric, once": [
        ((0.8551, 2), (0.8282, 7)),
        ((0.8816, 2), (0.8459, 7)),
        ((0.8965, 2), (0.8424, 6)),
    ],
    "symmetric, each pass": [
        ((1.0, 0), (0.9359, 6)),
        ((1.0, 0), (0.9324, 7)),
        ((1.0, 0), (0.9202, 7)),
    ],
    "repeated, once": [
        ((0.8551, 2), (0.8623, 1)),
        ((0.8816, 2), (0.8932, 1)),
        ((0.8965, 2), (0.8976, 1)),
    ],
    "repeated, each pass": [((1.0, 0), (1.0, 0))] * 3,
}


def rounded(picture):
    return np.floor(picture + 0.5).clip(0, 255)


def shrunk(hr, scale, name):
    height, width = hr.shape[0] // scale, hr.shape[1] // scale
    resizer = "matlab" if name.startswith("symmetric") else "matlab-legacy"
    if name.endswith("once"):
        return rounded(resize_float(hr.astype(np.float64), height, width, resizer))
    rows = rounded(resize_float(hr.astype(np.float64), height, hr.shape[1], resizer))
    return rounded(resize_float(rows, height, width, resizer))


@pytest.mark.skipif(not SET5.is_dir(), reason="the published Set5 files are not on this machine")
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", FILES)
def test_ours_differ_from_the_published_files_where_they_do_elsewhere(name, scale):
    inner, outer = [], []
    for path in sorted((SET5 / "HR").glob("*.png")):
        hr = crop_to_multiple(read_rgb(path), scale)
        theirs = read_rgb(SET5 / f"LR_x{scale}" / path.name).astype(np.float64)
        off = np.abs(shrunk(hr, scale, name) - theirs)
        inside = np.zeros(off.shape[:2], bool)
        inside[EDGE:-EDGE, EDGE:-EDGE] = True
        inner.append(off[inside].ravel())
        outer.append(off[~inside].ravel())
        if name in OURS:
            assert (shrunk(hr, scale, name) == shrink(hr, scale, OURS[name])).all()
    for part, (share, largest) in zip((inner, outer), FILES[name][scale - 2], strict=True):
        off = np.concatenate(part)
        assert (off == 0).mean() == pytest.approx(share, abs=5.1e-5)
        assert off.max() == largest


OURS = {"symmetric, once": "matlab", "repeated, each pass": "matlab-legacy"}

QUARTER = [-0.00170898, -0.01098633, -0.01831055, -0.01196289]
QUARTER += [0.02270508, 0.09741211, 0.18188477, 0.24096680]


@pytest.mark.parametrize(
    "n_in, n_out, output, first, weights",
    [
        (64, 32, 16, -3, np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256),
        (66, 22, 11, -4, np.array([-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1]) / 81),
        (64, 16, 8, -6, QUARTER + QUARTER[::-1]),
        (16, 32, 16, -2, [-0.0234375, 0.2265625, 0.8671875, -0.0703125]),
        (16, 32, 17, -1, [-0.0703125, 0.8671875, 0.2265625, -0.0234375]),
        (16, 64, 32, -2, [-0.04394531, 0.38964844, 0.72753906, -0.07324219]),
        (16, 64, 33, -2, [-0.00683594, 0.09082031, 0.96386719, -0.04785156]),
        (16, 64, 34, -1, [-0.04785156, 0.96386719, 0.09082031, -0.00683594]),
        (16, 64, 35, -1, [-0.07324219, 0.72753906, 0.38964844, -0.04394531]),
    ],
)
def test_the_weights_inside_are_those_of_matlab(n_in, n_out, output, first, weights):
    table = resize_float(np.eye(n_in), n_out, n_in, "matlab")
    start = output * n_in // n_out + first
    found = table[output, start : start + len(weights)]
    np.testing.assert_allclose(found, weights, atol=5.1e-9)
    assert found.sum() == pytest.approx(1, abs=1e-12)
