import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from upres.cli import live, stopping
from upres.cli.study_losses import study_losses
from upres.errors import BadPhotos, BadSetting, Interrupted, WorkFailed

app = typer.Typer()
app.command()(study_losses)

WEIGHT = "stages.gan.losses.adversarial.weight"
QUICK = {
    "generator.blocks": "1",
    "generator.width": "8",
    "generator.growth": "4",
    "crops.hr_patch": "32",
    "batch": "2",
    "precision": "float32",
    "stages.pixel.steps": "3",
    "stages.gan.steps": "3",
    "stages.gan.losses.content.weight": "0",  # no pretrained network
    "stages.gan.discriminator.width": "4",
    "stages.gan.discriminator.dense": "8",
    "validation.side": "48",
    "stages.gan.best": "[psnr_y]",
    "validation.metrics": "[psnr_y]",
    "log_every": "1",
}


@pytest.fixture
def command(photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A study of two points that takes a second or two and needs no pretrained weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "study"
    settings = [part for field in QUICK for part in ("--set", f"{field}={QUICK[field]}")]
    vary = ["--vary", f"{WEIGHT}=0.5"]
    return ["tiny", "--photos", str(photo_folder), "--out", str(out), *vary, *settings]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_study_ends_in_a_table_a_page_and_a_file_of_scores(
    command: list[str], tmp_path: Path
) -> None:
    ended = call(*command)
    assert ended.exit_code == 0, ended.exception
    for row in ("bicubic", "stage pixel", "recipe", "adversarial=0.5"):
        assert f"| {row} " in ended.stdout
    study = tmp_path / "study"
    assert ended.stdout.splitlines()[-1] == str(study / "study.html")
    assert (study / "evaluation.json").exists()
    assert (study / "adversarial=0.5" / "model.safetensors").exists()
    assert "point 2 of 2: adversarial=0.5" in ended.stderr


def test_a_dry_run_names_the_points_and_makes_nothing(command: list[str], tmp_path: Path) -> None:
    minutes = ["--set", "budget.minutes=6"]  # in 3 parts: pixel once, gan twice
    ended = call(*command, *minutes, "--dry-run")
    assert ended.exit_code == 0, ended.exception
    lines = ended.stdout.splitlines()
    assert lines[:3] == ["2 points:", "  recipe", "  adversarial=0.5"]
    assert lines[3].startswith("stage pixel: ")
    assert lines[3].endswith("about 2 min, once, for all points")
    assert lines[4].endswith("about 2 min, 2 times")
    assert lines[5] == "together about 6 min, and the time to judge 2 models"
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: list[int] = []

    def note(self: live.LiveLine, event: dict[str, Any]) -> None:
        if event["event"] == "step" and event["stage"] == "gan":
            finished.append(event["step"])

    @contextlib.contextmanager
    def pressed_in_the_second_point(*_: signal.Signals) -> Iterator[Callable[[], bool]]:
        yield lambda: finished.count(1) == 2

    with monkeypatch.context() as patch:
        patch.setattr(live.LiveLine, "show", note)
        patch.setattr(stopping, "stop_on_ctrl_c", pressed_in_the_second_point)
        ended = call(*command)
    assert isinstance(ended.exception, Interrupted)
    assert ended.exception.exit_code == 130
    assert str(ended.exception) == (
        "1 of 2 points are done; stopped at step 1 of 3 of stage gan; everything is saved in "
        f"{tmp_path / 'study' / 'adversarial=0.5'}: the same command goes on from here."
    )
    assert call(*command).exit_code == 0


def test_ctrl_c_while_the_page_is_drawn_says_that_the_scores_are_there(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("upres.studies.page.write_page", pressed)
        ended = call(*command)
    assert isinstance(ended.exception, Interrupted)
    scores = tmp_path / "study" / "evaluation.json"
    assert str(ended.exception) == (
        f"stopped while the page was drawn; all scores are in {scores}: the same command draws it."
    )
    assert scores.exists()
    assert "| adversarial=0.5 " in ended.stdout


def test_a_point_that_fails_is_listed_at_the_end_and_is_exit_code_1(command: list[str]) -> None:
    ended = call(*command, "--vary", "stages.gan.optimiser.rate=1e30")
    assert isinstance(ended.exception, WorkFailed)
    assert ended.exception.exit_code == 1
    assert "1 of 3 points failed: optimiser.rate=1e+30: the " in str(ended.exception)
    assert "| adversarial=0.5 " in ended.stdout


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        (["--design", "grit"], BadSetting, "did you mean 'grid'?"),
        (["--vary", "stages.gan.steps=4"], BadSetting, "equally long"),
        (["--set", f"{WEIGHT}=0.5"], BadSetting, "changes nothing: recipe tiny has 0.5"),
        (["--photos", "nowhere"], BadPhotos, "nowhere is not a folder"),
        (["--init", "compakt-x4"], BadSetting, "'compakt-x4'"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_made(
    command: list[str], tmp_path: Path, more: list[str], error: type, words: str
) -> None:
    ended = call(*command, *more)
    assert isinstance(ended.exception, error)
    assert words in str(ended.exception)
    assert not (tmp_path / "study").exists()
