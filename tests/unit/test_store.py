"""From a folder of photos to a store, and back to pixels."""

import os
import resource
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upres.data.crops import Pixels
from upres.data.records import PrepareReport, Reason
from upres.data.split import SPLITS
from upres.data.store import Store, open_store, prepare, prepared_store
from upres.errors import BadPhotos, BadSetting, NoSpace
from upres.images.files import read_rgb
from upres.images.resize import ResizerName, shrink


def picture(number: int, height: int = 64, width: int = 80) -> Pixels:
    """Noise in coarse cells, which tell pictures apart, with fine noise over it."""
    rng = np.random.default_rng(number)
    cells = (
        rng.integers(30, 220, (16, 16, 3)).repeat(-(-height // 16), 0).repeat(-(-width // 16), 1)
    )
    return (cells[:height, :width] + rng.integers(-20, 20, (height, width, 3))).astype(np.uint8)


def save(path: Path, pixels: Pixels, **settings: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **settings)
    return path


def photos(folder: Path, count: int, height: int = 64, width: int = 80) -> Path:
    for number in range(count):
        save(folder / f"{number:02}.png", picture(number, height, width))
    return folder


def prepared(folder: Path, store: Path, min_side: int = 32) -> Store:
    prepare(folder, store, scale=4, min_side=min_side)
    return open_store(store)


def contents(store: Store) -> dict[str, list[bytes]]:
    return {
        split: [pair.lr.tobytes() + pair.hr.tobytes() for pair in store.pictures(split)]
        for split in SPLITS
    }


@pytest.mark.parametrize(("scale", "resizer"), [(4, "matlab"), (3, "pillow"), (2, "opencv")])
def test_the_store_holds_the_photos_cut_to_a_multiple_and_their_lr(
    tmp_path: Path, scale: int, resizer: ResizerName
) -> None:
    photos(tmp_path / "photos", 8, height=67, width=83)
    report = prepare(
        tmp_path / "photos", tmp_path / "store", scale=scale, resizer=resizer, min_side=32
    )
    store = open_store(tmp_path / "store")
    assert (store.scale, store.resizer, store.report) == (scale, resizer, report)
    assert report.pictures == {"train": 6, "validation": 1, "test": 1}
    assert (report.files, report.photos, report.cut) == (8, 8, False)
    names = []
    for split in SPLITS:
        for pair in store.pictures(split):
            names.append(pair.name)
            whole = picture(int(pair.name[:2]), 67, 83)
            hr = whole[: 67 // scale * scale, : 83 // scale * scale]
            np.testing.assert_array_equal(pair.hr, hr)
            np.testing.assert_array_equal(pair.lr, shrink(hr, scale, resizer))
            assert not pair.hr.flags.writeable
    assert sorted(names) == [f"{number:02}.png" for number in range(8)]


def test_names_and_folders_do_not_change_split_order_and_hash(tmp_path: Path) -> None:
    first = prepared(photos(tmp_path / "photos", 12), tmp_path / "a")
    for number in range(12):
        new = tmp_path / "renamed" / f"{number % 3}" / f"{97 * number % 13}.png"
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "photos" / f"{number:02}.png", new)
    second = prepared(tmp_path / "renamed", tmp_path / "b")
    assert second.data_hash == first.data_hash
    assert contents(second) == contents(first)


def test_the_hash_changes_with_the_pixels_and_the_settings(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 8)
    hashes = {prepared(folder, tmp_path / "store").data_hash}
    for scale, resizer in ((2, "matlab"), (4, "pillow")):
        prepare(folder, tmp_path / "store", scale=scale, resizer=resizer, min_side=32)
        hashes.add(open_store(tmp_path / "store").data_hash)
    changed = picture(0)
    changed[5, 5, 1] ^= 1
    save(folder / "00.png", changed)
    hashes.add(prepared(folder, tmp_path / "store").data_hash)
    assert len(hashes) == 4


def test_a_recompressed_and_a_smaller_copy_are_on_the_side_of_their_photo(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 20, height=96, width=128)
    for number in (3, 8, 15):
        image = Image.open(folder / f"{number:02}.png")
        image.save(folder / f"{number:02}-again.jpg", quality=50)
        image.resize((96, 72), Image.Resampling.BICUBIC).save(folder / f"{number:02}-small.png")
    store = prepared(folder, tmp_path / "store")
    expected = tuple(
        (f"{number:02}-again.jpg", f"{number:02}-small.png", f"{number:02}.png")
        for number in (3, 8, 15)
    )
    assert store.report.near_duplicates == expected
    side = {pair.name: split for split in SPLITS for pair in store.pictures(split)}
    assert len(side) == 26
    for group in expected:
        assert len({side[name] for name in group}) == 1


def left_out(report: PrepareReport, reason: Reason) -> dict[str, str]:
    return {file.name: file.detail for file in report.left_out if file.reason == reason}


def test_every_file_that_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 8)
    whole = (folder / "00.png").read_bytes()
    (folder / "cut short.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    save(folder / "sub" / "small.png", picture(50, 31, 200))
    (folder / "sub" / "copy of 03.png").write_bytes((folder / "03.png").read_bytes())
    save(folder / "03.tif", picture(3))
    (folder / "notes.txt").write_text("")
    report = prepared(folder, tmp_path / "store").report
    assert (report.files, report.photos) == (16, 8)
    assert left_out(report, "duplicate") == {
        "03.tif": "same pixels as 03.png",
        "sub/copy of 03.png": "same pixels as 03.png",
    }
    assert left_out(report, "too small") == {"sub/small.png": "200x28"}  # cut to multiples of 4
    assert left_out(report, "no picture") == {"notes.txt": ".txt ending"}
    unreadable = left_out(report, "unreadable")
    assert list(unreadable) == ["cut short.png", "empty.jpg", "gone.png", "text.png"]
    assert unreadable["cut short.png"].startswith("is damaged or cut short")
    assert unreadable["gone.png"].startswith("does not exist")
    assert report.names("duplicate") == ["03.tif", "sub/copy of 03.png"]
    assert report.summary() == (
        "8 photos of 0.0 MP, parted whole: 6 train, 1 validation, 1 test; "
        "left out: 4 unreadable, 1 no picture, 1 too small, 2 duplicate"
    )


def test_grey_alpha_and_16_bit_photos_become_rgb(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 4)
    grey = picture(60)[..., 0]
    save(folder / "grey.png", grey)
    save(folder / "alpha.png", np.dstack([picture(61), grey]))
    Image.fromarray(picture(62)[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")
    store = prepared(folder, tmp_path / "store")
    found = {pair.name: pair.hr for split in SPLITS for pair in store.pictures(split)}
    np.testing.assert_array_equal(found["grey.png"], np.stack([grey] * 3, axis=2))
    np.testing.assert_array_equal(found["alpha.png"], picture(61))
    np.testing.assert_array_equal(found["deep.png"][..., 1], picture(62)[..., 0])


@pytest.mark.parametrize("upright", [False, True])
def test_a_photo_that_is_cut_shows_training_nothing_of_its_validation_part(
    tmp_path: Path, upright: bool
) -> None:
    rows, columns = np.mgrid[:120, :240]
    wide = np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)

    def turned(pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(pixels.swapaxes(0, 1) if upright else pixels)

    save(tmp_path / "photos" / "ramp.png", turned(wide))
    store = prepared(tmp_path / "photos", tmp_path / "store")
    assert store.report.cut
    assert store.report.summary() == "1 photo of 0.0 MP, each cut in parts: 1 train, 1 validation"
    (train,), (validation,) = store.pictures("train"), store.pictures("validation")
    assert not store.pictures("test")
    np.testing.assert_array_equal(train.hr, turned(wide[:, :144]))
    np.testing.assert_array_equal(validation.hr, turned(wide[:, 144:]))  # 96 of 240 px
    for pair in (train, validation):
        np.testing.assert_array_equal(pair.lr, shrink(np.ascontiguousarray(pair.hr), 4))

    wide[:, 144:] = 255 - wide[:, 144:]
    save(tmp_path / "changed" / "ramp.png", turned(wide))
    changed = prepared(tmp_path / "changed", tmp_path / "other")
    np.testing.assert_array_equal(changed.pictures("train")[0].lr, train.lr)
    assert changed.data_hash != store.data_hash


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    before = contents(prepared(photos(tmp_path / "photos", 8), tmp_path / "store"))
    shutil.rmtree(tmp_path / "photos")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    assert contents(open_store(tmp_path / "elsewhere")) == before


def test_pictures_smaller_than_a_patch_are_left_out_on_demand(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 6)
    for number in range(10, 16):
        save(folder / f"{number}.png", picture(number, 128, 96))
    store = prepared(folder, tmp_path / "store")
    large = [pair for pair in store.pictures("train") if pair.hr.shape[0] == 128]
    assert 0 < len(large) < len(store.pictures("train"))
    chosen = store.pictures("train", min_side=96)
    assert [pair.name for pair in chosen] == [pair.name for pair in large]
    message = r"store: no train picture has 128 px on its shorter side \(the largest has 96\); use"
    with pytest.raises(BadPhotos, match=message):
        store.pictures("train", min_side=128)


def test_memory_does_not_grow_with_the_number_of_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # libvips' own memory is not traced; a copy by numpy is
    monkeypatch.setattr("upres.data.appending.read_rgb", lambda path: np.array(read_rgb(path)))
    peaks = []
    for count in (8, 8, 28):  # the first one also pays for what is imported and cached
        folder = photos(tmp_path / f"{len(peaks)}", count, height=128, width=128)
        tracemalloc.start()
        prepare(folder, tmp_path / f"store{len(peaks)}", scale=4, min_side=64)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 3 * 128 * 128 * 2  # two of the twenty more


def test_a_folder_is_prepared_again_only_when_it_or_a_setting_changed(tmp_path: Path) -> None:
    folder, cache, prepares = photos(tmp_path / "photos", 8), tmp_path / "cache", []

    def opened(**settings: int) -> str:
        chosen = {"scale": 4, "min_side": 32} | settings
        store = prepared_store(
            folder, cache, progress=lambda what, *_: prepares.append(what), **chosen
        )
        return store.data_hash

    def prepared_again() -> bool:
        done = bool(prepares)
        prepares.clear()
        return done

    first = opened()
    assert prepared_again()
    assert opened() == first
    assert not prepared_again()
    assert opened(scale=2) != first
    assert prepared_again()
    assert opened() == first
    assert not prepared_again()

    (folder / "notes.txt").write_text("no photo")
    assert opened() == first
    assert not prepared_again()
    (folder / "00.png").rename(folder / "zero.png")
    assert opened() == first
    assert prepared_again()
    save(folder / "more.png", picture(70))
    assert opened() != first
    assert prepared_again()
    (folder / "more.png").unlink()
    assert opened() == first
    assert prepared_again()

    (store,) = [path for path in cache.iterdir() if "-x4-" in path.name]
    with (store / "hr.bin").open("ab") as file:
        file.write(b"!")
    assert opened() == first
    assert prepared_again()
    assert len(list(cache.iterdir())) == 2


def test_two_folders_of_one_name_do_not_share_a_prepared_store(tmp_path: Path) -> None:
    for number in range(7):
        save(tmp_path / "a" / "photos" / f"{number}.png", picture(number))
        save(tmp_path / "b" / "photos" / f"{number}.png", picture(100 + number))
    stores = [
        prepared_store(tmp_path / name / "photos", tmp_path / "cache", scale=4, min_side=32)
        for name in "ab"
    ]
    assert stores[0].data_hash != stores[1].data_hash
    assert stores[0].path != stores[1].path


@pytest.mark.parametrize("stage", ["reading photos", "making LR"])
def test_ctrl_c_leaves_nothing_new_and_the_old_store(tmp_path: Path, stage: str) -> None:
    folder = photos(tmp_path / "photos", 8)
    old = prepared(folder, tmp_path / "store").data_hash
    save(folder / "more.png", picture(80))

    def interrupt(what: str, done: int, total: int) -> None:
        if what == stage and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, tmp_path / "store", scale=4, min_side=32, progress=interrupt)
    assert open_store(tmp_path / "store").data_hash == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "store"]


def test_a_kill_leaves_no_store_and_the_next_call_prepares_it(tmp_path: Path) -> None:
    folder, code = (
        photos(tmp_path / "photos", 8),
        (
            "import os, signal, sys; from pathlib import Path\n"
            "from upres.data.store import prepare\n"
            "def die(what, done, total):\n"
            "    if (what, done) == ('making LR', 6): os.kill(os.getpid(), signal.SIGKILL)\n"
            "prepare(Path(sys.argv[1]), Path(sys.argv[2]), scale=4, min_side=32, progress=die)\n"
        ),
    )
    subprocess.run([sys.executable, "-c", code, folder, tmp_path / "store"], check=False)
    assert [path.name[:7] for path in sorted(tmp_path.iterdir())] == [".store.", "photos"]
    with pytest.raises(BadPhotos, match="no prepared store"):
        open_store(tmp_path / "store")
    assert prepared(folder, tmp_path / "store").report.photos == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "store"]


def test_a_disk_that_takes_no_more_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder, limits = photos(tmp_path / "photos", 8), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))  # hr.bin needs 122,880
        with pytest.raises(NoSpace, match=r"store could not be written: file too large; nothing"):
            prepare(folder, tmp_path / "store", scale=4, min_side=32)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def refusal(folder: Path, store: Path, min_side: int = 128) -> str:
    with pytest.raises(BadPhotos) as caught:
        prepare(folder, store, scale=4, min_side=min_side)
    assert not list(store.parent.glob(".*"))
    return str(caught.value)


