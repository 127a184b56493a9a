"""How an axis of a picture is cut into tiles: what is read, and which part of it is used."""

from dataclasses import dataclass

ALIGNMENT = 4  # tiles begin at multiples of it, so that a pixel-unshuffle sees the same phase


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut, in LR pixels.

    rows, columns: of a tile, at most. overlap: of true surroundings that are read around it.
    blend: to each side of a seam, where one tile fades into the next; not more than `overlap`.
    """

    rows: int
    columns: int
    overlap: int
    blend: int = 0


@dataclass(frozen=True)
class Span:
    """A tile along an axis: what is read, and the part of it that goes into the picture.

    Covers of neighbours share their blend; without one every pixel is covered once.
    """

    read: slice
    cover: slice


def spans(length: int, tile: int, overlap: int, blend: int = 0) -> list[Span]:
    """Return the tiles along an axis of `length`, in LR pixels.

    Tiles are about equally large, `tile` pixels at most; all numbers are rounded up to multiples
    of 4. The blend shrinks where tiles are smaller than two of it.
    Raises ValueError for a tile below 1, a negative overlap, or a blend outside 0..overlap.
    """
    return spans_within(length, slice(0, length), tile, overlap, blend)


def spans_within(length: int, place: slice, tile: int, overlap: int, blend: int = 0) -> list[Span]:
    """Return the tiles that cover `place` of an axis of `length`; all of the axis can be read.

    `place` begins at a multiple of 4. Raises as `spans`.
    """
    if tile < 1 or not 0 <= blend <= overlap:
        raise ValueError(
            f"tile is {tile}, overlap {overlap} and blend {blend}; "
            f"expected at least 1, and 0 <= blend <= overlap"
        )
    extent = place.stop - place.start
    count = -(-extent // aligned(tile))
    step = aligned(-(-extent // count))
    faded = min(aligned(blend), step // 2 // ALIGNMENT * ALIGNMENT)
    context = aligned(overlap)
    found = []
    for start in range(place.start, place.stop, step):
        stop = min(place.stop, start + step)
        read = slice(max(0, start - context), min(length, stop + context))
        cover = slice(max(place.start, start - faded), min(place.stop, stop + faded))
        found.append(Span(read, cover))
    return found


def aligned(pixels: int) -> int:
    """Return `pixels` rounded up to the multiple that tiles begin at."""
    return -(-pixels // ALIGNMENT) * ALIGNMENT
