from typing import Any

from upres.report.clock import clock_of, steps_of
from upres.report.run_log import RunLog, StageLog, ValidationEvent


def stage(name: str, steps: int, epoch: float | None) -> StageLog:
    validation = ValidationEvent(stage=name, step=steps, epoch=epoch, metrics={"psnr_y": 28.0})
    return StageLog(name, steps, (), (validation,))


def run_log(*stages: StageLog) -> RunLog:
    facts: dict[str, Any] = {}
    return RunLog(name="r", recipe="x", scale=4, stages=stages, facts=facts, unread_lines=0)


def test_epochs_of_paper_b_are_counted_on_over_both_stages():
    # 200 epochs of 74 steps a stage
    run = run_log(stage("pixel", 14800, 200.0), stage("gan", 14800, 200.0))
    clock = clock_of(run)
    assert clock.unit == "epoch" and clock.borders == (200.0,)
    assert clock.place("gan", 79 * 74) == 279.0
    assert clock.words("gan", 79 * 74) == "stage gan, epoch 79 (step 5,846)"


def test_stages_may_have_epochs_of_different_lengths():
    clock = clock_of(run_log(stage("pixel", 100, 10.0), stage("gan", 100, 5.0)))
    assert clock.places("pixel", [10, 20]) == [1.0, 2.0]
    assert clock.places("gan", [0, 20]) == [10.0, 11.0]


def test_steps_are_counted_where_epochs_are_not_known_or_too_few():
    for run in (
        run_log(stage("pixel", 100, None)),
        run_log(stage("pixel", 100, 10.0), stage("gan", 100, None)),
        run_log(stage("pixel", 100, 2.9)),
    ):
        assert clock_of(run) == steps_of(run) and clock_of(run).unit == "step"
    assert clock_of(run_log(stage("pixel", 100, 3.0))).unit == "epoch"


def test_a_stage_that_has_not_begun_changes_nothing():
    clock = clock_of(run_log(stage("pixel", 100, 10.0), StageLog("gan", 50, (), ())))
    assert clock.unit == "epoch" and clock.borders == ()
    assert clock.place("gan", 0) == 10.0
