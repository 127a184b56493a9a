"""Files that cannot be written: one sentence, before the work where it can be known."""

from pathlib import Path

import pytest

from upres.atomic import refuse_target, replacing, write_text
from upres.errors import NoSpace


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("folder", "it is a folder"),
        ("file/a.json", "a part of its path is a file"),
        ("file/more/a.json", "a part of its path is a file"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_and_after_the_work(
    tmp_path: Path, place: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for write in (refuse_target, lambda path: write_text(path, "scores")):
        with pytest.raises(NoSpace, match=f"{place} could not be written: {words}; nothing half"):
            write(tmp_path / place)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)  # root may do anything
    with pytest.raises(NoSpace, match="the folder may not be written"):
        refuse_target(tmp_path / "new" / "a.json")


def test_a_target_that_can_be_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("old")
    refuse_target(tmp_path / "there.json")
    refuse_target(tmp_path / "new" / "folders" / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["there.json"]
    assert (tmp_path / "there.json").read_text() == "old"


def test_a_name_that_is_too_long_and_a_folder_that_cannot_be_made_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for write in (refuse_target, lambda path: write_text(path, "scores")):
        with pytest.raises(NoSpace, match="its name is too long"):
            write(tmp_path / f"{'a' * 260}.json")

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "mkdir", gone)  # as /proc does
    with pytest.raises(NoSpace, match="its folder cannot be made"):
        write_text(tmp_path / "new" / "a.json", "scores")


def test_what_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    target = tmp_path / f"{'a' * 250}.png"
    with pytest.raises(NoSpace, match="its name is too long"), replacing(target):
        pytest.fail("the work was begun")
