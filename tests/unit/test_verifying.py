"""Every damaged photo of a store is named; a run does not go on with other pixels."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from upres.data.records import read_photos
from upres.data.store import Store, open_store
from upres.data.verifying import refuse_other_pixels, verify
from upres.errors import BadPhotos, WorkFailed


@pytest.fixture
def store(toy_store: Store, tmp_path: Path) -> Path:
    shutil.copytree(toy_store.path, tmp_path / "store")
    return tmp_path / "store"


def flip(file: Path, place: int) -> None:
    """Change one byte without a trace in size and time."""
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    with file.open("rb+") as pixels:
        pixels.seek(place)
        byte = pixels.read(1)
        pixels.seek(place)
        pixels.write(bytes([byte[0] ^ 1]))
    os.utime(file, ns=times)


def test_a_copy_is_as_the_store_was(store: Path) -> None:
    told: list[tuple[str, int, int]] = []
    found = verify(store, progress=lambda *state: told.append(state))
    assert (found.photos, found.damaged) == (8, ())
    assert told == [("verifying", done, 8) for done in range(9)]
    found.refuse_damaged()


def test_one_wrong_bit_anywhere_names_its_photo(store: Path) -> None:
    photos = {photo.name: photo for photo in read_photos(store)}
    flip(store / "hr.bin", photos["3.png"].hr_offset + 76 * 72 * 3 - 1)  # its last byte
    flip(store / "lr.bin", photos["5.png"].pieces[0].lr_offset)
    found = verify(store)
    assert found.damaged == ("3.png: HR", "5.png: LR")
    with pytest.raises(WorkFailed) as caught:
        found.refuse_damaged()
    assert str(caught.value) == (
        f"{store} is damaged: 2 of its 8 photos or files (first 3.png: HR); prepare it again with "
        f"`upres prepare FOLDER {store}`, or copy it again."
    )


def test_a_file_that_ends_early_or_is_gone_names_what_is_lost(store: Path) -> None:
    photos = sorted(read_photos(store), key=lambda photo: photo.hr_offset)
    size = (store / "hr.bin").stat().st_size
    os.truncate(store / "hr.bin", photos[6].hr_offset + 5)
    found = verify(store)
    assert found.damaged == (
        f"hr.bin: has {photos[6].hr_offset + 5} bytes, not {size}",
        f"{photos[6].name}: HR",
        f"{photos[7].name}: HR",
    )
    (store / "lr.bin").unlink()
    found = verify(store)
    assert found.damaged[1] == "lr.bin: is missing"
    assert found.damaged[2:] == (
        *(f"{photo.name}: LR" for photo in photos[:6]),
        *(f"{photo.name}: HR and LR" for photo in photos[6:]),
    )


def test_other_pixels_of_the_same_size_are_seen_when_a_store_is_opened(store: Path) -> None:
    hr = np.fromfile(store / "hr.bin", np.uint8)
    hr[len(hr) // 2 :] = 0  # as of a copy that was broken off
    hr.tofile(store / "hr.bin")
    with pytest.raises(BadPhotos) as caught:
        open_store(store)
    assert str(caught.value) == (
        f"{store} has other pixels than those that were prepared: see which with `upres prepare "
        f"--verify {store}`, or prepare it again with `upres prepare FOLDER {store}`."
    )


def test_a_store_whose_record_is_damaged_cannot_be_verified(store: Path) -> None:
    flip(store / "photos.jsonl", 12)
    with pytest.raises(BadPhotos, match=r"photos.jsonl is damaged or of another version of upres;"):
        verify(store)
    with pytest.raises(BadPhotos, match=r"photos.jsonl is damaged"):
        open_store(store)


def test_a_run_goes_on_with_a_copy_but_not_with_other_pixels(store: Path) -> None:
    before = open_store(store).stamp
    refuse_other_pixels(open_store(store), before)
    refuse_other_pixels(open_store(store), None)
    os.utime(store / "hr.bin", ns=(1, 1))  # as a copy has
    refuse_other_pixels(open_store(store), before)
    flip(store / "hr.bin", 5000)  # between the blocks that opening compares, or in one: no matter
    opened = _opened_unchecked(store)
    with pytest.raises(
        BadPhotos, match=r"store has changed since the run began: 1 of its 8 photos"
    ):
        refuse_other_pixels(opened, before)


def _opened_unchecked(store: Path) -> Store:
    with pytest.MonkeyPatch.context() as patch:
        record = (store / "store.json").read_text()
        patch.setattr("upres.data.store.sample_hash", lambda _: _sampled(record))
        return open_store(store)


def _sampled(record: str) -> str:
    return record.split('"samples_sha256": "')[1][:64]


def test_a_store_that_is_written_to_stops_the_batches(store: Path) -> None:
    from upres.data.crops import CropSettings
    from upres.data.sampler import prefetched

    pictures = open_store(store).pictures("train")
    settings = CropSettings(hr_patch=32)
    batches = prefetched(pictures, settings, scale=4, batch=1, seed=0, start=0, stop=10**6)
    next(batches)
    os.truncate(store / "lr.bin", 10)
    with pytest.raises(WorkFailed, match=r"lr.bin was changed while it was in use; what was saved"):
        for _ in batches:
            pass


def test_a_store_that_is_replaced_goes_on_giving_the_old_pixels(store: Path) -> None:
    pictures = open_store(store).pictures("train")
    before = pictures[0].hr.tobytes()
    shutil.copytree(store, store.with_name("new"))
    shutil.rmtree(store)
    pictures.refuse_changed()
    store.with_name("new").rename(store)
    pictures.refuse_changed()
    assert pictures[0].hr.tobytes() == before
