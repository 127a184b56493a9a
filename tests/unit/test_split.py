"""The side that a photo is on depends on its content and on nothing else."""

import random
from collections import Counter

import numpy as np
import pytest

from upres.data.split import (
    Hash,
    Photo,
    Piece,
    as_rows,
    difference_hash,
    near_any,
    near_duplicates,
    packed,
    plan,
)


def photo(number: int, *, height: int = 480, width: int = 640, near: int | None = None) -> Photo:
    """A photo whose hash is random, or that of photo `near`."""
    return Photo(f"{number:04}", height, width, packed(bits(number if near is None else near)))


def bits(number: int) -> Hash:
    return np.random.default_rng(number).integers(0, 2, 256) == 1


def flipped(bits: Hash, count: int) -> Hash:
    return np.concatenate([~bits[:count], bits[count:]])


def pieces_of(photos: list[Photo], *, scale: int = 4, min_side: int = 128) -> list[Piece]:
    return plan(photos, near_duplicates(photos), scale=scale, min_side=min_side)


def sides(photos: list[Photo], **settings: int) -> dict[str, str]:
    pieces = pieces_of(photos, **settings)
    return {photos[piece.photo].sha256: piece.split for piece in pieces}


def test_the_hash_asks_whether_each_cell_is_brighter_than_its_left_neighbour() -> None:
    steps = np.zeros((16, 17, 3), np.uint8)
    steps[0, :, 1] = np.arange(17)  # rises everywhere
    steps[1, 5:, 1] = 9  # rises once, between columns 4 and 5
    steps[2, :, 1] = np.arange(17)[::-1]  # falls
    bits = difference_hash(steps).reshape(16, 16)
    assert bits[0].all()
    assert np.flatnonzero(bits[1]).tolist() == [4]
    assert not bits[2:].any()


def test_the_hash_does_not_change_with_size_and_brightness() -> None:
    small = np.random.default_rng(0).integers(0, 100, (16, 17, 3), dtype=np.uint8)
    large = small.repeat(7, axis=0).repeat(5, axis=1)
    np.testing.assert_array_equal(difference_hash(large), difference_hash(small))
    np.testing.assert_array_equal(difference_hash(small * 2 + 20), difference_hash(small))


def test_a_picture_smaller_than_the_grid_has_a_hash() -> None:
    assert difference_hash(np.zeros((3, 5, 3), np.uint8)).shape == (256,)


def test_photos_of_48_different_bits_are_near_and_of_49_are_not() -> None:
    first = Photo("a", 9, 9, packed(bits(1)))
    near = [first, Photo("b", 9, 9, packed(flipped(bits(1), 48)))]
    far = [first, Photo("b", 9, 9, packed(flipped(bits(1), 49)))]
    assert near_duplicates(near) == [[0, 1]]
    assert near_duplicates(far) == [[0], [1]]


def test_a_chain_of_near_duplicates_is_one_group_in_the_order_of_content() -> None:
    middle = flipped(bits(1), 40)
    end = np.concatenate([middle[:200], ~middle[200:240], middle[240:]])
    named = [("c", end), ("b", bits(1)), ("0000", bits(0)), ("a", middle)]
    photos = [Photo(name, 9, 9, packed(looks)) for name, looks in named]
    assert near_duplicates(photos) == [[2], [3, 1, 0]]  # 0000; a, b, c


@pytest.mark.parametrize(
    ("photos", "held_back"), [(7, 1), (9, 1), (10, 2), (20, 3), (100, 15), (103, 15), (104, 16)]
)
def test_validation_and_test_get_15_percent_each_rounded_half_up(
    photos: int, held_back: int
) -> None:
    counts = Counter(sides([photo(number) for number in range(photos)]).values())
    expected = {"validation": held_back, "test": held_back, "train": photos - 2 * held_back}
    assert counts == expected


def test_the_split_ignores_the_order_of_the_photos() -> None:
    photos = [photo(number) for number in range(30)] + [photo(77, near=3), photo(78, near=3)]
    expected = sides(photos)
    for seed in range(5):
        random.Random(seed).shuffle(photos)
        assert sides(photos) == expected


def test_pieces_come_in_the_order_of_content() -> None:
    photos = [photo(number) for number in (5, 3, 9, 1, 7, 2, 8, 0)]
    train = [piece for piece in pieces_of(photos, scale=4, min_side=1) if piece.split == "train"]
    names = [photos[piece.photo].sha256 for piece in train]
    assert names == sorted(names)


