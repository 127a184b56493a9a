"""Which files of a folder are photos, and when a folder counts as changed."""

import os
from pathlib import Path

import pytest

from upres.data.photos import find_files, folder_fingerprint
from upres.errors import BadPhotos


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def found(folder: Path, **settings: Path) -> tuple[list[str], list[str]]:
    files = find_files(folder, **settings)
    return files.pictures, files.others


def test_pictures_are_found_below_the_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a/z.JPG", "a/deep/y.webp", "a.tif", "notes.txt", "a/list.csv", "raw")
    pictures, others = found(tmp_path)
    assert pictures == ["a.tif", "a/deep/y.webp", "a/z.JPG", "b.png"]
    assert others == ["a/list.csv", "notes.txt", "raw"]


def test_hidden_files_and_the_store_are_no_part_of_the_photos(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", ".a.png", ".thumbs/b.png", "store/hr.bin", "store/c.png")
    assert found(tmp_path, skip=tmp_path / "store") == (["a.png"], [])


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/a.png", "photos/b.png")
    (tmp_path / "photos" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "photos")
    assert found(tmp_path / "photos") == (["b.png", "more/a.png"], [])


def test_the_fingerprint_changes_with_every_change_of_a_photo(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    seen = [folder_fingerprint(tmp_path)]
    fill(tmp_path, "c.png")
    seen.append(folder_fingerprint(tmp_path))
    (tmp_path / "c.png").rename(tmp_path / "d.png")
    seen.append(folder_fingerprint(tmp_path))
    (tmp_path / "d.png").write_bytes(b"longer than before")
    seen.append(folder_fingerprint(tmp_path))
    os.utime(tmp_path / "a.png", ns=(1, 1))
    seen.append(folder_fingerprint(tmp_path))
    (tmp_path / "b.png").unlink()
    seen.append(folder_fingerprint(tmp_path))
    assert len(set(seen)) == 6


def test_the_fingerprint_ignores_other_files_and_the_place_of_the_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "one", "a.png", "b.png")
    before = folder_fingerprint(folder)
    fill(folder, "notes.txt", ".DS_Store")
    assert folder_fingerprint(folder) == before
    folder.rename(tmp_path / "two")
    assert folder_fingerprint(tmp_path / "two") == before


def test_a_link_to_nowhere_has_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    before = folder_fingerprint(tmp_path)
    fill(tmp_path, "gone.png")
    assert folder_fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("name", "what"), [("nothing", "does not exist"), ("a.png", "is no folder")]
)
def test_what_is_no_folder_is_named(tmp_path: Path, name: str, what: str) -> None:
    fill(tmp_path, "a.png")
    with pytest.raises(BadPhotos, match=rf"{name} {what}; give a folder of photos\.$"):
        find_files(tmp_path / name)
