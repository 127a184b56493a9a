"""Regions of a picture that stay as plain interpolation makes them: a mask beside its channels.

The mask is one more channel of the stream, enlarged with the picture, so that any number of passes
and any size of picture work, and taken off at the end.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from upres.errors import BadPicture
from upres.images.opening import open_picture
from upres.images.resize import resize_float
from upres.upscaling.layout import EnlargeRGB, Layout, through_rgb
from upres.upscaling.streams import Floats, RowWindow, Stream, mapped, unit_range

REACH = 4  # LR px of a bicubic enlargement


def with_mask(stream: Stream, path: Path) -> Stream:
    """Return the stream with the mask in the file `path` as its last channel.

    White stays plain, black goes through the network, grey lies between.
    Raises BadPicture for a mask of another size than the picture, or one that is no picture.
    """
    mask = open_picture(path)
    if (mask.width, mask.height) != (stream.width, stream.height):
        raise BadPicture(
            f"{path} is {mask.width}x{mask.height}, but the picture is "
            f"{stream.width}x{stream.height}; a mask has a pixel for each of the picture."
        )
    colours = 3 if mask.colours == 3 else 1
    grey = (unit_range(block)[..., :colours].mean(2, keepdims=True) for block in mask.blocks())
    window = RowWindow(Stream(stream.height, stream.width, 1, grey))
    return replace(stream, channels=stream.channels + 1, blocks=_joined(stream.blocks, window))


def without_mask(stream: Stream) -> Stream:
    """Return the stream less its last channel."""
    return replace(mapped(stream, lambda block: block[..., :-1]), channels=stream.channels - 1)


def through_mask(tile: Floats, layout: Layout, enlarge: EnlargeRGB, scale: int) -> Floats:
    """Return (scale*h, scale*w, channels + 1) of a tile whose last channel is the mask."""
    picture, mask = tile[..., :-1], tile[..., -1:]
    large = plain(mask, scale).clip(0, 1)
    if mask.min() == 1:  # nothing of it is the network's
        sr = through_rgb(picture, layout, lambda rgb: plain(rgb, scale))
    else:
        sr = through_rgb(picture, layout, enlarge)
        if mask.max() > 0:
            still = through_rgb(picture, layout, lambda rgb: plain(rgb, scale))
            sr = sr + large * (still - sr)
    return np.concatenate([sr, large], axis=2)


def plain(lr: Floats, scale: int) -> Floats:
    """Return the picture (h, w, c) enlarged by MATLAB's bicubic, not clamped."""
    height, width = lr.shape[:2]
    return resize_float(lr.astype(np.float64), height * scale, width * scale, "matlab").astype(
        np.float32
    )


def _joined(blocks: Iterator[Floats], mask: RowWindow) -> Iterator[Floats]:
    top = 0
    for block in blocks:
        yield np.concatenate([block, mask.read(top, top + len(block))], axis=2)
        top += len(block)
