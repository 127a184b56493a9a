"""Which side of the split photos take that join a store: what is there already stays where it is.

A run that went on after an addition, or weights from before it, must not be judged on photos that
they were trained on. So a photo of the older store keeps its side (and its cut), near duplicates
of it join it, and only photos that are like none of the old ones fill validation and test up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from upres.data.split import (
    SPLITS,
    WHOLE_PHOTOS,
    Photo,
    Piece,
    Split,
    cut,
    part_whole,
    whole,
)

Settled: TypeAlias = Mapping[int, Sequence[Piece]]  # at least one piece a photo


def plan_addition(
    photos: Sequence[Photo],
    groups: Sequence[list[int]],
    settled: Settled,
    *,
    living: int,
    scale: int,
    min_side: int,
) -> tuple[list[Piece], list[int]]:
    """Return the pieces as `split.plan` does, and the photos that fit on no side.

    photos: those that the folder has now, then those that only the older store had; `living` is
    the number of the former. groups: the near duplicates among all of them. settled: the pieces
    of both as the older store had them; a photo that is gone still tells its near duplicates their
    side. A new photo fits on no side when it is a near duplicate of photos on two sides, or of one
    that is cut. The sides are filled up to the shares of `split.plan`; with fewer than 7 photos in
    all, or fewer than 3 groups, new photos are cut. A side may stay empty.
    """
    pieces: list[Piece] = []
    unfit: list[int] = []
    free: list[list[int]] = []
    for group in groups:
        present = [place for place in group if place < living]
        pieces += [piece for place in present for piece in settled.get(place, ())]
        new = [place for place in present if place not in settled]
        sides = _sides_of_whole(group, photos, settled)
        if len(sides) > 1 or any(_is_cut(place, photos, settled) for place in present):
            unfit += new
        elif sides:
            pieces += [whole(photos, place, side) for place in new for side in sides]
        elif new:
            free.append(new)
    scenes = sum(any(place < living for place in group) for group in groups)
    if living < WHOLE_PHOTOS or scenes < 3:
        pieces += [piece for group in free for piece in cut(photos, group, scale, min_side)]
    else:
        taken = Counter(piece.split for piece in pieces)
        for split, members in part_whole(free, living, taken).items():
            pieces += [whole(photos, place, split) for group in members for place in group]
    rank = {place: order for order, place in enumerate(p for group in groups for p in group)}
    pieces.sort(key=lambda piece: (SPLITS.index(piece.split), rank[piece.photo]))
    return pieces, unfit


def _sides_of_whole(group: list[int], photos: Sequence[Photo], settled: Settled) -> set[Split]:
    """The sides on which photos of the group stand that are not cut, gone ones included."""
    uncut = [place for place in group if not _is_cut(place, photos, settled)]
    return {piece.split for place in uncut for piece in settled.get(place, ())}


def _is_cut(place: int, photos: Sequence[Photo], settled: Settled) -> bool:
    photo = photos[place]
    sizes = [(piece.height, piece.width) for piece in settled.get(place, ())]
    return bool(sizes) and sizes != [(photo.height, photo.width)]
