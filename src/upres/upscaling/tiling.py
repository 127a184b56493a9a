"""How large tiles are and how far they overlap: pure functions of sizes."""

from collections.abc import Callable
from typing import Final

from upres.upscaling.streams import BLOCK_ROWS
from upres.upscaling.tiles import Tiling, aligned

TILE: Final = 256  # LR px; larger ones fall out of the processor's cache
SEEN_WHOLE: Final = 48  # LR px; up to this radius tiles overlap by all that the network sees
DEEP_OVERLAP: Final = 40  # LR px, of networks that see further (RRDBNet-23: about 350)
DEEP_BLEND: Final = 16  # LR px to each side of a seam, where their tiles fade into each other
EXACT_OVERLAP: Final = 80  # LR px, of the same networks: less than one level of 255 is left
WHOLE: Final = 360 * 360  # LR px; up to this size in one piece: cutting costs more than the cache
WHOLE_DEEP: Final = 512 * 512  # LR px; the same of networks that see further
SIDES: Final = (256, 192, 128, 96, 64, 48, 32, 16)  # LR px
FILES: Final = 150_000_000  # bytes that decoder, encoder and what they wait for take
ROOM: Final = 0.5  # of the memory for pictures that one may take; another is begun meanwhile
FLOAT: Final = 4  # bytes
COPIES: Final = 4  # of a tile's result, and of a block of rows, that exist at once


def context_of(radius: int, *, exact: bool = False) -> tuple[int, int]:
    """Return overlap and blend, in LR pixels, of tiles of a network that sees `radius` pixels.

    Up to 48 the overlap is the radius, and the result that of the whole picture. Beyond, 40 with a
    blend of 16; exact: 80, which leaves less than a level of 255. Hard seams of RealESRGAN_x4plus
    on crops of two photos were off by up to 7.2 levels at 32, 1.3 at 64, 0.36 at 80.
    """
    if radius <= SEEN_WHOLE:
        return radius, 0
    return min(radius, EXACT_OVERLAP if exact else DEEP_OVERLAP), DEEP_BLEND


def choose_tiling(
    height: int,
    width: int,
    *,
    overlap: int,
    blend: int = 0,
    tile: int | None = None,
    fits: Callable[[Tiling], bool] = lambda tiling: True,
) -> Tiling:
    """Return the tiling of a picture of (height, width) LR pixels.

    tile: the side that was asked for, 0 for the whole picture at once, None to choose: 256, or of
    the tiles that fit, the one that reads least around what it keeps. Small pictures go through
    whole. Where nothing fits, the smallest tiles.
    """
    whole = Tiling(aligned(height), aligned(width), overlap, blend)
    small = height * width <= (WHOLE_DEEP if blend else WHOLE)
    if tile == 0 or (tile is None and small and fits(whole)):
        return whole
    square = Tiling(aligned(tile or TILE), aligned(tile or TILE), overlap, blend)
    if tile or fits(square):
        return square
    choices = [
        Tiling(rows, columns, overlap, blend)
        for rows in SIDES
        for columns in (*SIDES, *(TILE * TILE // side for side in SIDES if side < TILE))
        if rows * columns <= TILE * TILE
    ]
    fitting = [choice for choice in choices if fits(choice)]
    if not fitting:
        return Tiling(SIDES[-1], SIDES[-1], overlap, blend)
    return min(fitting, key=lambda choice: _read_share(choice, height, width))


def _read_share(tiling: Tiling, height: int, width: int) -> float:
    """Return the pixels that are read for one that is kept."""
    share = 1.0
    for side, length in ((tiling.rows, height), (tiling.columns, width)):
        kept = min(side, length)
        share *= min(length, kept + 2 * tiling.overlap) / kept
    return share


def room_for_rows(memory: int) -> int:
    """Return the bytes that one picture's rows and tiles may take of the `memory` for pictures."""
    return max(0, min(round(ROOM * memory), memory - FILES))


def bytes_needed(
    tiling: Tiling, width: int, channels: int, scale: int, bytes_per_pixel: float
) -> int:
    """Return the memory that a stream `width` LR pixels wide takes while it is enlarged.

    channels: of the picture. bytes_per_pixel: of the network at its height, per LR pixel of a tile.
    """
    return rows_needed(tiling, width, channels, scale) + tile_needed(
        tiling, width, channels, scale, bytes_per_pixel
    )


def rows_needed(tiling: Tiling, width: int, channels: int, scale: int) -> int:
    """Return the bytes of the rows that are kept: of the picture, and of its enlargement."""
    window = 2 * (tiling.rows + 2 * tiling.overlap + BLOCK_ROWS) * width
    band = (tiling.rows + 4 * tiling.blend) * scale * width * scale
    blocks = COPIES * BLOCK_ROWS * width * scale
    return (window + band + blocks) * channels * FLOAT


def tile_needed(
    tiling: Tiling, width: int, channels: int, scale: int, bytes_per_pixel: float
) -> int:
    """Return the bytes of one tile in the network and while its result is finished."""
    columns = min(tiling.columns, aligned(width)) + 2 * tiling.overlap
    pixels = (tiling.rows + 2 * tiling.overlap) * columns
    return round(pixels * (bytes_per_pixel + COPIES * scale * scale * max(channels, 3) * FLOAT))
