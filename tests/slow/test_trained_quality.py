"""What the trainings reach, measured: minutes to half an hour each."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def upres(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "upres", *map(str, words)], check=True)


def rows(path: Path) -> dict[str, dict[str, float]]:
    return {row["model"]: row["metrics"] for row in json.loads(path.read_text())["rows"]}


def test_the_demo_beats_bicubic_and_sharpens(tmp_path: Path) -> None:
    began = time.monotonic()
    upres("demo", "--out", tmp_path / "demo", "--quiet")
    assert time.monotonic() - began < 6 * 60
    found = rows(tmp_path / "demo" / "evaluation.json")
    bicubic, pixel, gan = found["bicubic"], found["tiny/pixel"], found["tiny/gan"]
    assert pixel["psnr_y"] >= bicubic["psnr_y"] + 0.4
    assert gan["lpips_alex"] <= pixel["lpips_alex"] - 0.03
    assert gan["lpips_alex"] <= bicubic["lpips_alex"] - 0.06
    assert (tmp_path / "demo" / "report.html").stat().st_size < 12_000_000


def test_half_an_hour_of_usrgan_small(tmp_path: Path, shared_data: Path) -> None:
    run, scores = tmp_path / "run", tmp_path / "scores.json"
    upres("train", "usrgan-small", "--photos", shared_data / "photos", "--out", run, "--quiet")
    stages = [run / "pixel", run / "gan"]
    upres("evaluate", "bicubic", *stages, "--data", shared_data / "Set5", "--json", scores)
    found = rows(scores)
    assert found[str(stages[0])]["psnr_y"] >= found["bicubic"]["psnr_y"] + 1.5
    assert found[str(stages[1])]["lpips_alex"] <= 0.19
