"""`prepare` on a store of the same settings: old photos are copied and stay on their side."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upres.data.crops import Pixels
from upres.data.records import read_photos
from upres.data.split import SPLITS
from upres.data.store import Store, open_store, prepare, prepared_store
from upres.data.verifying import verify
from upres.errors import BadPhotos
from upres.images.files import read_rgb


def coarse(number: int) -> Pixels:
    cells = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return cells.repeat(4, 0).repeat(5, 1)


def save(folder: Path, *numbers: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        Image.fromarray(coarse(number)).save(folder / f"{number:03}.png")
    return folder


class Decoded:
    """Counts the photos that are decoded."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, path: Path) -> Pixels:
        self.names.append(path.name)
        return read_rgb(path)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Decoded:
    counter = Decoded()
    monkeypatch.setattr("upres.data.appending.read_rgb", counter)
    return counter


def prepared(folder: Path, store: Path, **settings: int) -> Store:
    prepare(folder, store, **({"scale": 4, "min_side": 32} | settings))
    assert verify(store).damaged == ()
    return open_store(store)


def sides(store: Store) -> dict[bytes, str]:
    return {pair.hr.tobytes(): split for split in SPLITS for pair in store.pictures(split)}


def contents(store: Store) -> list[bytes]:
    return [
        pair.name.encode() + pair.hr.tobytes() + pair.lr.tobytes()
        for split in SPLITS
        for pair in store.pictures(split)
    ]


def test_only_new_photos_are_decoded_and_no_photo_moves(tmp_path: Path, decoded: Decoded) -> None:
    folder = save(tmp_path / "photos", *range(20))
    first = prepared(folder, tmp_path / "store")
    before, report = sides(first), first.report
    assert (report.reused, len(decoded.names)) == (0, 20)
    decoded.names.clear()
    save(folder, *range(100, 130))
    second = prepared(folder, tmp_path / "store")
    assert decoded.names == [f"{number}.png" for number in range(100, 130)]
    after = sides(second)
    assert {pixels: after[pixels] for pixels in before} == before
    assert second.report.pictures == {"train": 34, "validation": 8, "test": 8}
    assert second.report.summary() == (
        "50 photos of 0.3 MP (20 from the older store), parted whole: "
        "34 train, 8 validation, 8 test"
    )
    assert second.data_hash != first.data_hash


def test_a_second_call_without_a_change_gives_the_same_store(
    tmp_path: Path, decoded: Decoded
) -> None:
    folder = save(tmp_path / "photos", *range(9))
    first = prepared(folder, tmp_path / "store")
    kept = contents(first)
    decoded.names.clear()
    second = prepared(folder, tmp_path / "store")
    assert decoded.names == []
    assert (second.data_hash, contents(second)) == (first.data_hash, kept)


def test_a_removed_photo_goes_and_a_renamed_one_keeps_its_side(
    tmp_path: Path, decoded: Decoded
) -> None:
    folder = save(tmp_path / "photos", *range(20))
    first = prepared(folder, tmp_path / "store")
    before = sides(first)
    names = {split: [pair.name for pair in first.pictures(split)] for split in SPLITS}
    (folder / names["train"][0]).unlink()
    renamed = names["test"][0]
    (folder / renamed).rename(folder / "zzz.png")
    decoded.names.clear()
    second = prepared(folder, tmp_path / "store")
    assert decoded.names == ["zzz.png"]
    assert (second.report.reused, second.report.photos) == (18, 19)
    assert {pixels: before[pixels] for pixels in sides(second)} == sides(second)
    assert len(sides(second)) == 19


def test_a_photo_saved_again_is_decoded_and_stays_on_its_side(
    tmp_path: Path, decoded: Decoded
) -> None:
    folder = save(tmp_path / "photos", *range(20))
    side = {
        p.name: split
        for store in [prepared(folder, tmp_path / "store")]
        for split in SPLITS
        for p in store.pictures(split)
    }
    decoded.names.clear()
    for number in range(20):  # another brightness, all of them
        Image.fromarray((coarse(number) * 0.8).astype(np.uint8)).save(folder / f"{number:03}.png")
    second = prepared(folder, tmp_path / "store")
    assert len(decoded.names) == 20
    assert {p.name: split for split in SPLITS for p in second.pictures(split)} == side


def test_a_change_of_the_same_size_is_seen_by_its_time(tmp_path: Path, decoded: Decoded) -> None:
    folder = save(tmp_path / "photos", *range(8))
    prepared(folder, tmp_path / "store")
    file = folder / "003.png"
    data = file.read_bytes()
    file.write_bytes(data)
    os.utime(file, ns=(1, 1))
    decoded.names.clear()
    prepared(folder, tmp_path / "store")
    assert decoded.names == ["003.png"]


