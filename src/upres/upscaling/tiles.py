"""How an axis of a picture is cut into tiles: what is read, and which part of it is kept."""

ALIGNMENT = 4  # tiles begin at multiples of it, so that a pixel-unshuffle sees the same phase


def spans(length: int, tile: int, overlap: int) -> list[tuple[slice, slice]]:
    """Return (read, keep) of each tile along an axis of `length`, in LR pixels.

    At most `tile` pixels are kept of each, and `overlap` pixels of true surroundings are read with
    them; both are rounded up to multiples of 4. Tiles are about equally large.
    Raises ValueError for a tile below 1 or a negative overlap.
    """
    if tile < 1 or overlap < 0:
        raise ValueError(f"tile is {tile} and overlap {overlap}; expected at least 1 and 0")
    count = -(-length // aligned(tile))
    step = aligned(-(-length // count))
    context = aligned(overlap)
    return [
        (
            slice(max(0, start - context), min(length, start + step + context)),
            slice(start, min(length, start + step)),
        )
        for start in range(0, length, step)
    ]


def aligned(pixels: int) -> int:
    """Return `pixels` rounded up to the multiple that tiles begin at."""
    return -(-pixels // ALIGNMENT) * ALIGNMENT
