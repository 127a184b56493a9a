"""Damaged files: each is a sentence or a sound picture; none crashes, hangs, or takes memories.

A sample of what tests/slow/test_damaged_files.py does with a thousand.
"""

from pathlib import Path

from damage import Damaged, damaged_files, faults, good_files, taken

MEGABYTES = 500  # beside what the program takes before its first file


def test_damaged_files_are_refused_in_a_sentence_or_enlarged_soundly(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    files = damaged_files(folder, 130, seed=5)
    results = taken(files, tmp_path / "out", megabytes=MEGABYTES)
    wrong = {r["file"]: faults(f, r) for f, r in zip(files, results, strict=True) if faults(f, r)}
    assert wrong == {}
    assert {"error" in result for result in results} == {True, False}  # both ends were seen


def test_the_files_that_damage_is_made_from_are_all_enlarged(tmp_path: Path) -> None:
    files = []
    for name, data in good_files().items():
        path = tmp_path / name
        path.write_bytes(data)
        files.append(Damaged(path, "none", 0))
    results = taken(files, tmp_path / "out", megabytes=MEGABYTES)
    assert [r for f, r in zip(files, results, strict=True) if "lr" not in r or faults(f, r)] == []
