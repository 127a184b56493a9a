"""What Weights & Biases is told: by a stand-in for its package, and by itself where installed."""

import json
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from upres.errors import UpresError
from upres.tracking.choosing import tracking
from upres.tracking.strips import strip
from upres.tracking.tracker import Event
from upres.tracking.wandb import WandB

LR = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
SR, HR = LR.repeat(4, axis=0).repeat(4, axis=1) + 1, LR.repeat(4, axis=0).repeat(4, axis=1) + 2


class FakeWandb:
    """The few names of the package that we use, and what was done with them."""

    def __init__(self, *, logged_in: bool = True, mode: str = "online") -> None:
        self.logged_in, self.settings = logged_in, SimpleNamespace(mode=mode, project=None)
        self.asked_to_log_in = 0
        self.runs: list[FakeRun] = []

    def setup(self, settings: Mapping[str, Any]) -> Any:
        assert settings["silent"], "its lines would break up ours"
        return SimpleNamespace(settings=self.settings)

    def login(self, *, prompt: bool, verify: bool) -> bool:
        assert not prompt, "it would wait for somebody to type"
        self.asked_to_log_in += 1
        return self.logged_in

    def Settings(self, **values: Any) -> dict[str, Any]:
        return values

    def Image(self, picture: Any, caption: str) -> tuple[Any, str]:
        return picture, caption

    def init(self, **options: Any) -> "FakeRun":
        self.runs.append(FakeRun(options))
        return self.runs[-1]


class FakeRun:
    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.rows: list[tuple[int, dict[str, Any]]] = []
        self.axes: dict[str, str | None] = {}
        self.finished = False

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        self.axes[name] = step_metric

    def log(self, row: dict[str, Any], *, step: int) -> None:
        assert not self.rows or step > self.rows[-1][0], "wandb drops such a row"
        self.rows.append((step, row))

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "leaves"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("name: toy\nscale: 4\n", encoding="utf-8")
    (folder / "run.json").write_text('{"seed": 7}\n', encoding="utf-8")
    return folder


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeWandb]:
    def install(**options: Any) -> FakeWandb:
        found = FakeWandb(**options)
        monkeypatch.setitem(sys.modules, "wandb", found)  # type: ignore[arg-type]
        return found

    return install


def step(stage: str, number: int, loss: float) -> Event:
    return {"event": "step", "stage": stage, "step": number, "terms": {"pixel": loss}}


def validation(stage: str, number: int, psnr: float) -> Event:
    metrics = {"psnr_y": psnr}
    return {"event": "validation", "stage": stage, "step": number, "metrics": metrics}


def life(run: Path, name: str, *events: Event) -> None:
    with tracking([name], run, pytest.fail) as trackers:
        for event in events:
            trackers.event(event)
            if event["event"] == "validation":
                trackers.pictures(event["stage"], event["step"], {"leaf": (LR, SR, HR)})


def test_each_stage_has_its_own_axis_of_steps(run: Path, fake: Callable[..., FakeWandb]) -> None:
    wandb = fake()
    verdict = {
        "event": "verdict",
        "stage": "gan",
        "step": 2,
        "text": "it has won",
        "fields": [],
        "state": "begins",
    }
    life(run, "wandb", step("pixel", 2, 0.25), validation("pixel", 2, 20.0), verdict)
    (theirs,) = wandb.runs
    assert theirs.finished
    (shown, caption) = theirs.rows[2][1].pop("pixel/pictures/leaf")
    assert (shown == strip(LR, SR, HR)).all()
    assert caption == "LR, bicubic, SR, HR"
    assert theirs.rows == [
        (0, {"pixel/terms/pixel": 0.25, "pixel/step": 2}),
        (1, {"pixel/validation/psnr_y": 20.0, "pixel/step": 2}),
        (2, {"pixel/step": 2}),
        (3, {"gan/verdict": "it has won (begins)", "gan/step": 2}),
    ]
    assert theirs.axes == {
        "pixel/step": None,
        "pixel/*": "pixel/step",
        "gan/step": None,
        "gan/*": "gan/step",
    }


def test_it_is_told_what_run_it_is(run: Path, fake: Callable[..., FakeWandb]) -> None:
    wandb = fake()
    life(run, "wandb", step("pixel", 2, 0.25))
    options = wandb.runs[0].options
    assert options["name"] == "leaves"
    assert options["project"] == "upres"
    assert options["dir"] == str(run)
    assert options["config"] == {"name": "toy", "scale": 4, "run": {"seed": 7}}
    assert options["settings"]["console"] == "off"  # our stdout stays ours


def test_the_users_own_project_is_kept(run: Path, fake: Callable[..., FakeWandb]) -> None:
    wandb = fake()
    wandb.settings.project = "thesis"
    life(run, "wandb", step("pixel", 2, 0.25))
    assert wandb.runs[0].options["project"] == "thesis"


