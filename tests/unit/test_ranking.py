import dataclasses
import math

import numpy as np
import pytest

from upres.metrics.known import METRICS
from upres.report.ranking import Column, column, in_order, marks

PSNR, LPIPS = column("psnr_y"), column("lpips_alex")
# a ratio: neither more nor less of it is better
GAIN = Column(
    "gain", "Gain", dataclasses.replace(METRICS["lpips_alex"], name="gain", higher=None, ideal=1.0)
)


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


def test_a_metric_that_is_best_at_a_value_marks_what_is_nearest():
    assert marks(GAIN, [0.2, 1.1, 1.3]) == ["", "best", "second"]
    assert (GAIN.arrow, GAIN.direction) == ("→1", "best at 1")


def test_worth_takes_arrays_and_is_larger_for_the_better():
    values = np.array([0.5, 0.9, 1.2])
    assert PSNR.worth(values).tolist() == [0.5, 0.9, 1.2]
    assert LPIPS.worth(values).tolist() == [-0.5, -0.9, -1.2]
    assert GAIN.worth(values) == pytest.approx([-0.5, -0.1, -0.2])


def test_a_metric_nobody_knows_has_no_better_side():
    unknown = column("sharpness")
    assert (unknown.arrow, marks(unknown, [1.0, 2.0, 3.0])) == ("", ["", "", ""])
    assert (unknown.label, unknown.words, unknown.written(1.23456)) == ("sharpness", "", "1.2346")


def test_a_column_says_what_its_metric_does_not_see():
    assert PSNR.label == "PSNR-Y" and "blind to texture" in PSNR.words


def test_values_are_written_in_the_digits_of_the_field():
    written = [PSNR.written(v) for v in (28.4314, math.inf, -math.inf, math.nan, None)]
    assert written == ["28.43", "∞", "-∞", "-", "-"]
    assert column("ssim_y").written(0.81127) == "0.8113"


def test_differences_have_a_sign_unless_they_are_nothing():
    written = [LPIPS.written(v, sign=True) for v in (0.1, -0.1, 0.0, -0.00001)]
    assert written == ["+0.1000", "-0.1000", "+0.0000", "+0.0000"]
    assert LPIPS.written(-0.00001) == "0.0000"


def test_metrics_come_in_the_tables_order_unknown_ones_last():
    names = in_order(["zeta", "lpips_alex", "psnr_rgb", "psnr_y", "zeta"])
    assert [metric.name for metric in names] == ["psnr_y", "psnr_rgb", "lpips_alex", "zeta"]