def test_a_folder_without_photos_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    expected = f"{tmp_path} holds no photos; put PNG, JPEG, WebP or TIFF files there."
    assert refusal(tmp_path, tmp_path / "store") == expected


def test_a_folder_of_broken_and_of_small_photos_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    expected = (
        f"{tmp_path} holds no photo that can be used: 1 cannot be read (first a.png: "
        "is empty; a picture was expected.); use other photos or a smaller patch."
    )
    assert refusal(tmp_path, tmp_path / "store") == expected
    photos(tmp_path, 8)
    assert "1 cannot be read and 8 smaller than 128 px on a side (first" in refusal(
        tmp_path, tmp_path / "store"
    )
    (tmp_path / "a.png").unlink()
    assert "8 smaller than 128 px on a side (first 00.png: 80x64); use other" in refusal(
        tmp_path, tmp_path / "store"
    )


def test_a_photo_too_small_to_hold_a_part_back_is_one_sentence(tmp_path: Path) -> None:
    photos(tmp_path, 2)
    assert refusal(tmp_path, tmp_path / "store", min_side=64) == (
        f"{tmp_path} has 2 photos to train on, too small to hold back a part for validation "
        "beside 64 px for training; add photos or use larger ones."
    )


def test_nothing_but_a_store_is_replaced(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 8)
    (tmp_path / "file").write_text("mine")
    for place, what in (
        (folder, "a folder that holds something else than a store"),
        (tmp_path / "file", "a file"),
    ):
        expected = f"{place} is {what}; give a new folder for the prepared photos."
        assert refusal(folder, place, min_side=32) == expected
    (tmp_path / "empty").mkdir()
    assert prepared(folder, tmp_path / "empty").report.photos == 8


