"""Pictures as text inside a page, as good as fits into a number of bytes."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from upres.report.crops import Box, choose_boxes, rows_to_compare, spread
from upres.report.pictures import HR, LR, ReportPicture

Encode = Callable[[NDArray[np.uint8]], str]

CROP_SIDE = 96  # HR px: the side of a zoomed crop; a multiple of 2, 3, 4 and 8
SAMPLE_SIDE = 144  # HR px: the side of a sample; the same holds
SAMPLES = 4  # pictures of which there is one


@dataclass(frozen=True)
class Detail:
    """How much of the pictures is shown: how many, how large a window of each, how exactly."""

    pictures: int
    long_side: int  # HR px of the window; the short side is three quarters
    jpeg_quality: int | None  # None keeps every pixel; JPEG is written without chroma subsampling
    crops: int


# Tried in this order until the page is small enough.
DETAILS = (
    Detail(12, 768, None, 2),
    Detail(12, 768, 93, 2),
    Detail(8, 768, 90, 2),
    Detail(6, 640, 88, 2),
    Detail(4, 640, 85, 2),
    Detail(2, 512, 80, 1),
    Detail(1, 384, 70, 1),
)


@dataclass(frozen=True)
class Layer:
    """One row of one picture: its name and its pixels as a data address."""

    row: str
    source: str
    pixelated: bool  # pixels are shown as squares instead of being smoothed


@dataclass(frozen=True)
class Crop:
    """A zoomed part of a picture, once a row, and where it lies in the window."""

    box: Box
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture ready for the page: a window of it and the zoomed crops inside.

    sample: a larger part for the grid of several pictures, of the first few.
    """

    name: str
    dataset: str
    size: tuple[int, int]  # (H, W) of the whole picture
    window: Box
    layers: tuple[Layer, ...]
    crops: tuple[Crop, ...]
    sample: Crop | None


def embed_pictures(
    pictures: Sequence[ReportPicture], *, order: Sequence[str], budget: int
) -> tuple[list[EmbeddedPicture], Detail]:
    """The first pictures, as many and as exact as `budget` bytes of text allow.

    order: names of rows that come first, in this order. Every picture has the layers LR (if it is
    there and no row shows it as "nearest"), its rows, HR. Not one where not one fits.
    """
    for detail in DETAILS:
        made = (
            _embed(picture, order, detail, sampled=place < SAMPLES)
            for place, picture in enumerate(pictures[: detail.pictures])
        )
        embedded = _within(budget, made)
        if embedded is not None:
            return embedded, detail
    return [], DETAILS[-1]


def _within(budget: int, pictures: Iterator[EmbeddedPicture]) -> list[EmbeddedPicture] | None:
    embedded, used = [], 0
    for picture in pictures:
        parts = [*picture.crops, *([picture.sample] if picture.sample else [])]
        layers = [*picture.layers, *(layer for crop in parts for layer in crop.layers)]
        used += sum(len(layer.source) for layer in layers)
        if used > budget:
            return None
        embedded.append(picture)
    return embedded


def _embed(
    picture: ReportPicture, order: Sequence[str], detail: Detail, *, sampled: bool
) -> EmbeddedPicture:
    names = [row for row in dict.fromkeys((*order, *picture.rows)) if row in picture.rows]
    seen = [picture.rows[row] for row in rows_to_compare(names)] or [picture.hr]
    differences = spread(seen)
    height, width = picture.hr.shape[:2]
    sides = (detail.long_side * 3 // 4, detail.long_side)
    window_h, window_w = sides if width >= height else sides[::-1]
    window = choose_boxes(
        differences, height=window_h, width=window_w, count=1, grid=picture.scale
    )[0]

    def lossless_crops(side: int, count: int) -> tuple[Crop, ...]:
        side = min(side, window.height, window.width)
        boxes = choose_boxes(
            window.of(differences), height=side, width=side, count=count, grid=picture.scale
        )
        return tuple(
            Crop(box, _layers(picture, names, _moved(box, window), lossless)) for box in boxes
        )

    return EmbeddedPicture(
        name=picture.name,
        dataset=picture.dataset,
        size=(height, width),
        window=window,
        layers=_layers(picture, names, window, _encoder(detail.jpeg_quality)),
        crops=lossless_crops(CROP_SIDE, detail.crops),
        sample=lossless_crops(SAMPLE_SIDE, 1)[0] if sampled else None,
    )


def _layers(
    picture: ReportPicture, names: Sequence[str], box: Box, encode: Encode
) -> tuple[Layer, ...]:
    layers = [Layer(row, encode(box.of(picture.rows[row])), row == "nearest") for row in names]
    if picture.lr is not None and "nearest" not in picture.rows:  # they look the same
        layers.insert(0, Layer(LR, lossless(box.shrunk(picture.scale).of(picture.lr)), True))
    return (*layers, Layer(HR, encode(box.of(picture.hr)), False))


def _moved(box: Box, window: Box) -> Box:
    return Box(box.top + window.top, box.left + window.left, box.height, box.width)


def _encoder(jpeg_quality: int | None) -> Encode:
    if jpeg_quality is None:
        return lossless

    def encode(pixels: NDArray[np.uint8]) -> str:
        data = _image(pixels).jpegsave_buffer(Q=jpeg_quality, subsample_mode="off")
        return _address("image/jpeg", data)

    return encode


def lossless(pixels: NDArray[np.uint8]) -> str:
    """The pixels (H, W, 3) as a data address of a WebP picture that keeps every value."""
    return _address("image/webp", _image(pixels).webpsave_buffer(lossless=True, effort=2))


def _image(pixels: NDArray[np.uint8]) -> Any:
    height, width, bands = pixels.shape
    data = np.ascontiguousarray(pixels).data
    image = pyvips.Image.new_from_memory(data, width, height, bands, "uchar")
    return image.copy(interpretation="srgb")


def _address(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
