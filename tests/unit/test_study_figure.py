import re

import pytest

from upres.evaluation.judge import Evaluation, Row
from upres.recipes import RECIPES
from upres.report.run_log import Look, RunLog, StageLog, StepEvent
from upres.studies.figure import last_pulls, series_of, study_figures
from upres.studies.points import Point, Varied, points, vary

TINY = RECIPES["tiny"]  # adversarial 0.05, content 0.1
ADVERSARIAL = "stages.gan.losses.adversarial.weight"
CONTENT = "stages.gan.losses.content.weight"


def study(design: str, *settings: str) -> tuple[list[Varied], list[Point]]:
    varied = vary(TINY, settings)
    return varied, points(TINY, varied, design)  # type: ignore[arg-type]


def judged(found: list[Point]) -> Evaluation:
    rows = [
        Row(model=point.name, dataset="test", metrics={"psnr_y": 20.0 + i}, per_image=[])
        for i, point in enumerate(found)
    ]
    return Evaluation(protocol="sr-y-float", rows=rows, scale=4)


def run(*shares: tuple[int, dict[str, float]]) -> RunLog:
    steps = tuple(
        StepEvent(stage="gan", step=step, watch=Look(gradient_shares=share))
        for step, share in shares
    )
    stage = StageLog("gan", None, steps, ())
    return log(stage)


def log(*stages: StageLog) -> RunLog:
    return RunLog(name="run", recipe=None, scale=4, stages=stages, facts={}, unread_lines=0)


def test_a_line_holds_the_points_that_differ_in_one_field_by_its_value() -> None:
    varied, found = study("one-at-a-time", f"{ADVERSARIAL}=0.5,0.005", f"{CONTENT}=1")
    names = dict.fromkeys(point.name for point in found)
    (line,) = series_of(varied, found, 0, names)
    assert line.names == ("adversarial=0.005", "recipe", "adversarial=0.5")
    assert line.label == "all else as in the recipe"
    (line,) = series_of(varied, found, 1, names)
    assert line.names == ("recipe", "content=1")


def test_a_grid_has_a_line_for_each_value_of_the_other_field() -> None:
    varied, found = study("grid", f"{ADVERSARIAL}=0.05,0.5", f"{CONTENT}=0.1,1")
    names = dict.fromkeys(point.name for point in found)
    lines = {line.label: line.names for line in series_of(varied, found, 0, names)}
    assert lines == {
        "all else as in the recipe": ("recipe", "adversarial=0.5"),
        "content=1": ("content=1", "adversarial=0.5 content=1"),
    }


def test_a_point_without_scores_is_left_out_and_one_point_is_no_line() -> None:
    varied, found = study("one-at-a-time", f"{ADVERSARIAL}=0.005,0.5")
    (line,) = series_of(varied, found, 0, {"recipe": 1, "adversarial=0.5": 1})
    assert line.names == ("recipe", "adversarial=0.5")
    assert series_of(varied, found, 0, {"recipe": 1}) == []


def test_shares_of_the_gradient_are_means_over_the_last_fifth() -> None:
    found = run(
        (10, {"pixel": 1.0}),
        (79, {"pixel": 1.0}),
        (90, {"pixel": 0.5, "adversarial": 0.5}),
        (100, {"pixel": 0.3, "adversarial": 0.7}),
    )
    assert last_pulls(found) == pytest.approx({"pixel": 0.4, "adversarial": 0.6})
    assert last_pulls(log()) == {}


def ticks(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        (f"{ADVERSARIAL}=0.005,0.5", ["0.005", "0.05", "0.5"]),
        (f"{ADVERSARIAL}=0,0.5", ["0", "0.05", "0.5"]),
        ("stages.gan.losses.adversarial.form=hinge,relativistic", ["non-saturating", "hinge"]),
    ],
)
def test_the_axis_names_the_values_that_were_tried(setting: str, shown: list[str]) -> None:
    varied, found = study("one-at-a-time", setting)
    groups = study_figures(varied, found, judged(found), {})
    assert [chart.title for group in groups for chart in group.charts] == [
        f"PSNR-Y against {varied[0].label}"
    ]
    words = ticks(groups[0].charts[0].svg)
    for value in shown:
        assert value in words
    assert "PSNR-Y ↑  dB" in words


def test_what_pulled_the_generator_is_drawn_where_it_was_measured() -> None:
    varied, found = study("one-at-a-time", f"{ADVERSARIAL}=0.5")
    runs = {point.name: run((10, {"pixel": 0.9, "adversarial": 0.1})) for point in found}
    groups = study_figures(varied, found, judged(found), runs)
    assert groups[-1].title == "What pulled the generator"
    words = ticks(groups[-1].charts[0].svg)
    assert {"recipe", "adversarial=0.5", "pixel", "adversarial"} <= set(words)
