"""A stream through a function that enlarges tiles, a band of tiles at a time.

Each tile is computed with `overlap` pixels of its true surroundings, which are cut off again. An
overlap as large as what the function sees around a pixel makes the result that of the whole
picture.
"""

from collections.abc import Callable, Iterator

import numpy as np

from upres.upscaling.streams import BLOCK_ROWS, Floats, RowWindow, Stream
from upres.upscaling.tiles import aligned, spans

EnlargeTile = Callable[[Floats], Floats]  # (h, w, c) to (scale*h, scale*w, channels)
TileDone = Callable[[int, int], None]  # tiles done, tiles in all


def enlarged(
    stream: Stream,
    enlarge: EnlargeTile,
    *,
    scale: int,
    tile: int,
    overlap: int,
    channels: int | None = None,
    done: TileDone = lambda count, total: None,
) -> Stream:
    """Return the stream `scale` times as large.

    tile, overlap: LR pixels (see `tiles.spans`). channels: of what `enlarge` gives, if not those
    of the stream. A tile that does not fit into memory is halved, again and again down to 16
    pixels; then its MemoryError passes.
    """
    channels = stream.channels if channels is None else channels
    bands = _bands(
        stream, enlarge, scale=scale, tile=tile, overlap=overlap, channels=channels, done=done
    )
    return Stream(stream.height * scale, stream.width * scale, channels, bands)


def _bands(
    stream: Stream,
    enlarge: EnlargeTile,
    *,
    scale: int,
    tile: int,
    overlap: int,
    channels: int,
    done: TileDone,
) -> Iterator[Floats]:
    rows = spans(stream.height, tile, overlap)
    columns = spans(stream.width, tile, overlap)
    window, count = RowWindow(stream), 0
    for read_rows, keep_rows in rows:
        part_of_picture = window.read(read_rows.start, read_rows.stop)
        height = (keep_rows.stop - keep_rows.start) * scale
        band = np.empty((height, stream.width * scale, channels), np.float32)
        for read_columns, keep_columns in columns:
            keep = (_moved(keep_rows, read_rows), _moved(keep_columns, read_columns))
            part = part_of_picture[:, read_columns]
            band[:, _scaled(keep_columns, scale)] = _halving(enlarge, part, keep, scale, overlap)
            count += 1
            done(count, len(rows) * len(columns))
        for top in range(0, height, BLOCK_ROWS):
            yield band[top : top + BLOCK_ROWS]


LEAST_TILE = 16  # LR px: below it, halving does not save what is missing


def _halving(
    enlarge: EnlargeTile, part: Floats, keep: tuple[slice, slice], scale: int, overlap: int
) -> Floats:
    """Return the kept part enlarged; where memory fails, as four smaller ones."""
    try:
        return enlarge(part)[_scaled(keep[0], scale), _scaled(keep[1], scale)]
    except MemoryError:
        side = max(place.stop - place.start for place in keep)
        if side <= LEAST_TILE:
            raise
    smaller = [
        _within(place, side // 2, overlap, length)
        for place, length in zip(keep, part.shape[:2], strict=True)
    ]
    rows = []
    for read_rows, keep_rows in smaller[0]:
        row = []
        for read_columns, keep_columns in smaller[1]:
            inner = (_moved(keep_rows, read_rows), _moved(keep_columns, read_columns))
            row.append(_halving(enlarge, part[read_rows, read_columns], inner, scale, overlap))
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows)


def _within(place: slice, tile: int, overlap: int, length: int) -> list[tuple[slice, slice]]:
    """Return (read, keep) of smaller tiles that cover `place` of an axis of `length`."""
    context = aligned(overlap)
    keeps = [
        slice(keep.start + place.start, keep.stop + place.start)
        for _, keep in spans(place.stop - place.start, tile, 0)
    ]
    return [
        (slice(max(0, keep.start - context), min(length, keep.stop + context)), keep)
        for keep in keeps
    ]


def _moved(place: slice, origin: slice) -> slice:
    return slice(place.start - origin.start, place.stop - origin.start)


def _scaled(place: slice, scale: int) -> slice:
    return slice(place.start * scale, place.stop * scale)
