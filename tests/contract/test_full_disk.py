"""A disk that really fills up while a run trains: the last good state survives.

The disk is a small one in memory, which only root may mount; tests/contract/test_cli_errors.py
has the same by errors that are only played.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from killing import assert_same_run
from upres.data.store import Store
from upres.errors import NoSpace
from upres.recipes.schema import Recipe
from upres.training.journal import read_events
from upres.training.train import Needs, train

KILOBYTE = 1024
ROOM = 100 * KILOBYTE  # is made each time: less than a state of the toy recipe takes


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB, all but nothing of it taken by one file, `ballast`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "upres-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    try:
        with (folder / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free_bytes(folder))
        assert free_bytes(folder) == 0
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def free_bytes(folder: Path) -> int:
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize


def make_room(disk: Path) -> None:
    with (disk / "ballast").open("rb+") as ballast:
        ballast.truncate(max(0, (disk / "ballast").stat().st_size - ROOM))


def test_a_disk_that_fills_up_again_and_again_costs_no_bit(
    toy_recipe: Recipe,
    toy_store: Store,
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path: Path,
    disk: Path,
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    needs = untrained_needs(toy_recipe)
    train(toy_recipe, toy_store, tmp_path / "unbroken", needs=needs, facts={})
    said: list[str] = []
    while True:
        before = steps_saved(disk / "run")
        try:
            train(toy_recipe, toy_store, disk / "run", needs=needs, facts={})
            break
        except NoSpace as full:
            assert full.exit_code == 2
            said.append(str(full))
        assert steps_saved(disk / "run") >= before  # what was good is there, whole
        assert [path for path in (disk / "run").rglob("*") if ".part" in path.name] == []
        make_room(disk)
    torch.set_num_threads(threads)
    assert len(said) > 5
    for sentence in said:
        assert sentence.startswith(str(disk / "run"))
        assert "could not be written: the disk is full" in sentence or "no space left" in sentence
        assert "\n" not in sentence
    assert any("state.safetensors" in sentence for sentence in said)
    assert len(read_events(disk / "run" / "metrics.jsonl")) > 0
    assert_same_run(disk / "run", tmp_path / "unbroken")


def steps_saved(run: Path) -> int:
    """The steps of both stages whose state can be read: Adam's own count."""
    taken = 0
    for file in run.glob("*/state.safetensors"):
        counts = [
            v for k, v in load_file(file).items() if k.startswith("optimiser/") and "step" in k
        ]
        taken += int(counts[0]) if counts else 0
    return taken
