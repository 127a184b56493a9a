import json
import math
from pathlib import Path
from typing import Any

import pytest

from upres.errors import BadRun
from upres.report.run_log import RunLog, read_run_log

HEAD = {"event": "run", "recipe": "usrgan", "scale": 4, "stages": {"pixel": {"steps": 8}}}


def step(number: int, stage: str = "pixel", **more: Any) -> dict[str, Any]:
    return {"event": "step", "stage": stage, "step": number, "terms": {"pixel": 0.1}, **more}


def validation(number: int, psnr: float | None = 25.0, stage: str = "pixel") -> dict[str, Any]:
    metrics = {"psnr_y": psnr}
    return {"event": "validation", "stage": stage, "step": number, "metrics": metrics}


def read(folder: Path, *events: dict[str, Any], tail: str = "") -> RunLog:
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(event) for event in events]
    (folder / "metrics.jsonl").write_text("\n".join([*lines, tail]), encoding="utf-8")
    return read_run_log(folder)


def steps_of(log: RunLog) -> list[int]:
    return [event.step for event in log.stages[0].steps]


def test_stages_come_in_the_order_of_the_head_with_what_was_planned(tmp_path):
    head = {**HEAD, "stages": {"pixel": {"steps": 8}, "gan": {"steps": 9, "later": 1}}}
    log = read(tmp_path / "run", head, step(1, "gan"), step(1), step(2))
    assert [(s.name, s.planned_steps, s.last_step) for s in log.stages] == [
        ("pixel", 8, 2),
        ("gan", 9, 1),
    ]
    assert (log.name, log.recipe, log.scale) == ("run", "usrgan", 4)


def test_a_stage_that_has_not_begun_is_there_without_events(tmp_path):
    log = read(tmp_path, HEAD)
    assert (log.stages[0].steps, log.stages[0].last_step) == ((), 0)


def test_a_resumed_run_leaves_the_branch_it_came_from(tmp_path):
    events = [step(1), step(2), validation(2), step(3), step(4), validation(4), step(3)]
    log = read(tmp_path, HEAD, *events)
    assert steps_of(log) == [1, 2, 3]
    assert [event.step for event in log.stages[0].validations] == [2]


def test_the_validation_of_the_step_before_it_is_kept(tmp_path):
    log = read(tmp_path, HEAD, step(1), validation(1, 20.0), step(2), validation(2, 21.0))
    assert [v.metrics["psnr_y"] for v in log.stages[0].validations] == [20.0, 21.0]


def test_a_line_cut_short_is_counted(tmp_path):
    log = read(tmp_path, HEAD, step(1), tail='{"event": "step", "sta')
    assert (steps_of(log), log.unread_lines) == ([1], 1)


@pytest.mark.parametrize(
    "line", ["[1]", "3", '{"event": "step"}', '{"event": "run", "scale": "x"}']
)
def test_a_line_that_is_no_event_is_counted(tmp_path, line):
    assert read(tmp_path, HEAD, step(1), tail=line).unread_lines == 1


def test_an_event_of_a_later_version_is_passed_over(tmp_path):
    log = read(tmp_path, HEAD, {"event": "power", "watt": 3}, step(1, later=[1]))
    assert (steps_of(log), log.unread_lines) == ([1], 0)


def test_null_is_a_value_that_was_not_finite(tmp_path):
    log = read(tmp_path, HEAD, step(1, terms={"pixel": None}), validation(1, None))
    assert math.isnan(log.stages[0].steps[0].terms["pixel"])
    assert math.isnan(log.stages[0].validations[0].metrics["psnr_y"])


def verdict(number: int, state: str = "begins", stage: str = "gan") -> dict[str, Any]:
    told = {"kind": "grid", "text": "words", "fields": ["a.b"], "state": state}
    return {"event": "verdict", "stage": stage, "step": number, **told}


def test_verdicts_belong_to_their_stage_and_leave_with_a_branch(tmp_path):
    events = [step(1, "gan"), verdict(1), step(2, "gan"), verdict(2, "ends"), step(2, "gan")]
    log = read(tmp_path, HEAD, step(1), *events)
    assert [len(stage.verdicts) for stage in log.stages] == [0, 1]
    kept = log.stages[1].verdicts[0]
    assert (kept.step, kept.kind, kept.text, kept.fields) == (1, "grid", "words", ("a.b",))
    assert read(tmp_path, HEAD, verdict(1, "sleeps")).unread_lines == 1


def test_what_the_watch_measured_is_read_with_its_gaps(tmp_path):
    look = {"gradient_shares": {"pixel": 1.0}, "gradient_norm": None, "grid": 0.1}
    log = read(tmp_path, HEAD, step(1, watch=look, weights={"pixel": 0.5}), step(2))
    first, second = log.stages[0].steps
    assert first.watch is not None and second.watch is None
    assert (first.pulls, first.watch.grid, first.watch.gradient_norm) == ({"pixel": 1.0}, 0.1, None)
    assert (second.pulls, first.weights) == ({}, {"pixel": 0.5})


def test_shares_of_a_log_of_the_first_version_are_read(tmp_path):
    log = read(tmp_path, HEAD, step(1, gradient_shares={"pixel": 0.3}))
    assert log.stages[0].steps[0].pulls == {"pixel": 0.3}


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("stages: {pixel: {balance: {accuracy_band: [0.6, 0.9]}}}", (0.6, 0.9)),
        ("stages: {pixel: {balance: {accuracy_band: null}}}", None),
        ("stages: {pixel: {steps: 3}}", None),
        ("stages: [", None),
        ("stages: {pixel: {balance: {accuracy_band: [x]}}}", None),
        ("3", None),
    ],
)
def test_the_band_is_the_recipes_and_a_bad_recipe_costs_only_it(tmp_path, text, band):
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert read(tmp_path, HEAD).stages[0].accuracy_band == band


def test_facts_are_those_of_run_json(tmp_path):
    (tmp_path / "run.json").write_text('{"seed": 3}', encoding="utf-8")
    assert read(tmp_path, HEAD).facts == {"seed": 3}


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_run_json_costs_only_its_facts(tmp_path, text):
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    assert read(tmp_path, HEAD).facts == {}


def test_a_folder_without_a_log_is_no_run(tmp_path):
    with pytest.raises(BadRun) as error:
        read_run_log(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} holds no readable metrics.jsonl; give the folder that `upres train` wrote, "
        "or an evaluation's JSON file."
    )
