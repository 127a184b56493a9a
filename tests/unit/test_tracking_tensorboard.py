"""What TensorBoard itself reads back from the files that we write."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard", reason="an extra: pip install 'upres[track]'")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from upres.tracking.choosing import tracking
from upres.tracking.guarded import Guarded
from upres.tracking.strips import strip
from upres.tracking.tensorboard import TensorBoard
from upres.tracking.tracker import Event

LR = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
SR, HR = LR.repeat(4, axis=0).repeat(4, axis=1) + 1, LR.repeat(4, axis=0).repeat(4, axis=1) + 2


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text("name: toy\nscale: 4\n", encoding="utf-8")
    (tmp_path / "run.json").write_text('{"seed": 7}\n', encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def a_second_a_look(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """TensorBoard reads files in the order of their names, which are by the second."""
    really, looks = time.time, 0

    def later() -> float:
        nonlocal looks
        looks += 1
        return really() + looks

    monkeypatch.setattr(time, "time", later)
    yield


def opening(stage: str, from_step: int) -> Event:
    return {"event": "stage", "stage": stage, "from_step": from_step, "steps": 100}


def step(stage: str, number: int, loss: float) -> Event:
    terms = {"pixel": loss}
    return {"event": "step", "stage": stage, "step": number, "rate": 0.5, "terms": terms}


def validation(stage: str, number: int, psnr: float) -> Event:
    metrics = {"psnr_y": psnr}
    return {"event": "validation", "stage": stage, "step": number, "metrics": metrics}


def life(run: Path, *events: Event) -> None:
    with tracking(["tensorboard"], run, pytest.fail) as trackers:
        for event in events:
            trackers.event(event)
            if event["event"] == "validation":
                trackers.pictures(event["stage"], event["step"], {"leaf": (LR, SR, HR)})


def read(run: Path, stage: str) -> EventAccumulator:
    found = EventAccumulator(str(run / "tensorboard" / stage), size_guidance={"images": 0})
    found.Reload()
    return found


def curve(found: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in found.Scalars(name)]


def test_each_stage_has_its_curves_pictures_and_texts(run: Path) -> None:
    verdict = {
        "event": "verdict",
        "stage": "gan",
        "step": 2,
        "text": "it has won",
        "fields": [],
        "state": "begins",
    }
    life(
        run,
        {"event": "run", "recipe": "toy"},
        opening("pixel", 0),
        validation("pixel", 0, 20.0),
        step("pixel", 2, 0.25),
        opening("gan", 0),
        step("gan", 2, 0.75),
        verdict,
    )
    assert sorted(path.name for path in (run / "tensorboard").iterdir()) == ["gan", "pixel"]
    pixel, gan = read(run, "pixel"), read(run, "gan")
    assert curve(pixel, "terms/pixel") == [(2, 0.25)]
    assert curve(pixel, "validation/psnr_y") == [(0, 20.0)]
    assert curve(gan, "terms/pixel") == [(2, 0.75)]
    assert curve(gan, "rate") == [(2, 0.5)]
    (picture,) = pixel.Images("pictures/leaf")
    shown = np.asarray(Image.open(io.BytesIO(picture.encoded_image_string)))
    assert (shown == strip(LR, SR, HR)).all()
    assert texts(gan, "verdicts") == ["it has won (begins)"]
    assert texts(pixel, "recipe.yaml") == ["    name: toy\n    scale: 4\n"]
    assert texts(pixel, "run.json") == ['    {"seed": 7}\n']


def texts(found: EventAccumulator, name: str) -> list[str]:
    return [e.tensor_proto.string_val[0].decode() for e in found.Tensors(f"{name}/text_summary")]


def test_steps_that_are_done_again_are_drawn_once(run: Path) -> None:
    first = [step("pixel", n, 1 / n) for n in (2, 4, 6, 8)]
    life(run, opening("pixel", 0), validation("pixel", 0, 20.0), *first, validation("pixel", 8, 21))
    # the state of step 4 was saved; 6 was done in the killed life, too, and 8 is not reached yet
    life(run, opening("pixel", 4), step("pixel", 6, 1 / 6))
    found = read(run, "pixel")
    assert [at for at, _ in curve(found, "terms/pixel")] == [2, 4, 6]
    assert curve(found, "validation/psnr_y") == [(0, 20.0)]
    assert [picture.step for picture in found.Images("pictures/leaf")] == [0]
    assert texts(found, "recipe.yaml") == ["    name: toy\n    scale: 4\n"]  # once, from the first


def test_a_stage_that_begins_anew_begins_its_curves_anew(run: Path) -> None:
    life(run, opening("pixel", 0), validation("pixel", 0, 20.0), step("pixel", 2, 0.5))
    life(run, opening("pixel", 0), validation("pixel", 0, 20.0))
    found = read(run, "pixel")
    assert curve(found, "validation/psnr_y") == [(0, 20.0)]
    assert "terms/pixel" not in found.Tags()["scalars"] or curve(found, "terms/pixel") == []


def test_what_was_told_before_a_kill_is_on_the_disk(run: Path) -> None:
    tracker = TensorBoard()
    tracker.start(run)
    for event in (opening("pixel", 0), step("pixel", 2, 0.5), validation("pixel", 2, 20.0)):
        tracker.event(event)  # and it is never closed
    found = read(run, "pixel")
    assert curve(found, "terms/pixel") == [(2, 0.5)]
    assert curve(found, "validation/psnr_y") == [(2, 20.0)]
    tracker.close()


def test_a_folder_that_cannot_be_written_is_one_warning(run: Path) -> None:
    (run / "tensorboard").write_text("a file in the way")
    warnings: list[str] = []
    guarded = Guarded(TensorBoard(), "tensorboard", run, warnings.append)
    events: list[Any] = [opening("pixel", 0), step("pixel", 2, 0.5), step("pixel", 4, 0.5)]
    for event in events:
        guarded.event(event)
    guarded.close()
    (warning,) = warnings
    assert warning.startswith("Warning: training goes on without tensorboard: ")
    assert "\n" not in warning