@pytest.mark.parametrize(("scale", "min_side"), [(2, 32), (4, 48)])
def test_another_setting_decodes_all(
    tmp_path: Path, decoded: Decoded, scale: int, min_side: int
) -> None:
    folder = save(tmp_path / "photos", *range(8))
    prepared(folder, tmp_path / "store")
    decoded.names.clear()
    store = prepared(folder, tmp_path / "store", scale=scale, min_side=min_side)
    assert len(decoded.names) == 8
    assert store.report.reused == 0


def test_damaged_pixels_of_the_older_store_are_decoded_again(
    tmp_path: Path, decoded: Decoded
) -> None:
    folder = save(tmp_path / "photos", *range(8))
    first = prepared(folder, tmp_path / "store")
    good, data_hash = contents(first), first.data_hash
    photos = {photo.name: photo for photo in read_photos(tmp_path / "store")}
    del first
    for name, place in (
        ("hr.bin", photos["003.png"].hr_offset + 7),
        ("lr.bin", photos["005.png"].pieces[0].lr_offset),
    ):
        pixels = np.fromfile(tmp_path / "store" / name, np.uint8)
        pixels[place] ^= 1
        pixels.tofile(tmp_path / "store" / name)
    os.truncate(tmp_path / "store" / "hr.bin", photos["007.png"].hr_offset + 7)
    decoded.names.clear()
    second = prepared(folder, tmp_path / "store")
    assert decoded.names == ["003.png", "007.png"]
    assert (contents(second), second.data_hash) == (good, data_hash)


def test_a_twin_of_a_kept_photo_that_sorts_before_it_takes_its_place(
    tmp_path: Path, decoded: Decoded
) -> None:
    folder = save(tmp_path / "photos", *range(8))
    before = sides(prepared(folder, tmp_path / "store"))
    shutil.copy(folder / "005.png", folder / "000 copy.png")
    second = prepared(folder, tmp_path / "store")
    assert sides(second) == before
    assert second.report.names("duplicate") == ["005.png"]


def test_a_photo_like_two_sides_is_named_and_left_out(tmp_path: Path) -> None:
    folder = save(tmp_path / "photos", *range(20))
    middle = prepared(folder, tmp_path / "store").pictures("test")[0].hr.copy()
    middle[:20] = coarse(900)[:20]  # 5 of 16 rows of cells: about 40 of 256 bits
    end = middle.copy()
    end[20:40] = coarse(901)[20:40]
    Image.fromarray(end).save(folder / "end.png")
    assert sides(prepared(folder, tmp_path / "store"))[end.tobytes()] == "train"
    Image.fromarray(middle).save(folder / "middle.png")
    report = prepared(folder, tmp_path / "store").report
    assert [(file.name, file.reason) for file in report.left_out] == [
        ("middle.png", "between sides")
    ]
    assert report.left_out[0].detail == (
        "looks like photos on two sides of the split, or like one that is cut"
    )
    assert (report.files, report.photos) == (22, 21)
    assert "1 between sides" in report.summary()


def test_a_side_of_which_nothing_is_left_is_one_sentence(tmp_path: Path) -> None:
    folder = save(tmp_path / "photos", *range(8))
    (validation,) = prepared(folder, tmp_path / "store").pictures("validation")
    kept = open_store(tmp_path / "store").data_hash
    (folder / validation.name).unlink()
    with pytest.raises(BadPhotos) as caught:
        prepare(folder, tmp_path / "store", scale=4, min_side=32)
    assert str(caught.value) == (
        f"{folder} has none of the validation photos of {tmp_path / 'store'} left, and its other "
        "photos keep their side: prepare it into a new folder to part the photos anew."
    )
    assert open_store(tmp_path / "store").data_hash == kept


def test_names_that_are_no_text_are_written_so_that_they_can_be_read(tmp_path: Path) -> None:
    folder = save(tmp_path / "photos", *range(8))
    os.rename(os.fsencode(folder / "003.png"), os.fsencode(folder) + b"/\xff.png")
    (folder / os.fsdecode(b"\xfe.txt")).write_text("")
    store = prepared(folder, tmp_path / "store")
    assert "\\xff.png" in {pair.name for split in SPLITS for pair in store.pictures(split)}
    assert store.report.names("no picture") == ["\\xfe.txt"]


def test_a_store_in_the_cache_is_parted_anew_when_a_side_is_empty(tmp_path: Path) -> None:
    folder, cache = save(tmp_path / "photos", *range(8)), tmp_path / "cache"
    (validation,) = prepared_store(folder, cache, scale=4, min_side=32).pictures("validation")
    (folder / validation.name).unlink()
    store = prepared_store(folder, cache, scale=4, min_side=32)
    assert store.report.pictures == {"train": 5, "validation": 1, "test": 1}
    assert contents(store) == contents(prepared(folder, tmp_path / "fresh"))
