"""Which photo, or which part of it, trains, validates and tests: decided by content alone.

Photos of at least `WHOLE_PHOTOS` are parted 70/15/15 by number of photos, near duplicates on one
side. Fewer photos are each cut in two along their longer side: a training and a validation part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from upres.data.crops import Pixels

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Hash: TypeAlias = NDArray[np.bool_]  # (256,)

WHOLE_PHOTOS = 7  # fewer cannot spare whole photos for validation and test
HELD_BACK_PERCENT = 15  # for validation, and again for test
CUT_PERCENT = 20  # of the longer side, for validation, when photos are cut
CUT_SIDE = 96  # px; the validation part is at least this long where the photo allows it
SMALLEST_CUT = 32  # px; a shorter part leaves SSIM's window no room inside the border

GRID = 16  # rows and comparisons a row of the difference hash: 256 bits
# Of 196 photos and crops the closest two different ones stand 74 bits apart; copies at half and
# third size, at JPEG quality 40, in grey, or with 2 % cut away stand at 2 to 45 (95 % of them).
NEAR_BITS = 48


@dataclass(frozen=True)
class Photo:
    """What decides a photo's place: its pixels' sha256, size in pixels and difference hash."""

    sha256: str
    height: int
    width: int
    hash: Hash


@dataclass(frozen=True)
class Piece:
    """A photo's rectangle (all of it, unless photos are cut) and its side of the split."""

    photo: int  # position in the sequence of photos
    split: Split
    top: int
    left: int
    height: int
    width: int


def difference_hash(pixels: Pixels) -> Hash:
    """Return 256 bits: is each cell of a 16 x 17 grid of means brighter than its left neighbour.

    pixels: (h, w, 3). Pictures of the same scene differ in few bits, whatever their size,
    compression and brightness; other crops, mirror images and turns are not recognised.
    """
    rows = np.arange(GRID) * pixels.shape[0] // GRID
    columns = np.arange(GRID + 1) * pixels.shape[1] // (GRID + 1)
    by_row = np.add.reduceat(pixels, rows, axis=0, dtype=np.uint32)
    sums = np.add.reduceat(by_row, columns, axis=1, dtype=np.uint64).sum(axis=2)
    heights = np.diff(np.append(rows, pixels.shape[0]))
    widths = np.diff(np.append(columns, pixels.shape[1]))
    means = sums / np.maximum(np.outer(heights, widths), 1)
    return np.asarray(means[:, 1:] > means[:, :-1]).ravel()


def near_duplicates(photos: Sequence[Photo]) -> list[list[int]]:
    """Return the photos in groups, as positions; most groups have one member.

    Two photos share a group when a chain of near duplicates (at most 48 of 256 bits differ)
    joins them. Groups, and members in them, are in the order of their content's sha256.
    """
    order = sorted(range(len(photos)), key=lambda place: photos[place].sha256)
    # Of vectors of +1 and -1 the product is (equal bits - different bits).
    signs = np.array([photos[place].hash for place in order]).astype(np.float32) * 2 - 1
    label = np.arange(len(order))  # the first member of each one's group
    for start in range(0, len(order), 1024):
        near = signs[start : start + 1024] @ signs.T >= signs.shape[1] - 2 * NEAR_BITS
        for row in near[near.sum(axis=1) > 1]:
            joined = np.unique(label[row])
            label[np.isin(label, joined)] = joined[0]
    groups: dict[int, list[int]] = {}
    for place, first in zip(order, label.tolist(), strict=True):
        groups.setdefault(first, []).append(place)
    return list(groups.values())


def plan(photos: Sequence[Photo], *, scale: int, min_side: int) -> list[Piece]:
    """Return the pieces of all photos with their sides of the split, ordered by content.

    Of n photos, n * 15 / 100 rounded half up validate and as many test; the rest trains. A group
    of near duplicates goes whole to the first of validation and test that has room for it, else
    to training; a side that stays empty so gets the smallest group. Photos are cut when they are
    fewer than 7, or fewer than 3 groups; nothing is then kept for a test, and a photo too short
    to spare 32 px beside `min_side` trains whole. Sides are multiples of `scale` if the photos'
    are. The names and the order of the photos play no part, but for photos of equal content.
    """
    groups = near_duplicates(photos)
    if len(photos) < WHOLE_PHOTOS or len(groups) < 3:
        return [piece for group in groups for piece in _cut(photos, group, scale, min_side)]
    return [
        Piece(place, split, 0, 0, photos[place].height, photos[place].width)
        for split, members in _sides(groups, len(photos)).items()
        for group in members
        for place in group
    ]


def _sides(groups: list[list[int]], photos: int) -> dict[Split, list[list[int]]]:
    room = (photos * HELD_BACK_PERCENT + 50) // 100
    train: list[list[int]] = []
    validation: list[list[int]] = []
    test: list[list[int]] = []
    for group in groups:
        for side in (validation, test):
            if sum(map(len, side)) + len(group) <= room:
                side.append(group)
                break
        else:
            train.append(group)
    for side, other in ((validation, test), (test, validation)):
        if not side:
            donor = train if len(train) > 1 else other
            smallest = min(donor, key=len)
            donor.remove(smallest)
            side.append(smallest)
    return {"train": train, "validation": validation, "test": test}


def _cut(photos: Sequence[Photo], group: list[int], scale: int, min_side: int) -> list[Piece]:
    """Cut near duplicates at one share of their lengths: no twin trains on what is held back."""
    along_rows = photos[group[0]].height > photos[group[0]].width
    lengths = [photos[place].height if along_rows else photos[place].width for place in group]
    share = max(Fraction(_held_back(length, scale, min_side), length) for length in lengths)
    pieces = []
    for place, length in zip(group, lengths, strict=True):
        photo, held = photos[place], math.ceil(share * length / scale) * scale
        if length - held >= min_side:
            pieces.append(_part(place, photo, "train", along_rows, 0, length - held))
        if held >= SMALLEST_CUT:
            pieces.append(_part(place, photo, "validation", along_rows, length - held, held))
    return pieces


def _part(
    place: int, photo: Photo, split: Split, along_rows: bool, start: int, length: int
) -> Piece:
    if along_rows:
        return Piece(place, split, start, 0, length, photo.width)
    return Piece(place, split, 0, start, photo.height, length)


def _held_back(length: int, scale: int, min_side: int) -> int:
    wanted = max(length * CUT_PERCENT // 100, CUT_SIDE)
    spare = min(-(-wanted // scale) * scale, (length - min_side) // scale * scale)
    return spare if spare >= SMALLEST_CUT else 0
