"""Rows that are computed one after another as an image of libvips, in bounded memory.

libvips takes pixels from files and from memory, not from a function. So the rows of a large picture
go to it through a pipe, as a PNG that is not compressed, which it reads as a stream: nothing is
gathered, and what encodes them runs beside what computes them. Those of a small one are gathered,
which is quicker than all that.
"""

import itertools
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, BinaryIO

import numpy as np
import pyvips
from numpy.typing import NDArray

Rows = NDArray[np.uint8 | np.uint16 | np.float32]

FORMATS: dict[str, str] = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
GATHERED = 16_000_000  # bytes of a picture that is small
_DRAINED = 1 << 20  # bytes


def consumed(
    blocks: Iterable[Rows],
    width: int,
    height: int,
    bands: int,
    kind: type[np.generic],
    consume: Callable[[Any], None],
) -> None:
    """Give `consume` the rows as an image that can be read once, from top to bottom.

    blocks: (rows, width, bands) of type `kind`, in all `height` rows. They are taken in this
    thread; `consume` runs in another one, or afterwards. What either raises is raised here, and no
    more rows are taken once `consume` has ended. Raises ValueError where rows are missing.
    """
    pyvips.cache_set_max(0)  # it would keep pixels and pipes; nothing here is asked for twice
    values = np.dtype(kind)
    if height * width * bands * values.itemsize <= GATHERED:
        rows = np.concatenate(list(blocks))
        _check_rows(len(rows), height)
        consume(pyvips.Image.new_from_memory(rows, width, height, bands, FORMATS[values.name]))
    else:
        _check_rows(_piped(blocks, width, height, bands, values, consume), height)


def _piped(
    blocks: Iterable[Rows],
    width: int,
    height: int,
    bands: int,
    values: np.dtype[Any],
    consume: Callable[[Any], None],
) -> int:
    """Give the rows through a pipe, and return how many came."""
    read_end, write_end = os.pipe()
    ended = Event()
    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(_consume, read_end, bands, values, consume, ended)
        wanted = itertools.takewhile(lambda _block: not ended.is_set(), blocks)
        with os.fdopen(write_end, "wb") as pipe:
            written = _write_png(pipe, wanted, width * bands * values.itemsize, height)
        done.result()
    return written


def _check_rows(came: int, told: int) -> None:
    if came != told:
        raise ValueError(f"{came} rows came; {told} were told")


def _consume(
    read_end: int,
    bands: int,
    values: np.dtype[Any],
    consume: Callable[[Any], None],
    ended: Event,
) -> None:
    try:
        source = pyvips.Source.new_from_descriptor(read_end)
        image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="truncated")
        image = image.bandfold(factor=bands * values.itemsize)
        consume(image.copy(bands=bands, format=FORMATS[values.name]))
    finally:
        ended.set()
        while os.read(read_end, _DRAINED):  # or the writer would wait for ever
            pass
        os.close(read_end)


def _write_png(pipe: BinaryIO, blocks: Iterable[Rows], row_bytes: int, height: int) -> int:
    """Write the rows' bytes as a grey 8-bit PNG of this many bytes a row; return how many came."""
    pipe.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(pipe, b"IHDR", struct.pack(">IIBBBBB", row_bytes, height, 8, 0, 0, 0, 0))
    stored, written = zlib.compressobj(0), 0
    for block in blocks:
        unfiltered = np.zeros((len(block), 1 + row_bytes), np.uint8)  # a row begins with its filter
        unfiltered[:, 1:] = np.ascontiguousarray(block).view(np.uint8).reshape(len(block), -1)
        _write_chunk(pipe, b"IDAT", stored.compress(unfiltered.data))
        written += len(block)
    if written == height:
        _write_chunk(pipe, b"IDAT", stored.flush())
        _write_chunk(pipe, b"IEND", b"")
    return written


def _write_chunk(pipe: BinaryIO, kind: bytes, data: bytes) -> None:
    pipe.write(struct.pack(">I", len(data)) + kind)
    pipe.write(data)
    pipe.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
