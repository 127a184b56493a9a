"""The example file for SLURM arrays enlarges each picture of a folder once, as clusters run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from folders import make_pictures
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint

EXAMPLE = Path(__file__).parents[2] / "examples" / "upscale_slurm.sh"
SRUN = '#!/bin/sh\nexec "$@"\n'  # SLURM's launcher of one task, on one machine


def task(folder: Path, number: int, first: int, count: int) -> subprocess.CompletedProcess[str]:
    """Run the file as the task `number` of an array that begins with `first`."""
    paths = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    array = {"ID": number, "MIN": first, "MAX": first + count - 1, "COUNT": count}
    return subprocess.run(
        ["bash", EXAMPLE, "photos", "results", "--model", "small.safetensors"],
        env=os.environ
        | {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in array.items()}
        | {"PATH": paths, "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tasks_of_an_array_do_each_picture_once(tmp_path: Path) -> None:
    settings = CompactSettings(width=4, convs=1)
    header = CheckpointHeader(generator=settings, scale=2, upres_version="0")
    tensors = build_generator(settings, 2, seed=0).state_dict()
    save_checkpoint(tmp_path / "small.safetensors", tensors, header)
    make_pictures(tmp_path / "photos", 6)
    (tmp_path / "srun").write_text(SRUN)
    (tmp_path / "srun").chmod(0o755)

    written: list[str] = []
    for number in (0, 1):
        done = task(tmp_path, number, 0, 2)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        written += done.stdout.splitlines()
    photos = [path.relative_to(tmp_path / "photos") for path in (tmp_path / "photos").rglob("*.*")]
    assert sorted(written) == sorted(
        str(Path("results") / path.with_stem(f"{path.stem}_x2")) for path in photos
    )
    manifests = sorted((tmp_path / "results").glob("*.jsonl"))
    assert [path.name for path in manifests] == [
        *("upres-manifest.1-of-2.jsonl", "upres-manifest.2-of-2.jsonl")
    ]
    lines = [line for path in manifests for line in path.read_text().splitlines()]
    states = [json.loads(line)["state"] for line in lines]
    assert (states.count("run"), states.count("done")) == (2, 6)
    # divided otherwise, it finds everything done
    again = task(tmp_path, 1, 1, 1)
    assert (again.returncode, again.stdout) == (0, "")


def test_the_file_asks_for_one_task_of_an_array_and_a_word_before_its_end() -> None:
    asked = dict(
        line.removeprefix("#SBATCH --").split("=", 1)
        for line in EXAMPLE.read_text().splitlines()
        if line.startswith("#SBATCH")
    )
    assert asked["ntasks"] == "1"
    assert asked["array"] == "1-16"
    assert asked["signal"].startswith("INT@")  # Ctrl-C: nothing half-written is left
    assert "%a" in asked["output"]  # a log for each task
