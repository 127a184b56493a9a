"""Bicubic scores that other laboratories' tools have for the same pictures.

The values were computed by an independent implementation that reproduces BasicSR's MATLAB table
(baboon and comic, six digits) and SelfExSR's stored scores (0.0001 dB).
"""

import math
from functools import cache
from pathlib import Path

import pytest

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.judge import Row
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import Protocol, get_protocol
from upres.evaluation.reference import CHAINS
from upres.evaluation.self_check import check_row

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"
pytestmark = pytest.mark.skipif(not SET5.is_dir(), reason="Set5 is not on this machine")

PSNR_DIGITS, SSIM_DIGITS = 5.1e-5, 5.1e-6  # half of the last digit that is written down


@cache
def bicubic(name: str, scale: int, border: int | None = None, model: str = "bicubic") -> Row:
    """The row of Set5 by the protocol of that name, or by one that differs in its border."""
    protocol: Protocol = get_protocol(name)
    if border is not None:
        protocol = protocol.model_copy(update={"border": border})
    candidates, _ = resolve_rows([model], scale)
    pairs = load_pairs(SET5, scale, protocol=protocol)
    measures = measures_for(["psnr", "ssim"], protocol, {})
    result = compare(candidates, pairs, protocol, scale=scale, dataset="Set5", measures=measures)
    return result.rows[0]


def scores(metrics: dict[str, float]) -> tuple[float, float]:
    psnr, ssim = (metrics[name] for name in sorted(metrics))
    return psnr, ssim


def assert_digits(metrics: dict[str, float], psnr: float, ssim: float) -> None:
    found = scores(metrics)
    assert found[0] == pytest.approx(psnr, abs=PSNR_DIGITS)
    assert found[1] == pytest.approx(ssim, abs=SSIM_DIGITS)


# PSNR and SSIM of each picture at x4, by protocol and border
COLUMNS = [
    ("vdsr", None),
    ("srcnn", None),
    ("sr-y", None),
    ("selfexsr", None),
    ("sr-y-float", None),
    ("sr-rgb", 0),
    ("sr-rgb", None),
]
PER_IMAGE = {
    "baby": (
        [31.7770, 31.7764, 31.7727, 31.7711, 31.7867, 30.4269, 30.3703],
        [0.85672, 0.85668, 0.85642, 0.85634, 0.85768, 0.83049, 0.82883],
    ),
    "bird": (
        [30.1788, 30.1773, 30.1779, 30.1751, 30.1862, 28.0947, 28.2176],
        [0.87302, 0.87294, 0.87309, 0.87272, 0.87383, 0.84766, 0.84880],
    ),
    "butterfly": (
        [22.0975, 22.0975, 22.0975, 22.0992, 22.0998, 20.9068, 20.8641],
        [0.73689, 0.73689, 0.73685, 0.73677, 0.73744, 0.69912, 0.70118],
    ),
    "head": (
        [31.5899, 31.5899, 31.5824, 31.5785, 31.6173, 28.9697, 28.8950],
        [0.75357, 0.75357, 0.75321, 0.75306, 0.75478, 0.67551, 0.67359],
    ),
    "woman": (
        [26.4624, 26.4623, 26.4639, 26.4645, 26.4670, 25.1154, 25.1304],
        [0.83181, 0.83180, 0.83168, 0.83151, 0.83261, 0.81422, 0.81450],
    ),
    "mean": (
        [28.4211, 28.4207, 28.4189, 28.4177, 28.4314, 26.7027, 26.6955],
        [0.81040, 0.81037, 0.81025, 0.81008, 0.81127, 0.77340, 0.77338],
    ),
}


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=[f"{n}-{b}" for n, b in COLUMNS])
def test_every_image_of_set5_scores_as_computed_elsewhere(column):
    name, border = COLUMNS[column]
    row = bicubic(name, 4, border)
    found = {Path(s.image).stem: s.metrics for s in row.per_image} | {"mean": row.metrics}
    assert set(found) == set(PER_IMAGE)
    for image, (psnrs, ssims) in PER_IMAGE.items():
        assert_digits(found[image], psnrs[column], ssims[column])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_self_check_of_set5_agrees_to_the_last_digit_of_every_chain(scale):
    check = check_row(SET5, "Set5", scale)
    assert [chain.protocol for chain in check.chains] == list(CHAINS)
    for chain in check.chains:
        assert chain.reference is not None
        assert chain.found.psnr == pytest.approx(chain.reference.psnr, abs=PSNR_DIGITS)
        assert chain.found.ssim == pytest.approx(chain.reference.ssim, abs=SSIM_DIGITS)
    assert check.printed_by == ["vdsr", "srcnn"]  # they part on the other sets alone


# Set5 at x2, x3, x4: sr-y-float without a border and with 4; RGB without one and with the scale
OTHER_BORDERS = {
    ("sr-y-float", 0): [(33.6885, 0.93059), (30.4085, 0.86881), (28.4397, 0.81109)],
    ("sr-y-float", 4): [(33.6762, 0.93054), (30.4218, 0.86904), (28.4314, 0.81127)],
    ("sr-rgb", 0): [(31.8074, 0.90927), (28.6293, 0.83846), (26.7027, 0.77340)],
    ("sr-rgb", None): [(31.7999, 0.90913), (28.6263, 0.83849), (26.6955, 0.77338)],
}


@pytest.mark.parametrize("name, border", OTHER_BORDERS)
def test_other_borders_score_as_computed_elsewhere(name, border):
    for scale, (psnr, ssim) in zip((2, 3, 4), OTHER_BORDERS[name, border], strict=True):
        assert_digits(bicubic(name, scale, border).metrics, psnr, ssim)


def test_the_published_lr_files_give_other_numbers_under_another_name():
    made, given = bicubic("sr-y-float", 4), bicubic("sr-y-float+given-lr", 4)
    # those files are rounded twice and have other edges, which moves the third digit of PSNR
    difference = abs(given.metrics["psnr_y"] - made.metrics["psnr_y"])
    assert 1e-4 < difference < 5e-3


def test_a_chain_of_the_old_matlab_gives_the_scores_stored_with_its_files():
    stored = [31.7711, 30.1751, 22.0992, 31.5785, 26.4645]
    found = [s.metrics["psnr_y"] for s in bicubic("selfexsr", 4).per_image]
    assert found == pytest.approx(stored, abs=PSNR_DIGITS)
    given = [s.metrics["psnr_y"] for s in bicubic("selfexsr+given-lr", 4).per_image]
    assert given == found  # its LR files are the protocol's, bit for bit


def test_daalas_ssim_explains_the_table_of_the_srgan_paper():
    row = bicubic("srgan", 4)
    psnr, ssim = scores(row.metrics)
    assert psnr == pytest.approx(28.4302, abs=PSNR_DIGITS)
    # the paper prints 28.43 and .8211
    assert f"{psnr:.2f} {ssim:.4f}" == "28.43 0.8211"


def test_ntires_border_is_six_pixels_more_than_the_scale():
    assert bicubic("ntire", 4).metrics == bicubic("sr-rgb", 4, 10).metrics
    assert bicubic("ntire", 4).metrics != bicubic("sr-rgb", 4).metrics


def test_nothing_of_set5_is_restored_exactly():
    row = bicubic("sr-y-float", 4, model="nearest")
    assert row.exact_images == 0
    assert math.isfinite(row.metrics["psnr_y"])
