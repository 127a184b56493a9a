import math

import pytest

from upres.report.ranking import METRICS, describe, in_order, marks

PSNR, LPIPS = METRICS["psnr_y"], METRICS["lpips_alex"]


def test_more_psnr_and_less_lpips_is_better():
    assert marks(PSNR, [21.59, 28.55, 27.65]) == ["", "best", "second"]
    assert marks(LPIPS, [0.4, 0.2, 0.1]) == ["", "second", "best"]


def test_values_written_alike_are_marked_alike():
    assert marks(PSNR, [28.551, 28.549, 27.0]) == ["best", "best", ""]
    assert marks(PSNR, [28.0, 27.001, 27.002, 26.0]) == ["best", "second", "second", ""]


def test_a_second_best_of_two_is_not_told():
    assert marks(PSNR, [28.0, 27.0]) == ["best", ""]


@pytest.mark.parametrize("values", [[28.0], [28.0, 28.001], [28.0, None], []])
def test_without_a_contest_nothing_is_marked(values):
    assert set(marks(PSNR, values)) <= {""}


def test_infinity_wins_and_what_is_missing_does_not_count():
    assert marks(PSNR, [math.inf, None, math.nan, 30.0, 20.0]) == ["best", "", "", "second", ""]


def test_a_metric_nobody_knows_has_no_better_side():
    unknown = describe("sharpness")
    assert (unknown.arrow, marks(unknown, [1.0, 2.0, 3.0])) == ("", ["", "", ""])


def test_values_are_written_in_the_digits_of_the_field():
    assert [PSNR.written(v) for v in (28.4314, math.inf, math.nan, None)] == [
        "28.43",
        "∞",
        "-",
        "-",
    ]
    assert METRICS["ssim_y"].written(0.81127) == "0.8113"


def test_metrics_come_in_the_papers_order_unknown_ones_last():
    names = [metric.name for metric in in_order(["zeta", "lpips_alex", "psnr_y", "zeta"])]
    assert names == ["psnr_y", "lpips_alex", "zeta"]