def test_sizes_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="scale is 0 and min side 128; both must be at least 1"):
        prepare(tmp_path, tmp_path / "store", scale=0)


def test_what_is_no_store_is_said_with_the_way_to_make_one(tmp_path: Path) -> None:
    def problem() -> str:
        with pytest.raises(BadPhotos) as caught:
            open_store(store)
        return str(caught.value)

    store = tmp_path / "store"
    assert problem() == (
        f"{store} is no prepared store (it has no readable store.json); "
        f"make one with `upres prepare FOLDER {store}`."
    )
    prepared(photos(tmp_path / "photos", 8), store)
    record = (store / "store.json").read_text()
    again = f"prepare it again with `upres prepare FOLDER {store}`."

    os.truncate(store / "lr.bin", 1000)
    assert problem() == (
        f"{store / 'lr.bin'} has 1000 bytes, but store.json says 7680; {again}"  # 8 * 16 * 20 * 3
    )
    (store / "hr.bin").unlink()
    assert f"hr.bin has 0 bytes, but store.json says 122880; {again}" in problem()
    for text in (record[:-20], record.replace("upres-store-2", "upres-store-1")):
        (store / "store.json").write_text(text)
        assert (
            problem()
            == f"{store / 'store.json'} is damaged or of another version of upres; {again}"
        )
