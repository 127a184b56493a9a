"""A folder whose enlarging is killed or interrupted ends with exactly the right files.

tests/slow/test_folder_kills.py kills more often.
"""

import os
from pathlib import Path

import pytest

from folders import files, make_pictures, notes, stopped

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes")


def test_killed_and_interrupted_lives_end_with_exactly_the_right_files(tmp_path: Path) -> None:
    make_pictures(tmp_path / "photos", 12)
    deaths = ["unnamed 2", "named 2", "interrupt 20", "tile 20"]
    ends = stopped(tmp_path / "photos", tmp_path, deaths)
    assert [end["code"] for end in ends] == [-9, -9, 130, -9, 0]
    assert ends[0]["half-written"]
    assert ends[2]["half-written"] == ends[-1]["half-written"] == []
    right = files(tmp_path / "unbroken")
    assert len(right) == 12
    assert files(tmp_path / "broken") == right
    targets = [note["target"] for note in notes(tmp_path / "broken", "done")]
    assert sorted(set(targets)) == sorted(right)
    assert len(notes(tmp_path / "broken", "run")) == 5
    # what was done before a death was not done again
    assert len(targets) == len(set(targets))
