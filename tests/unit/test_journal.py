"""A run's metrics.jsonl."""

import errno
import json
import math
import os
from pathlib import Path

import pytest

from upres.errors import NoSpace
from upres.training.journal import Event, Journal, read_events


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "metrics.jsonl", lambda event: None)


def step(stage: str, number: int) -> Event:
    return {"event": "step", "stage": stage, "step": number}


def test_events_are_lines_in_order_and_the_listener_hears_each(tmp_path: Path) -> None:
    heard: list[Event] = []
    journal = Journal(tmp_path / "metrics.jsonl", heard.append)
    events = [step("pixel", 1), {"event": "finished", "model": "Fotos/größer"}]
    for event in events:
        journal.write(event)
    assert heard == events
    lines = journal.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == events == read_events(journal.path)


def test_a_value_that_is_not_finite_is_null_since_json_has_no_such_number(
    journal: Journal,
) -> None:
    journal.write({"event": "validation", "metrics": {"psnr_y": math.inf, "ssim_y": math.nan}})
    text = journal.path.read_text(encoding="utf-8")
    strict = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert strict["metrics"] == {"psnr_y": None, "ssim_y": None}


def test_what_came_after_the_saved_step_is_dropped_in_its_own_stage_only(
    journal: Journal,
) -> None:
    opening = {"event": "stage", "stage": "gan", "from_step": 0}
    kept = [step("pixel", 9), opening, step("gan", 3), step("gan", 4)]
    for event in [*kept, step("gan", 5), {"event": "planned", "stage": "gan", "step": 6}]:
        journal.write(event)
    journal.keep_until("gan", 4)
    assert read_events(journal.path) == kept


def test_a_stage_that_begins_again_forgets_its_first_validation(journal: Journal) -> None:
    journal.write({"event": "validation", "stage": "pixel", "step": 0})
    journal.keep_until("pixel", 0)
    assert read_events(journal.path) == []


def test_a_validation_at_the_saved_step_stays(journal: Journal) -> None:
    journal.write({"event": "validation", "stage": "pixel", "step": 4})
    journal.keep_until("pixel", 4)
    assert len(read_events(journal.path)) == 1


@pytest.mark.parametrize("rest", [b'{"event": "st', '{"model": "größer'.encode()[:-3]])
def test_a_line_that_a_crash_cut_short_is_left_out_and_gone_on_after(
    journal: Journal, rest: bytes
) -> None:
    journal.write(step("pixel", 1))
    with journal.path.open("ab") as lines:
        lines.write(rest)
    assert read_events(journal.path) == [step("pixel", 1)]
    journal.keep_until("pixel", 1)
    journal.write(step("pixel", 2))
    assert read_events(journal.path) == [step("pixel", 1), step("pixel", 2)]


def test_a_run_that_wrote_nothing_has_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "metrics.jsonl") == []


def test_a_full_disk_is_one_sentence(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(NoSpace, match=r"metrics.jsonl could not be written: no space left"):
        journal.write(step("pixel", 1))
