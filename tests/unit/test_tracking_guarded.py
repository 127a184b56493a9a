"""Whatever a tracker does, training goes on, and the user reads one warning."""

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from upres.errors import MissingExtra
from upres.tracking.choosing import tracking
from upres.tracking.guarded import Guarded
from upres.tracking.tracker import Event, Pixels

LR, HR = np.zeros((2, 2, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
CROPS = {"a": (LR, HR, HR)}


class Fake:
    """Writes down what it is told, and fails where it is asked to."""

    def __init__(self, where: str = "", error: BaseException | None = None) -> None:
        self.told: list[Any] = []
        self._where, self._error = where, error

    def _tell(self, what: str, *values: Any) -> None:
        self.told.append((what, *values))
        if what == self._where and self._error is not None:
            raise self._error

    def start(self, folder: Path) -> None:
        self._tell("start", folder)

    def event(self, event: Event) -> None:
        self._tell("event", event["step"])

    def pictures(self, stage: str, step: int, pictures: Mapping[str, Pixels]) -> None:
        assert all(strip.shape == (8, 4 * 8 + 3 * 4, 3) for strip in pictures.values())
        self._tell("pictures", stage, step, list(pictures))

    def close(self) -> None:
        self._tell("close")


class Hanging(Fake):
    def __init__(self, where: str) -> None:
        super().__init__()
        self.hangs_at, self.free = where, threading.Event()

    def _tell(self, what: str, *values: Any) -> None:
        if what == self.hangs_at:
            self.free.wait()
        super()._tell(what, *values)


def life(tracker: Fake, folder: Path, **options: Any) -> list[str]:
    """What a training tells a tracker; returns the warnings."""
    warnings: list[str] = []
    guarded = Guarded(tracker, "fake", folder, warnings.append, **options)
    for step in (1, 2):
        guarded.event({"event": "step", "stage": "gan", "step": step})
        guarded.pictures("gan", step, CROPS)
    guarded.close()
    return warnings


def test_a_tracker_is_told_everything_in_order(tmp_path: Path) -> None:
    tracker = Fake()
    assert life(tracker, tmp_path) == []
    assert tracker.told == [
        ("start", tmp_path),
        ("event", 1),
        ("pictures", "gan", 1, ["a"]),
        ("event", 2),
        ("pictures", "gan", 2, ["a"]),
        ("close",),
    ]


def test_the_first_four_crops_are_shown(tmp_path: Path) -> None:
    tracker = Fake()
    guarded = Guarded(tracker, "fake", tmp_path, pytest.fail)
    guarded.pictures("gan", 1, dict.fromkeys("abcdef", (LR, HR, HR)))
    guarded.close()
    assert ("pictures", "gan", 1, ["a", "b", "c", "d"]) in tracker.told


def test_pictures_that_do_not_fit_stop_nothing(tmp_path: Path) -> None:
    warnings: list[str] = []
    guarded = Guarded(Fake(), "fake", tmp_path, warnings.append)
    guarded.pictures("gan", 1, {"a": (HR, LR, HR)})
    guarded.close()
    (warning,) = warnings
    assert warning.startswith("Warning: training goes on without fake: ValueError (lr is ")


@pytest.mark.parametrize("where", ["start", "event", "pictures", "close"])
@pytest.mark.parametrize("error", [RuntimeError("no route\nto host"), SystemExit(1), MemoryError()])
def test_a_tracker_that_fails_is_left_out_with_one_warning(
    tmp_path: Path, where: str, error: BaseException
) -> None:
    tracker = Fake(where, error)
    (warning,) = life(tracker, tmp_path)
    said = {
        RuntimeError: "RuntimeError (no route).",
        SystemExit: "SystemExit (1).",
        MemoryError: "MemoryError.",
    }
    assert warning == f"Warning: training goes on without fake: {said[type(error)]}"
    told = [what for what, *_ in tracker.told]
    assert told.count(where) == (2 if where == "close" else 1)  # it is asked nothing more
    assert told[-1] == "close"  # so that it can put its things away


def test_what_the_user_can_put_right_is_said_as_it_is(tmp_path: Path) -> None:
    (warning,) = life(Fake("start", MissingExtra("wandb", "track", "--track wandb")), tmp_path)
    assert warning == (
        "Warning: training goes on without fake: --track wandb needs the package wandb, which is "
        "not installed: run `pip install 'upres[track]'`."
    )


def test_a_tracker_that_hangs_at_the_end_is_not_waited_for(tmp_path: Path) -> None:
    tracker = Hanging("close")
    began = time.monotonic()
    (warning,) = life(tracker, tmp_path, patience=0.05)
    assert time.monotonic() - began < 5
    assert warning == "Warning: training goes on without fake: it did not end within 0.05 s."
    tracker.free.set()


def test_a_tracker_that_hangs_at_its_start_costs_no_time_and_a_bounded_memory(
    tmp_path: Path,
) -> None:
    tracker, warnings = Hanging("start"), list[str]()
    guarded = Guarded(tracker, "fake", tmp_path, warnings.append)
    for step in range(5000):
        guarded.event({"event": "step", "stage": "gan", "step": step})
    assert warnings == ["Warning: training goes on without fake: it does not keep up."]
    assert guarded._calls.qsize() <= 1000
    guarded._patience = 0.05
    guarded.close()
    assert len(warnings) == 1
    tracker.free.set()


def test_a_slow_tracker_does_not_slow_the_training(tmp_path: Path) -> None:
    tracker = Hanging("event")
    guarded = Guarded(tracker, "fake", tmp_path, pytest.fail)
    began = time.monotonic()
    for step in range(100):
        guarded.event({"event": "step", "stage": "gan", "step": step})
    assert time.monotonic() - began < 5
    tracker.free.set()
    guarded.close()
    assert [what for what, *_ in tracker.told].count("event") == 100


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("tensorboard", "tensorboard", "torch.utils.tensorboard"),
        ("wandb", "wandb", "wandb"),
        ("wandb:offline", "wandb", "wandb"),
    ],
)
def test_a_package_that_is_not_installed_is_one_warning_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    warnings: list[str] = []
    with tracking([name], tmp_path, warnings.append) as trackers:
        trackers.event({"event": "stage", "stage": "pixel", "from_step": 0})
        trackers.event({"event": "step", "stage": "pixel", "step": 1})
    (warning,) = warnings
    assert warning == (
        f"Warning: training goes on without {name}: --track {package} needs the package {package}, "
        "which is not installed: run `pip install 'upres[track]'`."
    )
    assert list(tmp_path.iterdir()) == []


def test_one_tracker_that_fails_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from upres.tracking import choosing

    good = Fake()
    table = {"good": lambda: good, "bad": lambda: Fake("start", OSError("no"))}
    monkeypatch.setattr(choosing, "TRACKERS", table)
    warnings: list[str] = []
    with tracking(["bad", "good"], tmp_path, warnings.append) as trackers:
        trackers.event({"event": "step", "stage": "gan", "step": 1})
        trackers.pictures("gan", 1, CROPS)
    assert warnings == ["Warning: training goes on without bad: OSError (no)."]
    assert [what for what, *_ in good.told] == ["start", "event", "pictures", "close"]


def test_trackers_end_when_the_training_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from upres.tracking import choosing

    tracker = Fake()
    monkeypatch.setattr(choosing, "TRACKERS", {"fake": lambda: tracker})
    with pytest.raises(ZeroDivisionError), tracking(["fake"], tmp_path, pytest.fail) as trackers:
        trackers.event({"event": "step", "stage": "gan", "step": 1})
        raise ZeroDivisionError
    assert tracker.told[-1] == ("close",)
