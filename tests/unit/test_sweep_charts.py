"""The figures of a sweep: what they say when there is an alpha to take, and when there is none."""

import pytest

from upres.evaluation.judge import Evaluation, ImageScores, Row
from upres.evaluation.sweep import Sweep, advise
from upres.report.sweep_charts import sweep_figures

ALPHAS = (0.0, 0.2, 0.6, 1.0)
BENT = [(30.0, 0.40), (29.9, 0.30), (29.5, 0.24), (28.0, 0.20)]
STRAIGHT = [(30.0, 0.40), (29.6, 0.36), (28.8, 0.28), (28.0, 0.20)]


def made(points: list[tuple[float, float]], *, lpips: bool = True) -> Sweep:
    rows = []
    for alpha, (db, distance) in zip(ALPHAS, points, strict=True):
        metrics = {"psnr_y": db, **({"lpips_alex": distance} if lpips else {})}
        scores = [ImageScores(image=name, metrics=metrics) for name in ("a", "b")]
        rows.append(Row(model=f"alpha {alpha:g}", dataset="d", metrics=metrics, per_image=scores))
    evaluation = Evaluation(protocol="sr-y-float", rows=rows)
    return Sweep(alphas=ALPHAS, evaluation=evaluation, advice=advise(ALPHAS, rows))


def test_the_plane_names_each_alpha_and_says_what_is_advised_and_how_sure_that_is():
    group = sweep_figures(made(BENT))
    assert group.title == "Alpha 0.6 is advised"
    assert [chart.title for chart in group.charts] == [
        "Each alpha on the plane",
        "PSNR-Y by alpha",
        "LPIPS by alpha",
    ]
    plane = group.charts[0]
    for name in (">0<", ">0.2<", ">0.6<", ">1<"):
        assert name in plane.svg
    assert "The star is alpha 0.6" in plane.caption
    assert "95 % lead to alphas from 0.6 to 0.6" in plane.caption
    assert "LPIPS axis is turned" in plane.caption
    assert group.charts[2].caption == "lower is better"


def test_a_curve_without_a_bend_is_drawn_without_a_star():
    bent, straight = (sweep_figures(made(points)) for points in (BENT, STRAIGHT))
    assert straight.title == "No alpha is advised"
    assert "straight line" in straight.charts[0].caption
    dashed = "stroke-dasharray"
    assert dashed in bent.charts[1].svg
    assert dashed not in straight.charts[1].svg


@pytest.mark.parametrize("points", [BENT, STRAIGHT])
def test_without_a_metric_of_perception_there_is_no_plane(points):
    group = sweep_figures(made(points, lpips=False))
    assert [chart.title for chart in group.charts] == ["PSNR-Y by alpha"]
