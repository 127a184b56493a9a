"""Folders whose enlarging is killed twenty times, in drawn tiles and around renames.

The contract test tests/contract/test_stopped_folders.py has a few of each.
"""

import os
import random
from pathlib import Path

import pytest

from folders import files, make_pictures, notes, stopped

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes"),
]


@pytest.mark.parametrize("seed", range(3))
def test_a_folder_that_is_killed_twenty_times_ends_with_exactly_the_right_files(
    tmp_path: Path, seed: int
) -> None:
    make_pictures(tmp_path / "photos", 80)
    drawn = random.Random(seed)
    kinds = drawn.choices(["tile", "unnamed", "named"], weights=[2, 1, 1], k=20)
    deaths = [f"{kind} {drawn.randint(1, 40 if kind == 'tile' else 2)}" for kind in kinds]
    ends = stopped(tmp_path / "photos", tmp_path, deaths)
    assert [end["code"] for end in ends] == [-9] * 20 + [0]
    right = files(tmp_path / "unbroken")
    assert len(right) == 80
    assert files(tmp_path / "broken") == right
    targets = [note["target"] for note in notes(tmp_path / "broken", "done")]
    assert sorted(set(targets)) == sorted(right)
    assert len(targets) == len(set(targets))
