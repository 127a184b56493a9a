"""What is done to a tile after the network."""

import numpy as np
import pytest

from upres.images.resize import resize_float
from upres.upscaling.finishing import (
    COLOUR_REACH,
    CONSISTENT_REACH,
    Finish,
    colour_kept,
    consistent,
    finishes_for,
    overlap_for,
    pure_kept,
    weakened,
)


def picture(height=24, width=30):
    smooth = np.random.default_rng(0).random((height, width, 3))
    return (0.25 + 0.5 * smooth).astype(np.float32)


def nearest(lr, scale=2):
    return lr.repeat(scale, axis=0).repeat(scale, axis=1)


def test_a_network_s_shift_of_colour_is_taken_back():
    lr = picture(80, 90)
    shifted = nearest(lr) + np.float32([4, -3, 9]) / 255
    kept = colour_kept(lr, shifted)
    np.testing.assert_allclose(kept.mean((0, 1)), lr.mean((0, 1)), atol=0.05 / 255)
    # what is finer than the blur stays
    np.testing.assert_allclose(kept - kept.mean((0, 1)), nearest(lr) - lr.mean((0, 1)), atol=1e-3)


def test_detail_is_left_alone_by_the_colour_correction():
    lr = np.full((64, 64, 3), 0.5, np.float32)
    stripes = nearest(lr)
    stripes[:, ::2] += 0.1
    stripes[:, 1::2] -= 0.1
    np.testing.assert_allclose(colour_kept(lr, stripes), stripes, atol=1e-6)


def test_what_is_consistent_shrinks_to_the_input():
    lr = picture()
    wrong = nearest(lr) + np.random.default_rng(1).normal(0, 0.05, (48, 60, 3)).astype(np.float32)
    before = resize_float(wrong.astype(np.float64), 24, 30, "matlab") - lr
    after = resize_float(consistent(lr, wrong).astype(np.float64), 24, 30, "matlab") - lr
    assert np.abs(before).max() > 20 / 255
    assert np.abs(after).max() < 0.5 / 255


def test_strength_goes_from_bicubic_to_the_network():
    lr = picture()
    sr = nearest(lr)
    plain = resize_float(lr.astype(np.float64), 48, 60, "matlab")
    np.testing.assert_allclose(weakened(lr, sr, 0), plain, atol=1e-6)
    np.testing.assert_allclose(weakened(lr, sr, 1), sr, atol=1e-6)
    np.testing.assert_allclose(weakened(lr, sr, 0.25), 0.75 * plain + 0.25 * sr, atol=1e-6)


@pytest.mark.parametrize("value", [0, 1])
def test_pure_white_and_black_stay_and_edges_are_the_network_s(value):
    lr = np.full((12, 12, 3), value, np.float32)
    lr[6:, 6:] = 0.5
    sr = nearest(np.abs(lr - np.float32(0.01)))
    kept = pure_kept(lr, sr)
    assert (kept[:8, :8] == value).all()  # 2 * (6 - 2): the rest is near to what is not pure
    assert np.array_equal(kept[8:, 8:], sr[8:, 8:])


def test_an_almost_white_place_is_the_network_s():
    lr = np.full((12, 12, 3), 254 / 255, np.float32)
    sr = nearest(lr) - np.float32(0.1)
    assert np.array_equal(pure_kept(lr, sr), sr)


def test_what_is_done_comes_in_order_and_white_is_kept_last():
    changes = [f.change for f in finishes_for(strength=0.5, back_project=True, keep_colour=True)]
    assert changes[1:] == [consistent, colour_kept, pure_kept]
    assert [f.change for f in finishes_for()] == [pure_kept]


def test_tiles_see_as_far_as_their_finishes():
    finishes = finishes_for(strength=0.5, back_project=True, keep_colour=True)
    assert overlap_for(18, finishes, exact=True) == 18 + CONSISTENT_REACH + COLOUR_REACH
    assert overlap_for(18, finishes, exact=False) == CONSISTENT_REACH
    assert overlap_for(18, finishes_for(), exact=True) == 18
    assert overlap_for(0, [Finish(weakened, 4)], exact=True) == 4  # type: ignore[arg-type]
