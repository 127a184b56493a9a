"""What a step sees is a function of (seed, step, index) and of the pictures, of nothing else."""

import threading
import time

import numpy as np
import pytest

from upres.data.crops import CropSettings, Pair
from upres.data.sampler import Batch, draw, make_batch, prefetched

SETTINGS = CropSettings(hr_patch=16)


def noise(name: str, height: int, width: int) -> Pair:
    rng = np.random.default_rng(len(name) + height * width)
    hr = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Pair(name, hr[::4, ::4], hr)


PICTURES = [noise("a", 64, 64), noise("b", 32, 96), noise("c", 128, 128)]


def test_all_draws_differ_and_come_again() -> None:
    def number(seed: int, step: int, index: int) -> float:
        return float(draw(seed, step, index).random())

    keys = [(seed, step, index) for seed in range(3) for step in range(40) for index in range(16)]
    numbers = [number(*key) for key in keys]
    assert len(set(numbers)) == len(keys)
    assert [number(*key) for key in reversed(keys)] == numbers[::-1]


def test_two_epochs_of_batches_have_no_patch_in_common() -> None:
    patches = [
        patch.tobytes()
        for step in range(30)
        for patch in make_batch(PICTURES, SETTINGS, scale=4, batch=4, seed=1, step=step)[1]
    ]
    assert len(set(patches)) > 0.95 * len(patches)  # few places times eight views: a few meet


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    def batch(seed: int, step: int) -> bytes:
        lr, hr = make_batch(PICTURES, SETTINGS, scale=4, batch=3, seed=seed, step=step)
        return lr.tobytes() + hr.tobytes()

    first = batch(1, 7)
    batch(9, 9)
    assert batch(1, 7) == first
    assert len({first, batch(7, 1), batch(2, 7), batch(1, 8)}) == 4


def test_a_larger_batch_begins_with_the_smaller_one() -> None:
    small = make_batch(PICTURES, SETTINGS, scale=4, batch=2, seed=1, step=7)
    large = make_batch(PICTURES, SETTINGS, scale=4, batch=5, seed=1, step=7)
    np.testing.assert_array_equal(large[1][:2], small[1])


def test_a_batch_has_the_promised_shape_and_type() -> None:
    settings = CropSettings(hr_patch=32, texture=True)
    lr, hr = make_batch(PICTURES, settings, scale=4, batch=5, seed=0, step=0)
    assert (lr.shape, hr.shape) == ((5, 8, 8, 3), (5, 32, 32, 3))
    assert lr.dtype == hr.dtype == np.uint8
    assert lr.flags.c_contiguous
    assert hr.flags.c_contiguous


def test_pictures_are_drawn_in_proportion_to_their_area() -> None:
    flat = [
        Pair(
            str(level),
            np.full((h // 4, w // 4, 3), level, np.uint8),
            np.full((h, w, 3), level, np.uint8),
        )
        for level, (h, w) in enumerate([(16, 16), (16, 48), (64, 64)])
    ]
    settings = CropSettings(hr_patch=16)
    lr, _ = make_batch(flat, settings, scale=4, batch=4000, seed=0, step=0)
    share = np.bincount(lr[:, 0, 0, 0], minlength=3) / 4000
    np.testing.assert_allclose(share, [1 / 20, 3 / 20, 16 / 20], atol=0.025)  # 4 deviations


@pytest.mark.parametrize("ahead", [1, 4, 50])
def test_prefetched_batches_are_those_of_make_batch_in_order(
    ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upres.data.sampler.AHEAD", ahead)
    batches = prefetched(PICTURES, SETTINGS, scale=4, batch=2, seed=5, start=10, stop=17)
    for step, (lr, hr) in zip(range(10, 17), batches, strict=True):
        expected = make_batch(PICTURES, SETTINGS, scale=4, batch=2, seed=5, step=step)
        np.testing.assert_array_equal(lr, expected[0])
        np.testing.assert_array_equal(hr, expected[1])


def test_an_exception_of_the_thread_reaches_the_caller_at_its_batch() -> None:
    broken = [PICTURES[0], Pair("broken", PICTURES[1].lr[:5], PICTURES[1].hr)]
    batches = prefetched(broken, SETTINGS, scale=4, batch=1, seed=0, start=0, stop=1000)
    with pytest.raises(ValueError, match="broken: hr is"):
        for _ in batches:
            pass
    assert_no_thread_is_left()


def test_closing_the_iterator_ends_the_thread() -> None:
    batches = prefetched(PICTURES, SETTINGS, scale=4, batch=1, seed=0, start=0, stop=10**9)
    next(batches)
    batches.close()
    assert_no_thread_is_left()


def test_no_more_than_ahead_batches_are_made_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr("upres.data.sampler._Crops.of_step", lambda _, step, __: made.append(step))
    monkeypatch.setattr("upres.data.sampler.AHEAD", 3)
    batches = prefetched(PICTURES, SETTINGS, scale=4, batch=1, seed=0, start=0, stop=100)
    next(batches)
    time.sleep(0.05)
    assert len(made) <= 4
    batches.close()


def test_no_pictures_and_too_small_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        make_batch([], SETTINGS, scale=4, batch=1, seed=0, step=0)
    with pytest.raises(ValueError, match="a: no patch of 128 px"):
        make_batch(PICTURES[:1], CropSettings(), scale=4, batch=1, seed=0, step=0)


def assert_no_thread_is_left() -> None:
    assert not [thread for thread in threading.enumerate() if "upres-crops" in thread.name]


@pytest.mark.parametrize("texture", [False, True])
def test_parts_of_a_batch_are_the_crops_of_the_whole(texture: bool) -> None:
    settings = CropSettings(hr_patch=16, texture=texture)

    def batch(indexes: range | None) -> Batch:
        return make_batch(PICTURES, settings, scale=4, batch=6, seed=3, step=9, indexes=indexes)

    for parts in ([range(0, 3), range(3, 6)], [range(0, 2), range(2, 4), range(4, 6)]):
        for place, crops in enumerate(batch(None)):
            joined = np.concatenate([batch(indexes)[place] for indexes in parts])
            np.testing.assert_array_equal(joined, crops)
    np.testing.assert_array_equal(batch(range(0, 6, 2))[1], batch(None)[1][::2])
    more = batch(range(6, 12))[1]
    assert more.shape == batch(None)[1].shape
    assert not {crop.tobytes() for crop in more} & {crop.tobytes() for crop in batch(None)[1]}
    assert batch(range(0))[1].shape == (0, 16, 16, 3)


def test_prefetched_parts_are_those_of_make_batch() -> None:
    def batches(indexes: range | None) -> list[Batch]:
        given = {"scale": 4, "batch": 4, "seed": 5, "start": 2, "stop": 5}
        return list(prefetched(PICTURES, SETTINGS, **given, indexes=indexes))

    for (whole, _), (part, _) in zip(batches(None), batches(range(1, 3)), strict=True):
        np.testing.assert_array_equal(part, whole[1:3])
