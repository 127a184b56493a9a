"""The example files for torchrun and SLURM start runs of two processes, as users would."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upres.recipes.schema import Recipe
from upres.recipes.text import changed, to_yaml
from upres.weights.tensors import read_safetensors

EXAMPLES = Path(__file__).parents[2] / "examples"
# SLURM's launcher, as far as one machine with two tasks needs it
SRUN = """#!/bin/sh
test "$1" = --kill-on-bad-exit=1 && shift
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" &
SLURM_PROCID=0 SLURM_LOCALID=0 "$@"
code=$?
wait
exit $code
"""
SLURM = {
    "SLURM_JOB_ID": "1234",
    "SLURM_JOB_NAME": "upres",
    "SLURM_NTASKS": "2",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_NODELIST": "localhost",
}


@pytest.fixture
def command(toy_recipe: Recipe, photo_folder: Path, tmp_path: Path) -> list[str]:
    """What the example files are given, after their names."""
    fields = {"stages.gan.losses.content.weight": 0, "stages.pixel.steps": 2}
    (tmp_path / "toy.yaml").write_text(to_yaml(changed(toy_recipe, fields)))
    run = [str(tmp_path / "toy.yaml"), str(photo_folder), str(tmp_path / "run")]
    return [*run, "--no-report", "--threads", "1", "--device", "cpu"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    bins = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": bins, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path)}


def ran(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def processes(run: Path) -> set[int]:
    events = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return {event["processes"] for event in events if event["event"] == "stage"}


def test_torchrun(command: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    environment["PORT"] = str(29500 + os.getpid() % 1000)
    done = ran(["sh", str(EXAMPLES / "torchrun.sh"), *command], environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'run' / 'model.safetensors'}\n"
    assert processes(tmp_path / "run") == {2}
    assert done.stderr.count("stage pixel: 2 steps of 2 patches") == 1


def test_slurm(command: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "srun").write_text(SRUN)
    (tmp_path / "srun").chmod(0o755)
    environment |= SLURM | {"MASTER_PORT": str(28500 + os.getpid() % 1000)}
    done = ran(["bash", str(EXAMPLES / "slurm.sh"), *command], environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'run' / 'model.safetensors'}\n"
    assert processes(tmp_path / "run") == {2}


def test_the_slurm_file_asks_for_what_the_program_sees() -> None:
    asked = dict(
        line.removeprefix("#SBATCH --").split("=", 1)
        for line in (EXAMPLES / "slurm.sh").read_text().splitlines()
        if line.startswith("#SBATCH")
    )
    assert asked["ntasks-per-node"] == asked["gpus-per-node"]  # one process a GPU
    assert asked["signal"] == "TERM@120"
    assert asked["job-name"] not in ("bash", "interactive")  # these, Fabric takes for a shell


def test_a_process_that_is_killed_ends_the_run_in_words(
    command: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    recipe, photos, run, *options = command
    train = ["-m", "upres", "train", recipe, "--photos", photos, "--out", run, *options]
    long = ["--set", "stages.pixel.steps=100000", "--devices", "2"]
    started = subprocess.Popen(
        [sys.executable, *train, *long], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        state = tmp_path / "run" / "pixel" / "state.safetensors"
        _until(state.exists, 120)
        os.kill(_child_of(started.pid), signal.SIGKILL)
        _, told = started.communicate(timeout=60)
    finally:
        started.kill()
    # Fabric ends the first process too where it has not ended by itself
    assert started.returncode in (1, -signal.SIGKILL)
    if started.returncode == 1:
        assert "Error: another process of this run has ended" in told
        assert "Traceback" not in told
    assert read_safetensors(state)  # whole, for the same command to go on from


def _until(true: object, seconds: float) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def _child_of(process: int) -> int:
    children = Path(f"/proc/{process}/task/{process}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children")
    return int(children.read_text().split()[0])
