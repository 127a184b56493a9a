"""A Ctrl-C that is really pressed during `upres study-losses`, and what is left of it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from killing import assert_same_run
from upres.cli.study_losses import study_losses

STEPS = 20
SETTINGS = {
    "generator.blocks": "1",
    "generator.width": "8",
    "generator.growth": "4",
    "crops.hr_patch": "32",
    "batch": "2",
    "precision": "float32",
    "compile": "no",
    "stages.pixel.steps": "2",
    "stages.gan.steps": str(STEPS),
    "stages.gan.losses.content.weight": "0",  # no pretrained network
    "stages.gan.discriminator.width": "4",
    "stages.gan.discriminator.dense": "8",
    "validation.side": "48",
    "validation.times": "1",
    "stages.gan.best": "[psnr_y]",
    "validation.metrics": "[psnr_y]",
}
# A job in the background, as tests may be, has Ctrl-C ignored.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from upres.cli.main import main; main()"
)


def command(photos: Path, out: Path) -> list[str]:
    """A study of two points that needs no pretrained weights."""
    arguments = ["tiny", "--photos", str(photos), "--out", str(out)]
    arguments += ["--vary", "stages.gan.losses.adversarial.weight=0.5"]
    return arguments + [part for pair in SETTINGS.items() for part in ("--set", "=".join(pair))]


def pressed(arguments: Sequence[str], words: str) -> tuple[int, str]:
    """Run it in a process group of its own; return exit code and stderr.

    words: on stderr, at which Ctrl-C comes twice at once, as from terminal and launcher. It is no
    signal to the process of pytest: faulthandler has given that a stack for signals which
    overflows where the processor has AMX.
    """
    said = []
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "study-losses", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            said.append(line)
            if words in line:
                os.killpg(running.pid, signal.SIGINT)
                os.killpg(running.pid, signal.SIGINT)
    return running.returncode, "".join(said)


def run(arguments: Sequence[str]) -> Result:
    """Run it here, which takes a tenth of the time."""
    app = typer.Typer()
    app.command()(study_losses)
    return CliRunner().invoke(app, list(arguments))


def half_written(folder: Path) -> Sequence[Path]:
    return [path for path in folder.rglob(".*") if path.is_file()]


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_ctrl_c_ends_with_a_sentence_and_the_same_command_comes_to_the_same_bits(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    code, said = pressed(command(photo_folder, stopped), "point 2 of 2")
    assert code == 130, said
    where = re.escape(str(stopped / "adversarial=0.5"))
    assert re.fullmatch(
        rf"Error: 1 of 2 points are done; stopped at step \d+ of {STEPS} of stage gan; everything "
        rf"is saved in {where}: the same command goes on from here\.",
        said.splitlines()[-1],
    )
    assert "Traceback" not in said
    assert half_written(stopped) == []
    assert not (stopped / "evaluation.json").exists()
    going_on = run(command(photo_folder, stopped))
    assert going_on.exit_code == 0, going_on.exception
    assert "going on from step" in going_on.stderr and "stage pixel" not in going_on.stderr
    assert run(command(photo_folder, whole)).exit_code == 0
    for point in ("recipe", "adversarial=0.5"):
        assert_same_run(stopped / point, whole / point)
    one, other = ((folder / "evaluation.json").read_bytes() for folder in (stopped, whole))
    assert one == other
