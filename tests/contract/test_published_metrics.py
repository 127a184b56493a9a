"""Bicubic scores that other laboratories' tools have for the same pictures.

The values were computed by an independent implementation that reproduces BasicSR's MATLAB table
(baboon and comic, six digits) and SelfExSR's stored scores (0.0001 dB).
"""

import math
from pathlib import Path

import pytest

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.judge import Evaluation
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import Protocol, get_protocol

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"
pytestmark = pytest.mark.skipif(not SET5.is_dir(), reason="Set5 is not on this machine")

FLOAT, ROUNDED = get_protocol("sr-y-float"), get_protocol("sr-y")
RGB = get_protocol("sr-rgb")

# PSNR and SSIM of each image at x4: sr-y-float, sr-y, sr-rgb with border 4
PER_IMAGE = {
    "baby": [(31.7867, 0.85768), (31.7727, 0.85642), (30.3703, 0.82883)],
    "bird": [(30.1862, 0.87383), (30.1779, 0.87309), (28.2176, 0.84880)],
    "butterfly": [(22.0998, 0.73744), (22.0975, 0.73685), (20.8641, 0.70118)],
    "head": [(31.6173, 0.75478), (31.5824, 0.75321), (28.8950, 0.67359)],
    "woman": [(26.4670, 0.83261), (26.4639, 0.83168), (25.1304, 0.81450)],
    "mean": [(28.4314, 0.81127), (28.4189, 0.81025), (26.6955, 0.77338)],
}


def bicubic(protocol: Protocol, scale: int, name: str = "bicubic") -> Evaluation:
    candidates, _ = resolve_rows([name], scale)
    pairs = load_pairs(SET5, scale, protocol=protocol)
    measures = measures_for(["psnr", "ssim"], protocol, {})
    return compare(candidates, pairs, protocol, scale=scale, dataset="Set5", measures=measures)


@pytest.mark.parametrize("column, protocol", list(enumerate([FLOAT, ROUNDED, RGB])))
def test_every_image_of_set5_scores_as_published(column, protocol):
    (row,) = bicubic(protocol, 4).rows
    found = {Path(s.image).stem: s.metrics for s in row.per_image} | {"mean": row.metrics}
    assert set(found) == set(PER_IMAGE)
    for image, values in PER_IMAGE.items():
        psnr, ssim = values[column]
        assert found[image][f"psnr_{protocol.space}"] == pytest.approx(psnr, abs=5.1e-5), image
        assert found[image][f"ssim_{protocol.space}"] == pytest.approx(ssim, abs=5.1e-6), image


@pytest.mark.parametrize(
    "protocol, scale, psnr, ssim",
    [
        (FLOAT, 2, 33.6818, 0.93052),
        (FLOAT, 3, 30.4047, 0.86897),
        (ROUNDED, 2, 33.6486, 0.92945),
        (ROUNDED, 3, 30.3863, 0.86788),
    ],
)
def test_other_scales_score_as_published(protocol, scale, psnr, ssim):
    (row,) = bicubic(protocol, scale).rows
    assert row.metrics["psnr_y"] == pytest.approx(psnr, abs=5.1e-5)
    assert row.metrics["ssim_y"] == pytest.approx(ssim, abs=5.1e-6)


def test_the_published_lr_files_give_other_numbers_under_another_name():
    given = get_protocol("sr-y-float+given-lr")
    result = bicubic(given, 4)
    assert result.protocol == "sr-y-float+given-lr"
    # those files are rounded twice and have other edges, which moves the third digit of PSNR
    difference = abs(result.rows[0].metrics["psnr_y"] - 28.4314)
    assert 1e-4 < difference < 5e-3


def test_a_chain_of_the_old_matlab_gives_the_scores_stored_with_its_files():
    (row,) = bicubic(get_protocol("selfexsr"), 4).rows
    stored = [31.7711, 30.1751, 22.0992, 31.5785, 26.4645]
    found = [s.metrics["psnr_y"] for s in row.per_image]
    assert found == pytest.approx(stored, abs=1e-4)
    assert row.metrics["ssim_y"] == pytest.approx(0.81008, abs=5.1e-6)


def test_nothing_of_set5_is_restored_exactly():
    (row,) = bicubic(FLOAT, 4, "nearest").rows
    assert row.exact_images == 0
    assert math.isfinite(row.metrics["psnr_y"])
