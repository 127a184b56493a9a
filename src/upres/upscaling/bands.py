"""A stream through a function that enlarges tiles, a band of tiles at a time.

Each tile is computed with `overlap` pixels of its true surroundings, which are cut off again. An
overlap as large as what the function sees around a pixel makes the result that of the whole
picture; where that is not affordable, tiles fade into each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from upres.upscaling.blending import crossed, lay
from upres.upscaling.streams import BLOCK_ROWS, Floats, RowWindow, Stream
from upres.upscaling.tiles import Span, Tiling, spans, spans_within

EnlargeTile = Callable[[Floats], Floats]  # (h, w, c) to (scale*h, scale*w, channels)
TileDone = Callable[[int, int], None]  # tiles done, tiles in all

LEAST_TILE = 16  # LR px: below it, halving does not save what is missing


def enlarged(
    stream: Stream,
    enlarge: EnlargeTile,
    *,
    scale: int,
    tiling: Tiling,
    channels: int | None = None,
    done: TileDone = lambda count, total: None,
) -> Stream:
    """Return the stream `scale` times as large.

    channels: of what `enlarge` gives, if not those of the stream. A tile that does not fit into
    memory is halved, again and again down to 16 pixels, and those after it are as small from the
    start; where even that does not fit, MemoryError passes.
    """
    channels = stream.channels if channels is None else channels
    painter = _Painter(enlarge, scale, channels, tiling)
    bands = _blocks(stream, painter, done)
    return Stream(stream.height * scale, stream.width * scale, channels, bands)


@dataclass
class _Painter:
    """How tiles of one picture are painted; `largest` falls where memory fails."""

    enlarge: EnlargeTile
    scale: int
    channels: int
    tiling: Tiling
    largest: int | None = None  # LR px a side of a tile's cover that is tried


def _blocks(stream: Stream, painter: _Painter, done: TileDone) -> Iterator[Floats]:
    tiling, scale = painter.tiling, painter.scale
    rows = spans(stream.height, tiling.rows, tiling.overlap, tiling.blend)
    columns = spans(stream.width, tiling.columns, tiling.overlap, tiling.blend)
    window, count = RowWindow(stream), 0
    carried = np.empty((0, stream.width * scale, painter.channels), np.float32)

    def one_done() -> None:
        nonlocal count
        count += 1
        done(count, len(rows) * len(columns))

    for row, after in zip(rows, [*rows[1:], None], strict=True):
        part = window.read(row.read.start, row.read.stop)
        band = _painted(painter, part, [_moved(row, row.read.start)], columns, one_done)
        del part  # what is left of the window is enough
        if len(carried):
            band[: len(carried)] = crossed(carried, band[: len(carried)], axis=0)
        ready = ((row.cover.stop if after is None else after.cover.start) - row.cover.start) * scale
        carried = band[ready:].copy()
        for top in range(0, ready, BLOCK_ROWS):
            block = band[top : min(top + BLOCK_ROWS, ready)]
            if top + BLOCK_ROWS >= ready:  # who holds the last block shall not hold the band
                block = block.copy()
                del band
            yield block


def _painted(
    painter: _Painter,
    part: Floats,
    rows: list[Span],
    columns: list[Span],
    one_done: Callable[[], None] = lambda: None,
) -> Floats:
    """Return all that the tiles of `rows` and `columns` cover, enlarged."""
    if len(rows) == len(columns) == 1:
        alone = _tile(painter, part[rows[0].read, columns[0].read], _inner(rows[0], columns[0]))
        one_done()
        return alone
    top, left = rows[0].cover.start, columns[0].cover.start
    scale = painter.scale
    size = (rows[-1].cover.stop - top, columns[-1].cover.stop - left)
    canvas = np.empty((size[0] * scale, size[1] * scale, painter.channels), np.float32)
    lower = 0
    for row in rows:
        begin, end = ((at - top) * scale for at in (row.cover.start, row.cover.stop))
        band = canvas if len(rows) == 1 else np.empty_like(canvas[begin:end])
        right = 0
        for column in columns:
            tile = part[row.read, column.read]
            piece = _tile(painter, tile, _inner(row, column))
            lay(band, piece, (column.cover.start - left) * scale, right, 1)
            right = (column.cover.stop - left) * scale
            one_done()
        if len(rows) > 1:
            lay(canvas, band, begin, lower, 0)
        lower = end
    return canvas


def _tile(painter: _Painter, part: Floats, cover: tuple[slice, slice]) -> Floats:
    """Return what is covered, enlarged; where memory fails, as four smaller ones."""
    side = max(place.stop - place.start for place in cover)
    if painter.largest is None or side <= painter.largest:
        try:
            sr = painter.enlarge(part)
        except MemoryError:
            if side <= LEAST_TILE:
                raise
            painter.largest = side - 1
        else:
            return sr[_scaled(cover[0], painter.scale), _scaled(cover[1], painter.scale)]
    tiling = painter.tiling
    smaller = [
        spans_within(length, place, -(-side // 2), tiling.overlap, tiling.blend)
        for length, place in zip(part.shape[:2], cover, strict=True)
    ]
    return _painted(painter, part, smaller[0], smaller[1])


def _inner(row: Span, column: Span) -> tuple[slice, slice]:
    """Return what is covered of a tile, as seen from its own corner."""
    return _moved(row, row.read.start).cover, _moved(column, column.read.start).cover


def _moved(span: Span, origin: int) -> Span:
    """Return the span as seen from `origin`."""
    return Span(
        slice(span.read.start - origin, span.read.stop - origin),
        slice(span.cover.start - origin, span.cover.stop - origin),
    )


def _scaled(place: slice, scale: int) -> slice:
    return slice(place.start * scale, place.stop * scale)
