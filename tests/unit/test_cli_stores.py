"""What `--photos` may say: folders and stores, one or several, each with or without a share."""

from pathlib import Path

import numpy as np
import pytest

from upres.cli.stores import folder_and_share, open_all, training_photos
from upres.data.store import Store, prepare
from upres.data.stores import Stores
from upres.errors import BadPhotos, BadSetting
from upres.images.files import Picture, write_picture
from upres.recipes.schema import Recipe


@pytest.fixture
def other_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(8):
        cells = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        write_picture(folder / f"{number}.png", Picture(pixels=cells.repeat(4, 0).repeat(4, 1)))
    return folder


def test_a_share_stands_behind_the_last_colon(tmp_path: Path) -> None:
    folder = tmp_path / "photos:2"
    assert folder_and_share(f"{folder}") == (tmp_path / "photos", 2.0)
    folder.mkdir()
    assert folder_and_share(f"{folder}") == (folder, None)
    assert folder_and_share(f"{folder}:0.25") == (folder, 0.25)
    assert folder_and_share("C:\\photos") == (Path("C:\\photos"), None)
    assert folder_and_share("photos:half") == (Path("photos:half"), None)
    assert folder_and_share("photos") == (Path("photos"), None)


def test_one_folder_gives_its_store(
    toy_store: Store, toy_recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_all([str(toy_store.path)], toy_recipe, quiet=False)
    assert isinstance(store, Store)
    assert store.data_hash == toy_store.data_hash
    assert capsys.readouterr().err == ""


def test_several_are_joined_and_told(
    toy_store: Store,
    toy_recipe: Recipe,
    other_photos: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stores = open_all([str(toy_store.path), f"{other_photos}:0.3"], toy_recipe, quiet=False)
    assert isinstance(stores, Stores)
    assert sorted((source.name, source.share) for source in stores.sources) == [
        ("scans", 0.3),
        ("toy", None),
    ]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("8 photos of 0.0 MP, parted whole: 6 train")
    assert told[1:] == ["2 stores together: 12 train, 2 validation, 2 test"]


def test_a_share_for_a_single_folder_and_a_folder_that_is_none_are_refused(
    toy_store: Store, toy_recipe: Recipe
) -> None:
    with pytest.raises(BadSetting, match=r"toy:0.3 has a share, but there is no other folder\."):
        open_all([f"{toy_store.path}:0.3"], toy_recipe, quiet=True)
    with pytest.raises(BadPhotos, match=r"nowhere is not a folder: give --photos a folder"):
        open_all(["/nowhere", f"{toy_store.path}:0.3"], toy_recipe, quiet=True)


def test_training_photos_are_counted_without_preparing(
    toy_store: Store, other_photos: Path, tmp_path: Path
) -> None:
    assert training_photos([str(other_photos)]) == 6  # 70 % of 8
    assert training_photos([str(toy_store.path), f"{other_photos}:0.3"]) == 12
    assert not (tmp_path / "cache").exists()


def test_a_store_of_another_scale_is_refused(
    other_photos: Path, toy_recipe: Recipe, tmp_path: Path
) -> None:
    prepare(other_photos, tmp_path / "store", scale=2, min_side=32)
    with pytest.raises(BadPhotos, match=r"prepared for x2 by matlab, but recipe tiny asks for x4"):
        open_all([str(tmp_path / "store")], toy_recipe, quiet=True)
