"""What the tests that kill trainings share: campaigns, the program that runs them, comparison."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from upres.data.store import Store
from upres.recipes.schema import Recipe
from upres.recipes.text import to_yaml
from upres.training.journal import Event, read_events

TIMES = ("seconds", "images_per_second", "data_wait_share", "seconds_left")
KILLER = Path(__file__).parent / "contract" / "killed_training.py"

Death = float | str  # see killed_training.py


def drawn_campaign(runs: int, *, seed: int) -> list[list[Death]]:
    """For each run three deaths: at a random moment, inside a random save, at a random moment."""
    drawn = random.Random(seed)

    def save() -> Death:
        return f"{drawn.choice(['half', 'unnamed', 'named'])} {drawn.randint(1, 8)}"

    return [[drawn.uniform(0.05, 0.6), save(), drawn.uniform(0.05, 0.6)] for _ in range(runs)]


def killed(
    recipe: Recipe, store: Store, folder: Path, campaign: Sequence[Sequence[Death]]
) -> list[tuple[Path, list[int]]]:
    """Train in processes that die as `campaign` says; return each run and how its lives ended."""
    (folder / "toy.yaml").write_text(to_yaml(recipe), encoding="utf-8")
    command = [KILLER, store.path, folder / "toy.yaml", folder, json.dumps(campaign)]
    ended = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    return [(folder / str(n), lives) for n, lives in enumerate(json.loads(ended.stdout))]


def weights(folder: Path) -> dict[str, bytes]:
    files = sorted(folder.rglob("*.safetensors"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def events(folder: Path, *kinds: str) -> list[Event]:
    """The journal without times, and without the lines that each start of a stage writes."""
    wanted = kinds or ("step", "validation", "planned", "verdict")
    found = [event for event in read_events(folder / "metrics.jsonl") if event["event"] in wanted]
    return [{key: event[key] for key in event if key not in TIMES} for event in found]


def assert_same_run(one: Path, other: Path) -> None:
    """The same bits in all weights and states, the same journal, and nothing half written."""
    assert events(one) == events(other)
    ours, theirs = weights(one), weights(other)
    assert list(ours) == list(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert [path for path in one.rglob("*") if ".part" in path.name] == []