def test_near_duplicates_are_on_one_side() -> None:
    for first in range(20):  # whichever of the photos the twins belong to
        photos = [photo(number) for number in range(20)]
        photos += [photo(100 + twin, near=first) for twin in range(3)]
        side = sides(photos)
        assert len({side[f"{number:04}"] for number in (first, 100, 101, 102)}) == 1


def test_every_side_has_a_photo_even_when_twins_fill_the_folder() -> None:
    pairs = [photo(number, near=number // 2) for number in range(8)]  # room 1 each, groups of 2
    assert Counter(sides(pairs).values()) == {"train": 4, "validation": 2, "test": 2}
    burst = [photo(0), photo(1)] + [photo(2 + number, near=2) for number in range(12)]
    assert Counter(sides(burst).values()) == {"train": 12, "validation": 1, "test": 1}


@pytest.mark.parametrize(
    ("size", "scale", "min_side", "train", "validation"),
    [
        # (height, width): 20 % of 1000 px
        ((600, 1000), 4, 128, (0, 0, 600, 800), (0, 800, 600, 200)),
        ((1000, 600), 4, 128, (0, 0, 800, 600), (800, 0, 200, 600)),
        # at least 96 px
        ((300, 400), 4, 128, (0, 0, 300, 304), (0, 304, 300, 96)),
        # a multiple of the scale: 20 % of 510 is 102
        ((300, 510), 3, 128, (0, 0, 300, 408), (0, 408, 300, 102)),
        ((300, 528), 4, 128, (0, 0, 300, 420), (0, 420, 300, 108)),
        # what a training crop leaves: 200 - 128, and 160 - 128
        ((200, 200), 4, 128, (0, 0, 200, 128), (0, 128, 200, 72)),
        ((160, 160), 4, 128, (0, 0, 160, 128), (0, 128, 160, 32)),
        # less than 32 px is no validation picture
        ((156, 156), 4, 128, (0, 0, 156, 156), None),
    ],
)
def test_few_photos_are_cut_along_their_longer_side(
    size: tuple[int, int],
    scale: int,
    min_side: int,
    train: tuple[int, int, int, int],
    validation: tuple[int, int, int, int] | None,
) -> None:
    pieces = pieces_of([photo(0, height=size[0], width=size[1])], scale=scale, min_side=min_side)
    expected = [Piece(0, "train", *train)]
    expected += [Piece(0, "validation", *validation)] if validation else []
    assert pieces == expected


def test_six_photos_are_cut_and_seven_are_not() -> None:
    photos = [photo(number) for number in range(7)]
    assert Counter(piece.split for piece in pieces_of(photos[:6], scale=4, min_side=128)) == {
        "train": 6,
        "validation": 6,
    }
    assert len(pieces_of(photos, scale=4, min_side=128)) == 7


def test_frames_of_one_scene_are_cut_although_they_are_many() -> None:
    frames = [photo(number, near=0) for number in range(9)]
    assert Counter(piece.split for piece in pieces_of(frames, scale=4, min_side=128)) == {
        "train": 9,
        "validation": 9,
    }


def test_twins_of_other_sizes_are_cut_at_the_same_place_of_the_scene() -> None:
    twins = [
        photo(0, height=600, width=1000),
        photo(1, height=150, width=250, near=0),  # by itself: 96 of 250 px, a share of 0.384
        photo(2, height=75, width=125, near=0),  # 0.384 of it leaves 76 px, too little to train
    ]
    pieces = pieces_of(twins, scale=4, min_side=100)
    assert pieces == [
        Piece(0, "train", 0, 0, 600, 616),
        Piece(0, "validation", 0, 616, 600, 384),
        Piece(1, "train", 0, 0, 150, 154),
        Piece(1, "validation", 0, 154, 150, 96),
        Piece(2, "validation", 0, 77, 75, 48),
    ]


@pytest.mark.parametrize("block", [1, 3, 7, 64])
def test_blocks_of_comparisons_change_no_group(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    photos = [photo(number, near=rng.randrange(12)) for number in range(30)]
    expected: dict[bytes, list[int]] = {}
    for place, one in enumerate(photos):  # names rise with places
        expected.setdefault(one.looks, []).append(place)
    monkeypatch.setattr("upres.data.split.BLOCK", block)
    assert near_duplicates(photos) == list(expected.values())
    others = photos[:5]
    near = near_any(as_rows(one.looks for one in photos), as_rows(one.looks for one in others))
    assert near.tolist() == [one.looks in {o.looks for o in others} for one in photos]
