import re
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from upres.errors import MissingExtra
from upres.report.convergence import relation_charts, steps_to_reach
from upres.report.curves import ChartGroup, run_charts
from upres.report.drawing import COLOURS, INK, POINTS, Chart, draw, line
from upres.report.run_log import (
    DiscriminatorScores,
    RunLog,
    StageLog,
    StepEvent,
    ValidationEvent,
)
from upres.report.trade_off import plane_chart


def run_log(*stages: StageLog) -> RunLog:
    facts: dict[str, Any] = {}
    return RunLog(name="r", recipe="x", scale=4, stages=stages, facts=facts, unread_lines=0)


def gan_steps(count: int = 4) -> tuple[StepEvent, ...]:
    return tuple(
        StepEvent(
            stage="gan",
            step=number,
            rate=1e-4,
            images_per_second=10.0,
            data_wait_share=0.1,
            terms={"pixel": 0.08, "content": 7.8, "adversarial": 3.0},
            weighted={"pixel": 0.08, "content": 7.8, "adversarial": 0.015},
            gradient_shares={"pixel": 0.3, "content": 0.6, "adversarial": 0.1},
            discriminator=DiscriminatorScores(loss=0.5, accuracy=0.75, real=1.0, fake=-1.0),
        )
        for number in range(1, count + 1)
    )


def validations(stage: str, *values: float) -> tuple[ValidationEvent, ...]:
    return tuple(
        ValidationEvent(
            stage=stage,
            step=10 * (i + 1),
            protocol="sr-y-float",
            metrics={"psnr_y": value, "ssim_y": value / 40, "lpips_alex": 1 - value / 40},
        )
        for i, value in enumerate(values)
    )


def two_stages() -> RunLog:
    pixel = (StepEvent(stage="pixel", step=5, terms={"pixel": 0.2}),)
    return run_log(
        StageLog("pixel", 50, pixel, validations("pixel", 20, 24, 26, 27, 28)),
        StageLog("gan", 50, gan_steps(), validations("gan", 27.5, 27.0)),
    )


def titled(charts: list[Chart], title: str) -> Chart:
    return next(chart for chart in charts if chart.title == title)


def all_charts(run: RunLog) -> list[Chart]:
    return [chart for group in run_charts(run) for chart in group.charts]


@pytest.fixture(scope="module")
def groups() -> list[ChartGroup]:
    return run_charts(two_stages())


@pytest.fixture(scope="module")
def charts(groups: list[ChartGroup]) -> list[Chart]:
    return [chart for group in groups for chart in group.charts]


@pytest.fixture(scope="module")
def relations() -> list[Chart]:
    return relation_charts(two_stages())


def test_every_part_of_a_log_has_its_curve(groups):
    assert {group.title: [c.title for c in group.charts] for group in groups} == {
        "Validation": ["PSNR-Y", "SSIM-Y", "LPIPS"],
        "Losses, stage pixel": ["Loss terms"],
        "Losses, stage gan": [
            "Loss terms",
            "Shares of the weighted loss by value",
            "Shares of the gradient",
        ],
        "Discriminator, stage gan": [
            "Accuracy",
            "Scores of real and fake pictures",
            "Loss of the discriminator",
        ],
        "Learning rate and speed": ["Learning rate", "Speed", "Waiting for data"],
    }


def test_an_empty_log_has_no_curves():
    run = run_log(StageLog("pixel", 10, (), ()))
    assert run_charts(run) == [] and relation_charts(run) == []


def test_the_best_validation_is_named_with_its_stage_and_step(charts):
    assert "Best: 28.00 dB at stage pixel, step 50." in titled(charts, "PSNR-Y").caption
    assert "by sr-y-float; higher is better." in titled(charts, "PSNR-Y").caption
    assert "Best: 0.3000 at stage pixel, step 50." in titled(charts, "LPIPS").caption


def test_what_was_not_finite_is_left_out_of_the_best():
    run = run_log(StageLog("pixel", 30, (), validations("pixel", 20, float("nan"), 21)))
    assert "Best: 21.00 dB at stage pixel, step 30." in all_charts(run)[0].caption


def test_many_validations_get_a_moving_average():
    few, many = (
        run_log(StageLog("pixel", 200, (), validations("pixel", *np.linspace(20, 28, n))))
        for n in (19, 20)
    )
    assert "mean of 10" not in all_charts(few)[0].caption
    assert "mean of 10" in all_charts(many)[0].caption


def test_shares_by_value_warn_of_what_they_do_not_say(charts):
    assert "says little about influence" in charts[5].caption
    assert charts[5].title == "Shares of the weighted loss by value"


def test_the_end_of_the_discriminator_is_told_in_numbers(charts):
    assert "Mean of the last tenth: 75%." in titled(charts, "Accuracy").caption


def test_svg_takes_the_colours_of_the_page_and_reaches_for_nothing(charts, relations):
    for chart in [*charts, *relations]:
        root = ElementTree.fromstring(chart.svg)
        assert root.attrib["role"] == "img" and root.attrib["aria-label"] == chart.title
        assert "width" not in root.attrib and "viewBox" in root.attrib
        assert "currentColor" in chart.svg and INK not in chart.svg
        bare = re.sub(r"var\([^)]*\)", "", chart.svg)
        assert not any(colour in bare for colour in COLOURS)
        assert "#000000" not in bare and "stroke: #0" not in bare  # black is lost in the dark
        assert not re.search(r'href="(?!#)|url\((?!#)|<image|<script', chart.svg)


