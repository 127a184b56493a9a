"""A thousand damaged files (tests/contract/test_damaged_files.py has a sample of them)."""

from pathlib import Path

import pytest

from damage import damaged_files, faults, taken

pytestmark = pytest.mark.slow

MEGABYTES = 500


def test_of_a_thousand_damaged_files_each_is_a_sentence_or_a_sound_picture(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    files = damaged_files(folder, 1000, seed=1)
    results = taken(files, tmp_path / "out", megabytes=MEGABYTES)
    wrong = {r["file"]: faults(f, r) for f, r in zip(files, results, strict=True) if faults(f, r)}
    assert wrong == {}
    assert len(results) == 1000
    assert max(result["seconds"] for result in results) < 10