@pytest.mark.parametrize(("name", "resume"), [("wandb", "allow"), ("wandb:offline", None)])
def test_a_run_that_goes_on_is_the_same_run_and_sends_nothing_twice(
    run: Path, fake: Callable[..., FakeWandb], name: str, resume: str | None
) -> None:
    wandb = fake()
    life(run, name, step("pixel", 2, 0.5), step("pixel", 4, 0.25), validation("pixel", 4, 20.0))
    # the state of step 2 was saved: step 4 is done again; killed there, and once more
    life(run, name, step("pixel", 4, 0.25))
    life(run, name, step("pixel", 4, 0.25), validation("pixel", 4, 20.0), step("pixel", 6, 0.125))
    assert len({theirs.options["id"] for theirs in wandb.runs}) == 1
    assert [theirs.options["resume"] for theirs in wandb.runs] == [resume] * 3
    rows = [row for theirs in wandb.runs for row in theirs.rows]
    assert [at for at, _ in rows] == [0, 1, 2, 3, 4]
    losses = [
        (row["pixel/step"], row["pixel/terms/pixel"])
        for _, row in rows
        if "pixel/terms/pixel" in row
    ]
    assert losses == [(2, 0.5), (4, 0.25), (6, 0.125)]


def test_two_verdicts_at_one_step_are_both_told(run: Path, fake: Callable[..., FakeWandb]) -> None:
    wandb = fake()
    told = {"event": "verdict", "stage": "gan", "step": 2, "text": "a", "state": "begins"}
    life(run, "wandb", told, {**told, "text": "b"})
    assert [row["gan/verdict"] for _, row in wandb.runs[0].rows] == ["a (begins)", "b (begins)"]


def test_two_runs_are_two_of_theirs(
    run: Path, tmp_path: Path, fake: Callable[..., FakeWandb]
) -> None:
    wandb = fake()
    life(run, "wandb", step("pixel", 2, 0.5))
    (run / "wandb.json").unlink()
    life(run, "wandb", step("pixel", 2, 0.5))
    assert len({theirs.options["id"] for theirs in wandb.runs}) == 2


def test_a_damaged_note_of_what_was_sent_begins_a_new_run(
    run: Path, fake: Callable[..., FakeWandb]
) -> None:
    wandb = fake()
    (run / "wandb.json").write_text('{"id": "abc", "ro')
    life(run, "wandb", step("pixel", 2, 0.5))
    assert len(wandb.runs[0].rows) == 1
    assert json.loads((run / "wandb.json").read_text())["steps"] == {"pixel/step": 2}


def test_nobody_logged_in_is_one_sentence_and_nobody_is_asked(
    run: Path, fake: Callable[..., FakeWandb]
) -> None:
    wandb = fake(logged_in=False)
    with pytest.raises(UpresError) as refused:
        WandB().start(run)
    assert str(refused.value) == (
        "nobody is logged in to Weights & Biases: run `wandb login`, or give --track wandb:offline."
    )
    assert wandb.runs == []


@pytest.mark.parametrize(("name", "mode"), [("wandb:offline", "online"), ("wandb", "offline")])
def test_offline_nobody_needs_to_be_logged_in(
    run: Path, fake: Callable[..., FakeWandb], name: str, mode: str
) -> None:
    wandb = fake(logged_in=False, mode=mode)
    life(run, name, step("pixel", 2, 0.5))
    assert wandb.asked_to_log_in == 0
    assert wandb.runs[0].options["mode"] == ("offline" if name == "wandb:offline" else None)


def test_a_server_that_does_not_answer_is_one_warning(
    run: Path, fake: Callable[..., FakeWandb], monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: Any) -> FakeRun:
        raise ConnectionError("timed out after 30 s")

    monkeypatch.setattr(fake(), "init", init)
    warnings: list[str] = []
    with tracking(["wandb"], run, warnings.append) as trackers:
        trackers.event(step("pixel", 2, 0.5))
    assert warnings == [
        "Warning: training goes on without wandb: ConnectionError (timed out after 30 s)."
    ]


# --- the package itself


def test_wandb_itself_writes_it_down_offline(
    run: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb", reason="an extra: pip install 'upres[track]'")
    monkeypatch.setenv("HOME", str(run.parent))
    life(run, "wandb:offline", step("pixel", 2, 0.5), validation("pixel", 2, 20.0))
    wandb.teardown()  # as between two processes
    life(run, "wandb:offline", step("pixel", 2, 0.5), step("pixel", 4, 0.25))
    wandb.teardown()
    assert capfd.readouterr() == ("", "")
    first, second = sorted((run / "wandb").glob("offline-run-*/run-*.wandb"))
    assert first.name == second.name  # the same run
    assert [row.get("pixel/terms/pixel") for row in written(first)] == [0.5, None, None]
    assert [row["pixel/step"] for row in written(second)] == [4]
    shown = list((run / "wandb").glob("offline-run-*/files/media/images/pixel/pictures/*.png"))
    assert len(shown) == 1


def written(file: Path) -> list[dict[str, Any]]:
    """The rows in a file of wandb's: LevelDB's log format after 7 bytes, protobuf within."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, rows, at, data = file.read_bytes(), [], 7, b""
    while at < len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        data += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record, data = Record.FromString(data), b""
            rows += [record.history.item] if record.HasField("history") else []
    return [
        {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items} for items in rows
    ]
