"""Which photo, or which part of it, trains, validates and tests: decided by content alone.

Photos of at least `WHOLE_PHOTOS` are parted 70/15/15 by number of photos, near duplicates on one
side. Fewer photos are each cut in two along their longer side: a training and a validation part.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from upres.data.crops import Pixels

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
HELD_BACK: tuple[Split, Split] = ("validation", "test")
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
BLOCK = 1024  # photos that are compared with as many others at a time


@dataclass(frozen=True, slots=True)
class Photo:
    """What decides a photo's place: its pixels' sha256, size in pixels and difference hash."""

    sha256: str
    height: int
    width: int
    looks: bytes  # the 256 bits of `difference_hash`, packed into 32 bytes


@dataclass(frozen=True, slots=True)
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


def packed(bits: Hash) -> bytes:
    """Return 256 bits as 32 bytes."""
    return np.packbits(bits).tobytes()


def near_duplicates(photos: Sequence[Photo]) -> list[list[int]]:
    """Return the photos in groups, as positions; most groups have one member.

    Two photos share a group when a chain of near duplicates (at most 48 of 256 bits differ)
    joins them. Groups, and members in them, are in the order of their content's sha256. Every
    photo is compared with every other, a block of them at a time: the time grows with the square
    of their number, the memory by 40 bytes a photo.
    """
    order = sorted(range(len(photos)), key=lambda place: photos[place].sha256)
    looks = as_rows(photos[place].looks for place in order)
    label = np.arange(len(order))  # the first member of each one's group
    for start in range(0, len(order), BLOCK):
        signs = _signs(looks[start : start + BLOCK])
        for other in range(start, len(order), BLOCK):
            _join(label, start, other, _near(signs, looks[other : other + BLOCK]))
    groups: dict[int, list[int]] = {}
    for place, first in zip(order, label.tolist(), strict=True):
        groups.setdefault(first, []).append(place)
    return list(groups.values())


def near_any(looks: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row of `looks` whether it is a near duplicate of any row of `others`.

    looks, others: packed difference hashes, (n, 32) and (m, 32).
    """
    near = np.zeros(len(looks), np.bool_)
    for start in range(0, len(looks), BLOCK):
        signs = _signs(looks[start : start + BLOCK])
        for other in range(0, len(others), BLOCK):
            near[start : start + BLOCK] |= _near(signs, others[other : other + BLOCK]).any(axis=1)
    return near


def as_rows(looks: Iterable[bytes]) -> NDArray[np.uint8]:
    """Return packed difference hashes as (n, 32)."""
    return np.frombuffer(b"".join(looks), np.uint8).reshape(-1, GRID * GRID // 8)


def _signs(looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bits as +1 and -1: the product of two is (equal bits - different bits)."""
    return np.unpackbits(looks, axis=1).astype(np.float32) * 2 - 1


def _near(signs: NDArray[np.float32], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows are near which: (n, 256) and (m, 32) -> (n, m)."""
    return signs @ _signs(others).T >= GRID * GRID - 2 * NEAR_BITS


def _join(label: NDArray[np.int64], start: int, other: int, near: NDArray[np.bool_]) -> None:
    """Give one label to what is near: rows are photos from `start`, columns those from `other`."""
    rows, columns = near.shape
    if start != other and not near.any():
        return
    while True:
        mine, others = label[start : start + rows], label[other : other + columns]
        apart = near & (mine[:, None] != others[None, :])
        found = np.flatnonzero(apart.any(axis=1))
        if not found.size:
            return
        for row, column in zip(found, apart[found].argmax(axis=1), strict=True):
            first, second = sorted((int(label[start + row]), int(label[other + column])))
            label[label == second] = first


def plan(
    photos: Sequence[Photo], groups: Sequence[list[int]], *, scale: int, min_side: int
) -> list[Piece]:
    """Return the pieces of all photos with their sides of the split, ordered by content.

    groups: what `near_duplicates` finds among the photos. Of n photos, n * 15 / 100 rounded half
    up validate and as many test; the rest trains. A group goes whole to the first of validation
    and test that has room for it, else to training; a side that stays empty so gets the smallest
    group. Photos are cut when they are fewer than 7, or fewer than 3 groups; nothing is then kept
    for a test, and a photo too short to spare 32 px beside `min_side` trains whole. Sides are
    multiples of `scale` if the photos' are. The names and the order of the photos play no part,
    but for photos of equal content.
    """
    if len(photos) < WHOLE_PHOTOS or len(groups) < 3:
        return [piece for group in groups for piece in cut(photos, group, scale, min_side)]
    return [
        whole(photos, place, split)
        for split, members in part_whole(groups, len(photos)).items()
        for group in members
        for place in group
    ]


def part_whole(
    groups: Sequence[list[int]], photos: int, taken: Mapping[Split, int] = MappingProxyType({})
) -> dict[Split, list[list[int]]]:
    """Return groups of photos on their sides, in the order in which they come.

    photos: of all sides in the end. taken: photos that are on a side already.
    """
    room = (photos * HELD_BACK_PERCENT + 50) // 100
    sides: dict[Split, list[list[int]]] = {split: [] for split in SPLITS}
    counts = Counter(taken)
    for group in groups:
        fitting = [side for side in HELD_BACK if counts[side] + len(group) <= room]
        side = fitting[0] if fitting else "train"
        sides[side].append(group)
        counts[side] += len(group)
    for side, other in (HELD_BACK, HELD_BACK[::-1]):
        donor = sides["train"] if len(sides["train"]) > 1 else sides[other]
        if not counts[side] and donor:
            smallest = min(donor, key=len)
            donor.remove(smallest)
            sides[side].append(smallest)
    return sides


def whole(photos: Sequence[Photo], place: int, split: Split) -> Piece:
    """Return all of a photo as one piece."""
    return Piece(place, split, 0, 0, photos[place].height, photos[place].width)


def cut(photos: Sequence[Photo], group: list[int], scale: int, min_side: int) -> list[Piece]:
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
