"""Bicubic on 100 crops of 256x256 by the two papers' protocols, as computed elsewhere.

What other chains give on these crops is in tests/slow.
"""

from pathlib import Path

import pytest

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol

CROPS = Path(__file__).parents[2].parent / "shared" / "data" / "DIV2K-valid-crops256"
pytestmark = pytest.mark.skipif(not CROPS.is_dir(), reason="the crops are not on this machine")


@pytest.mark.parametrize(
    "protocol, psnr, ssim", [("paper-a", 25.31, 0.6853), ("paper-b", 25.18, None)]
)
def test_the_papers_protocols_score_the_crops_as_elsewhere(protocol, psnr, ssim):
    chosen = get_protocol(protocol)
    names = ["psnr", "ssim"] if ssim else ["psnr"]  # the other's SSIM is in tests/slow
    candidates, _ = resolve_rows(["bicubic"], 4)
    pairs = load_pairs(CROPS, 4, protocol=chosen, metrics=names)
    assert len(pairs) == 100
    measures = measures_for(names, chosen, {})
    result = compare(candidates, pairs, chosen, scale=4, dataset="crops", measures=measures)
    (row,) = result.rows
    assert row.metrics["psnr_rgb"] == pytest.approx(psnr, abs=5.1e-3)
    if ssim:
        assert row.metrics["ssim_rgb"] == pytest.approx(ssim, abs=5.1e-5)
    assert abs(row.metrics["psnr_rgb"] - 25.25) < 0.1  # the paper on SRGAN and ESRGAN prints this
