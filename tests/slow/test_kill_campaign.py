"""Killed at every file that a run writes, while it is half written, before and after its name.

The contract test tests/contract/test_resume.py has a few of these places; here are all of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from upres.data.store import Store
from upres.recipes.schema import Recipe
from upres.recipes.text import to_yaml
from upres.training.journal import read_events
from upres.training.train import Needs, train

KILLER = Path(__file__).parents[1] / "contract" / "killed_training.py"
TIMES = ("seconds", "images_per_second", "data_wait_share", "seconds_left")
FILES = 40  # a few more than the toy recipe writes: then the run just ends

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes"),
]


def content(run: Path) -> dict[str, object]:
    found: dict[str, object] = {
        str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.safetensors")
    }
    events = (e for e in read_events(run / "metrics.jsonl") if e["event"] in ("step", "validation"))
    found["events"] = [{key: e[key] for key in e if key not in TIMES} for e in events]
    return found


@pytest.mark.parametrize("place", ["half", "unnamed", "named"])
def test_a_run_that_is_killed_at_any_file_ends_as_an_unbroken_one(
    place: str,
    toy_recipe: Recipe,
    toy_store: Store,
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path: Path,
) -> None:
    torch.set_num_threads(1)
    train(toy_recipe, toy_store, tmp_path / "one", needs=untrained_needs(toy_recipe), facts={})
    unbroken = content(tmp_path / "one")
    (tmp_path / "toy.yaml").write_text(to_yaml(toy_recipe), encoding="utf-8")
    campaign = [[f"{place} {number}"] for number in range(1, FILES + 1)]
    command = [KILLER, toy_store.path, tmp_path / "toy.yaml", tmp_path, json.dumps(campaign)]
    ended = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    lives = json.loads(ended.stdout)
    assert [-9, 0] in lives
    assert lives[-1] == [0, 0]  # all files of a run were reached
    for number, life in enumerate(lives):
        assert life in ([-9, 0], [0, 0]), number
        assert content(tmp_path / str(number)) == unbroken, number
        assert [p for p in (tmp_path / str(number)).rglob("*") if ".part" in p.name] == []
