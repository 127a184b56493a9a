"""Photos that join a store move nothing that is there; near duplicates follow the older photo."""

from collections import Counter

import numpy as np
import pytest

from upres.data.addition import plan_addition
from upres.data.split import Photo, Piece, Split, near_duplicates, packed, plan


def photo(number: int, *, near: int | None = None, side: int = 400) -> Photo:
    bits = np.random.default_rng(number if near is None else near).integers(0, 2, 256) == 1
    return Photo(f"{number:04}", side, side, packed(bits))


def planned(
    photos: list[Photo], settled: dict[int, list[Piece]], living: int | None = None
) -> tuple[list[Piece], list[int]]:
    return plan_addition(
        photos,
        near_duplicates(photos),
        settled,
        living=len(photos) if living is None else living,
        scale=4,
        min_side=128,
    )


def first_plan(photos: list[Photo]) -> dict[int, list[Piece]]:
    settled: dict[int, list[Piece]] = {}
    for piece in plan(photos, near_duplicates(photos), scale=4, min_side=128):
        settled.setdefault(piece.photo, []).append(piece)
    return settled


def sides(pieces: list[Piece]) -> dict[int, list[Split]]:
    found: dict[int, list[Split]] = {}
    for piece in pieces:
        found.setdefault(piece.photo, []).append(piece.split)
    return found


@pytest.mark.parametrize("more", [0, 1, 5, 30, 200])
def test_an_addition_moves_no_photo_and_fills_the_sides(more: int) -> None:
    old = [photo(1000 + number) for number in range(20)]  # 14, 3, 3
    settled = first_plan(old)
    pieces, unfit = planned([*old, *(photo(number) for number in range(more))], settled)
    assert not unfit
    found = sides(pieces)
    assert {place: found[place] for place in settled} == {
        place: [piece.split for piece in of_photo] for place, of_photo in settled.items()
    }
    held_back = {0: 3, 1: 3, 5: 4, 30: 8, 200: 33}[more]  # 15 % of 20 + more, rounded half up
    assert Counter(piece.split for piece in pieces) == {
        "validation": held_back,
        "test": held_back,
        "train": 20 + more - 2 * held_back,
    }


def test_pieces_of_a_side_are_in_the_order_of_content() -> None:
    old = [photo(10 * number) for number in range(20)]
    photos = [*old, *(photo(10 * number + 5) for number in range(20))]
    pieces, _ = planned(photos, first_plan(old))
    for split in ("train", "validation", "test"):
        names = [photos[piece.photo].sha256 for piece in pieces if piece.split == split]
        assert names == sorted(names)


def test_a_near_duplicate_joins_the_side_of_the_older_photo_even_of_one_that_is_gone() -> None:
    old = [photo(number) for number in range(20)]
    settled = first_plan(old)
    twins = [photo(100 + number, near=number) for number in range(20)]
    pieces, unfit = planned([*old, *twins], settled)
    assert not unfit
    found = sides(pieces)
    for number in range(20):
        assert found[20 + number] == found[number]

    gone = {20 + place: pieces for place, pieces in settled.items()}  # only twins are left
    pieces, unfit = planned([*twins, *old], gone, living=20)
    assert not unfit
    assert sides(pieces) == {
        place: [piece.split for piece in of_photo] for place, of_photo in settled.items()
    }


def chain(*lengths: int) -> list[Photo]:
    """Photos of which each differs from the one before in so many bits."""
    bits, start = np.random.default_rng(0).integers(0, 2, 256) == 1, 0
    photos = [Photo("c0", 400, 400, packed(bits))]
    for number, length in enumerate(lengths, start=1):
        bits = bits.copy()
        bits[start : start + length] ^= True
        start += length
        photos.append(Photo(f"c{number}", 400, 400, packed(bits)))
    return photos


def test_a_photo_like_two_sides_is_on_none() -> None:
    first, middle, last = chain(40, 40)
    old = [first, last, *(photo(number) for number in range(10))]
    settled = {
        place: [Piece(place, split, 0, 0, 400, 400)]
        for place, split in enumerate(["train", "validation", "test", *["train"] * 9])
    }
    pieces, unfit = planned([*old, middle], settled)
    assert unfit == [12]
    assert 12 not in sides(pieces)


def test_few_photos_are_cut_and_what_was_cut_stays_cut() -> None:
    old = [photo(number) for number in range(3)]
    settled = first_plan(old)
    assert all(len(pieces) == 2 for pieces in settled.values())
    pieces, unfit = planned([*old, photo(7)], settled)
    assert (sides(pieces)[3], unfit) == (["train", "validation"], [])

    many = [*old, *(photo(number) for number in range(10, 30)), photo(50, near=1)]
    pieces, unfit = planned(many, settled)
    assert unfit == [23]  # it may not be cut where its twin is
    cut = [piece for piece in pieces if piece.photo < 3]
    assert sorted(cut, key=repr) == sorted((p for of in settled.values() for p in of), key=repr)
    # 15 % of 24 photos: the three cut ones hold back a part each, one whole photo is added
    assert Counter(piece.split for piece in pieces if piece.photo >= 3) == {
        "validation": 1,
        "test": 4,
        "train": 15,
    }


def test_twins_of_cut_photos_that_are_gone_are_parted_anew() -> None:
    old = [photo(number) for number in range(3)]
    gone = {3 + place: pieces for place, pieces in first_plan(old).items()}
    twins = [photo(100 + number, near=number) for number in range(3)]
    pieces, unfit = planned([*twins, *old], gone, living=3)
    assert not unfit
    assert sides(pieces) == {place: ["train", "validation"] for place in range(3)}
