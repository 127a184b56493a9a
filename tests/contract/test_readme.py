"""The README's commands are commands that run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from upres.images.files import read_rgb

README = Path(__file__).parents[2] / "README.md"

SMALL = [
    "--set=generator.blocks=1",
    "--set=generator.width=8",
    "--set=generator.growth=4",
    "--set=crops.hr_patch=32",
    "--set=batch=2",
    "--set=stages.pixel.steps=2",
    "--set=stages.gan.steps=2",
    "--set=stages.gan.discriminator.width=4",
    "--set=validation.side=48",
    "--set=compile=no",
]


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.removeprefix(".venv/bin/") for line in lines if line]


def test_the_readme_names_only_make_targets_that_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (README.parent / "Makefile").read_text(), re.MULTILINE)
    for command in commands():
        if command.startswith("make"):
            assert command.split()[1] in targets


def test_the_readmes_commands_run_one_after_another(
    tmp_path: Path, photo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    if shutil.which("git") is None:
        pytest.skip("runs record the commit with git")
    shutil.copytree(photo_folder, tmp_path / "PHOTOS")
    (tmp_path / "Set5").mkdir()
    shutil.copy(photo_folder / "7.png", tmp_path / "Set5" / "7.png")
    shutil.copy(photo_folder / "7.png", tmp_path / "photo.jpg")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for command in commands():
        if command.startswith("upres"):
            ended = _run(command.split(), tmp_path)
            assert ended.returncode == 0, (command, ended.stderr)
    assert read_rgb(tmp_path / "photo_x4.jpg").shape[:2] == (92 * 4, 72 * 4)
    assert (tmp_path / "RUN" / "report.html").exists()
    assert (tmp_path / "scores.json").exists()


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    if words[1] == "train":
        # later settings win: the README's own stay, the sizes are a toy's
        words = [*words, *(s for s in SMALL if s.split("=")[1] not in " ".join(words))]
    if words[1:3] == ["weights", "get"]:
        words = ["upres", "weights", "path", "vgg16"]  # nothing of half a gigabyte in a test
    return subprocess.run(
        [sys.executable, "-m", "upres", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
