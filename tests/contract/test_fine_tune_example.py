"""The fine-tuning example runs as it stands; only its sizes are a toy's."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from upres.weights.model import load_model

EXAMPLE = Path(__file__).parents[2] / "examples" / "fine_tune.sh"
PAGE = Path(__file__).parents[2] / "docs" / "examples" / "fine-tuning.md"
TOY = ("stages.pixel.steps=2", "crops.hr_patch=32", "batch=2", "validation.side=48", "compile=no")

needs_a_shell = pytest.mark.skipif(shutil.which("sh") is None, reason="needs sh")


def run(*words: str, cache: Path) -> subprocess.CompletedProcess[str]:
    beside = str(Path(sys.executable).parent)  # where this environment's `upres` is
    path = os.pathsep.join([beside, os.environ["PATH"]])
    return subprocess.run(
        ["sh", str(EXAMPLE), *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path, "XDG_CACHE_HOME": str(cache)},
    )


@needs_a_shell
def test_the_example_judges_start_scratch_and_tuned(photo_folder: Path, tmp_path: Path) -> None:
    held_out, out = tmp_path / "held-out", tmp_path / "out"
    held_out.mkdir()
    shutil.copy(photo_folder / "7.png", held_out)
    toy = [word for setting in TOY for word in ("--set", setting)]
    ended = run(str(photo_folder), str(held_out), str(out), *toy, cache=tmp_path / "cache")
    assert ended.returncode == 0, ended.stderr
    rows = json.loads((out / "scores.json").read_text(encoding="utf-8"))["rows"]
    assert [Path(row["model"]).name for row in rows] == [
        "bicubic",
        "compact-x4",
        "scratch",
        "tuned",
    ]
    assert {row["dataset"] for row in rows} == {"held-out"}
    # two steps at a low rate leave the start's weights nearly as they were; two from nothing
    # are nothing
    psnr = {Path(row["model"]).name: row["metrics"]["psnr_y"] for row in rows}
    assert abs(psnr["tuned"] - psnr["compact-x4"]) < 1
    assert psnr["scratch"] < psnr["compact-x4"] - 1
    assert load_model(str(out / "tuned")).settings == load_model("compact-x4").settings


@needs_a_shell
def test_the_example_says_how_it_is_called(tmp_path: Path) -> None:
    ended = run("photos", cache=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: sh ")


def test_the_page_shows_the_commands_of_the_example() -> None:
    script = EXAMPLE.read_text(encoding="utf-8").replace("\\\n", " ").split()
    settings = {word for word in script if word.startswith(("stages.", "crops."))}
    assert settings
    for setting in settings:
        assert setting in PAGE.read_text(encoding="utf-8")
