"""Folders whose enlarging is killed twenty times, at drawn moments and around every rename.

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
    make_pictures(tmp_path / "photos", 90)
    drawn = random.Random(seed)
    deaths: list[float | str] = [
        drawn.choice(
            [
                drawn.uniform(0.002, 0.03),
                f"unnamed {drawn.randint(1, 2)}",
                f"named {drawn.randint(1, 2)}",
            ]
        )
        for _ in range(20)
    ]
    ends = stopped(tmp_path / "photos", tmp_path, deaths)
    assert [end["code"] for end in ends] == [-9] * 20 + [0]
    right = files(tmp_path / "unbroken")
    assert len(right) == 90
    assert files(tmp_path / "broken") == right
    targets = [note["target"] for note in notes(tmp_path / "broken", "done")]
    assert sorted(set(targets)) == sorted(right)
    assert len(targets) == len(set(targets))
