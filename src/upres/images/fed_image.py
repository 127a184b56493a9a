"""Rows that are computed one after another as an image of libvips, in bounded memory.

libvips takes pixels from files and from memory, not from a function. The rows go to it through a
pipe instead, as a PNG that is not compressed, which it reads as a stream: nothing is gathered, and
what encodes them runs beside what computes them.
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
    thread; `consume` runs in another one. What either raises is raised here, and no more rows are
    taken once `consume` has ended. Raises ValueError where rows are missing.
    """
    values = np.dtype(kind)
    read_end, write_end = os.pipe()
    ended = Event()
    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(_consume, read_end, bands, values, consume, ended)
        wanted = itertools.takewhile(lambda _block: not ended.is_set(), blocks)
        with os.fdopen(write_end, "wb") as pipe:
            written = _write_png(pipe, wanted, width * bands * values.itemsize, height)
        done.result()
    if written != height:
        raise ValueError(f"{written} rows came; {height} were told")


def _consume(
    read_end: int,
    bands: int,
    values: np.dtype[Any],
    consume: Callable[[Any], None],
    ended: Event,
) -> None:
    pyvips.cache_set_max(0)  # the cache would keep pipes open; nothing here is asked for twice
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
