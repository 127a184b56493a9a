"""Verdicts as bars over the steps of a stage."""

from typing import Any

from upres.report.run_log import Look, StageLog, StepEvent, VerdictEvent
from upres.report.time_line import stage_watch


def event(step: int, kind: str, state: str, text: str = "text", **more: Any) -> VerdictEvent:
    fields = {"stage": "gan", "step": step, "kind": kind, "text": text, "state": state, **more}
    return VerdictEvent.model_validate(fields)


def stage(*verdicts: VerdictEvent, last: int = 1000, look: Look | None = None) -> StageLog:
    steps = (StepEvent(stage="gan", step=last, watch=look),)
    return StageLog("gan", last, steps, (), verdicts)


def test_bars_are_where_a_verdict_stood() -> None:
    found = stage_watch(
        stage(
            event(100, "grid", "begins", "first"),
            event(300, "one-term", "begins"),
            event(350, "grid", "ends"),
            event(800, "grid", "begins", "last", fields=("a.b",)),
        )
    )
    assert found is not None
    assert (found.stage, found.steps, [row.kind for row in found.rows]) == (
        "gan",
        1000,
        ["grid", "one-term"],
    )
    grid, one = found.rows
    assert [(bar.left, bar.width) for bar in grid.bars] == [(10, 25), (80, 20)]
    assert (grid.text, grid.fields) == ("last", ("a.b",))
    assert grid.when == "steps 100 to 350, 800 on"
    assert (one.when, [(bar.left, bar.width) for bar in one.bars]) == ("steps 300 on", [(30, 70)])


def test_steps_are_named_once_each_way() -> None:
    found = stage_watch(
        stage(
            event(100, "a", "begins"),
            event(1500, "a", "ends"),
            event(1600, "a", "begins"),
            event(1700, "a", "ends"),
            last=2000,
        )
    )
    assert found is not None and found.rows[0].when == "steps 100 to 1,500, 1,600 to 1,700"


def test_a_watch_that_found_nothing_is_there_and_a_log_without_one_is_not() -> None:
    found = stage_watch(stage(look=Look(grid=0.0)))
    assert found is not None and found.rows == ()
    assert stage_watch(stage()) is None


def test_halves_of_a_verdict_do_no_harm() -> None:
    found = stage_watch(stage(event(100, "a", "ends")))
    assert found is not None and found.rows == ()
    found = stage_watch(stage(event(100, "a", "begins"), event(200, "a", "begins"), last=0))
    assert found is not None
    assert [(bar.left, bar.width) for bar in found.rows[0].bars] == [(50, 50)]
