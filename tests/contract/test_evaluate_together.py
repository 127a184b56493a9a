"""`upres evaluate` and `upres sweep` by two processes: as by one, and each failure told once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from upres.cli.evaluate import evaluate
from upres.errors import WorkFailed
from upres.images.files import Picture, write_picture
from upres.images.resize import enlarge

ROWS = ["nearest", "bicubic", "--metrics", "psnr,ssim"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures and a damaged one in the midst."""
    folder = tmp_path_factory.mktemp("together") / "set"
    for number in range(5):
        small = np.random.default_rng(number).integers(0, 256, (8, 8 + number, 3)).astype(np.uint8)
        write_picture(folder / f"{number}.png", Picture(pixels=enlarge(small, 4)))
    (folder / "2.png").write_bytes(b"no picture")
    return folder


def upres(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("upres")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def by_two(*arguments: str) -> subprocess.CompletedProcess[str]:
    return upres("evaluate", "--devices", "2", *ROWS, *arguments)


def test_two_processes_print_and_write_what_one_does(data: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(evaluate)
    arguments = ["--data", str(data), "--save"]
    alone = CliRunner().invoke(app, [*ROWS, *arguments, str(tmp_path / "one")])
    both = by_two(*arguments, str(tmp_path / "two"))
    assert isinstance(alone.exception, WorkFailed)  # the damaged picture
    assert both.returncode == 1
    assert both.stdout == alone.stdout != ""
    assert both.stderr == f"Error: {alone.exception}\n"
    written = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files}
        for name in ("one", "two")
        for files in [[path for path in (tmp_path / name).rglob("*") if path.is_file()]]
    ]
    assert written[0] == written[1]
    assert len(written[0]) == 1 + 4 * 4  # evaluation.json; HR, LR and two rows


def test_a_mistake_is_told_by_the_first_process_alone(data: Path) -> None:
    result = by_two("--data", str(data), "--scale", "14")  # 32 pixels become 28
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("Error") == 1
    assert "compares pictures of at least" in result.stderr


def test_a_sweep_by_two_processes_is_the_sweep_of_one(data: Path, tmp_path: Path) -> None:
    ends = ["compact-x4", "compact-x4-gan", "--data", str(data), "--alphas", "0,0.5,1"]
    written = [tmp_path / "one.json", tmp_path / "two.json"]
    alone, both = (
        upres("sweep", *ends, "--metrics", "psnr", "--devices", count, "--json", str(path))
        for count, path in zip("12", written, strict=True)
    )
    assert alone.returncode == both.returncode == 1  # the damaged picture
    assert both.stdout == alone.stdout != ""
    assert both.stderr == alone.stderr
    assert both.stderr.count("2.png") == 1
    assert written[0].read_bytes() == written[1].read_bytes()