def test_terms_look_the_same_whichever_others_there_are():
    def colour_of(terms: dict[str, float]) -> str:
        stage = StageLog(
            "s", 2, tuple(StepEvent(stage="s", step=i, terms=terms) for i in (1, 2)), ()
        )
        svg = all_charts(run_log(stage))[0].svg
        return re.findall(r"var\(--(\w+)", svg)[-1]

    assert colour_of({"content": 1.0}) == "vermillion"
    assert colour_of({"pixel": 2.0, "content": 1.0}) == "vermillion"


def test_charts_are_the_same_each_time(charts):
    assert all_charts(two_stages()) == charts


def test_settings_of_matplotlib_are_left_as_they_were():
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw("x", lambda axes: None)
    assert dict(matplotlib.rcParams) == before


def test_a_long_line_is_drawn_as_means_of_bins_that_keep_the_mean():
    drawn: list[np.ndarray] = []

    def paint(axes: Any) -> None:
        line(axes, range(16_000), [float(i % 2) for i in range(16_000)], color="#0072b2")
        drawn.append(axes.lines[0].get_ydata())

    draw("x", paint)
    assert len(drawn[0]) == POINTS
    np.testing.assert_allclose(drawn[0], 0.5)


def test_plane_needs_two_rows_with_both_metrics():
    both = {"psnr_y": 28.0, "lpips_alex": 0.2}
    assert plane_chart([("a", both), ("b", {"psnr_y": 28.0})]) is None
    assert plane_chart([("a", both), ("b", {**both, "psnr_y": float("inf")})]) is None
    assert plane_chart([("a", both), ("b", both)]) is not None


def test_convergence_finds_where_shares_of_the_way_were_reached():
    run = run_log(
        StageLog("pixel", 30, (), validations("pixel", 20, 27, 28)),
        StageLog("gan", 20, (), validations("gan", 30, 29)),
    )
    # of the 10 dB from 20 to 30: 70 % at 27 dB, 80 % at 28, the rest at 30
    found = [("pixel", 20), ("pixel", 30), ("gan", 10), ("gan", 10), ("gan", 10)]
    assert steps_to_reach(run, "psnr_y") == found
    assert steps_to_reach(run, "lpips_alex") == found


def test_convergence_counts_the_steps_of_earlier_stages():
    run = run_log(
        StageLog("pixel", 30, (), validations("pixel", 20, 27, 28)),
        StageLog("gan", 20, (), validations("gan", 30, 29)),
    )
    chart = relation_charts(run)[-1]
    assert chart.title == "Steps until close to the best"
    assert "Steps to 90%: PSNR-Y 40, SSIM-Y 40, LPIPS 40. Stages are counted on." in chart.caption


def test_relation_marks_the_best_balance(relations):
    assert "(stage pixel, step 50)" in relations[0].caption


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra) as error:
        draw("x", lambda axes: None)
    assert str(error.value) == (
        "A report needs the package matplotlib, which is not installed: "
        "run `pip install 'upres[report]'`."
    )


def test_best_and_second_best_are_those_of_paper_b():
    # its stage 2: 28.55 dB at epoch 79 and again, a little less, at epoch 92
    values = [27.0 + 0.01 * n for n in range(100)]
    values[79], values[92] = 28.554, 28.551
    events = tuple(
        ValidationEvent(stage="gan", step=74 * n, epoch=float(n), metrics={"psnr_y": value})
        for n, value in enumerate(values)
    )
    caption = all_charts(run_log(StageLog("gan", 7326, (), events)))[0].caption
    assert "Best: 28.55 dB at stage gan, epoch 79 (step 5,846)." in caption
    assert "Second-best: 28.55 dB at stage gan, epoch 92 (step 6,808)." in caption


def test_what_a_stage_was_handed_does_not_count_as_its_own():
    handed = ValidationEvent(stage="gan", step=0, metrics={"psnr_y": 28.0})
    run = run_log(
        StageLog("pixel", 30, (), validations("pixel", 26, 27, 28)),
        StageLog("gan", 10, (), (handed, *validations("gan", 25.0))),
    )
    caption = all_charts(run)[0].caption
    assert "Best: 28.00 dB at stage pixel, step 30." in caption
    assert "Second-best: 27.00 dB at stage pixel, step 20." in caption


def test_a_run_judged_in_rgb_has_its_relation_too():
    def in_rgb(event: ValidationEvent) -> ValidationEvent:
        metrics = {name.replace("_y", "_rgb"): value for name, value in event.metrics.items()}
        return event.model_copy(update={"metrics": metrics})

    events = tuple(in_rgb(event) for event in validations("pixel", 20, 24, 26, 27, 28))
    charts = relation_charts(run_log(StageLog("pixel", 50, (), events)))
    assert charts[0].title == "PSNR-RGB and SSIM-RGB of each validation"


def test_names_of_lines_stand_above_the_axes_and_all_fit():
    def paint(axes: Any) -> None:
        for index in range(6):
            line(axes, [0, 1], [0, 1], label=f"a rather long name {index}", color="#0072b2")

    root = ElementTree.fromstring(draw("x", paint).svg)
    width = float(root.attrib["viewBox"].split()[2])
    lefts = [
        float(text.attrib["x"])
        for text in root.iter()
        if text.text is not None and text.text.startswith("a rather")
    ]
    assert len(lefts) == 6 and max(lefts) < width - 80
