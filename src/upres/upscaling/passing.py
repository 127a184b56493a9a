"""An open picture through the network to its final size: rows in, rows of the final type out."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from upres.errors import BadPicture
from upres.images.opening import BLOCK_ROWS, Opened, Rows, open_picture
from upres.images.soundness import check_jpeg_data
from upres.images.tone import ToneCurve, tone_curve
from upres.upscaling.layout import Layout
from upres.upscaling.masking import with_mask, without_mask
from upres.upscaling.resampling import resampled
from upres.upscaling.sizes import SizePlan
from upres.upscaling.streams import Floats, Stream, quantised, unit_range
from upres.upscaling.tile_network import Tally
from upres.upscaling.upscaler import Progress, Upscaler

KEPT = 16_000_000  # bytes of a picture that is decoded once


@dataclass(frozen=True)
class Range:
    """The values of a file that mean 0 and 1: those of its type, or of floats the extremes."""

    low: float = 0.0
    high: float = 1.0


def enlarged_rows(
    opened: Opened,
    upscaler: Upscaler,
    size: SizePlan,
    kind: type[np.uint8] | type[np.uint16] | type[np.float32],
    *,
    mask: Path | None = None,
    tally: Tally | None = None,
    progress: Progress = lambda done, total: None,
) -> Iterator[Rows]:
    """Yield the rows of all frames of `opened` at the planned size, in values of `kind`.

    mask: a picture of the same size, white where it stays as bicubic makes it.
    Float files keep their range: values beyond 0..1 are brought there for the network and back.
    Raises BadPicture for a damaged file and floats that are not finite, WorkFailed.
    """
    layout, span, blocks = _looked_at(opened)
    tone = tone_curve(opened.icc, opened.colours)
    count = -(-opened.height // BLOCK_ROWS)
    for _ in range(opened.frames):
        frame = (_unit(block, span, tone, layout) for block in itertools.islice(blocks, count))
        stream = Stream(opened.height, opened.width, layout.channels, frame)
        stream = with_mask(stream, mask) if mask else stream
        for _ in range(size.passes):
            stream = upscaler.stream(
                stream, layout, masked=mask is not None, tally=tally, progress=progress
            )
        stream = without_mask(stream) if mask else stream
        for block in resampled(stream, size.height, size.width).blocks:
            yield _back(block, span, tone, layout, np.dtype(kind))


def _looked_at(opened: Opened) -> tuple[Layout, Range, Iterator[Rows]]:
    """Return what only all pixels can tell: whether they are neutral, and the range of floats.

    And the pixels, which small pictures keep and others read again.
    Raises BadPicture for a file that is damaged anywhere, before any work.
    """
    samples = opened.width * opened.height * opened.frames * (opened.colours + opened.alpha)
    small = samples * opened.bits // 8 <= KEPT
    kept = []
    if opened.kind == "JPEG":
        check_jpeg_data(opened.path)
    low, high, neutral = 0.0, 1.0, opened.colours == 3
    for block in (opened if small else open_picture(opened.path)).blocks():
        neutral = neutral and bool((block[..., :3] == block[..., :1]).all())
        if opened.bits == 32:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
            if not np.isfinite(block).all():
                raise BadPicture(
                    f"{opened.path} holds values that are not finite; mask them first."
                )
        if small:
            kept.append(block)
    rows = iter(kept) if small else opened.blocks()
    return Layout(opened.colours, opened.alpha, neutral), Range(low, high), rows


def _unit(block: Rows, span: Range, tone: ToneCurve | None, layout: Layout) -> Floats:
    """Return the values as the network knows them: 0..1, coded as sRGB is."""
    values = unit_range(block)
    if span != Range():
        values = (values - np.float32(span.low)) / np.float32(span.high - span.low)
    if tone is not None:
        values[..., : layout.colours] = tone.encoded(values[..., : layout.colours])
    return values


def _back(
    block: Floats,
    span: Range,
    tone: ToneCurve | None,
    layout: Layout,
    kind: np.dtype[np.generic],
) -> Rows:
    if tone is not None:
        colours = tone.decoded(block[..., : layout.colours].clip(0, 1))
        block = np.concatenate([colours, block[..., layout.colours :]], axis=2)
    if span == Range() or kind.kind != "f":
        values: NDArray[np.generic] = quantised(block, kind)
        return values  # type: ignore[return-value]
    return block.clip(0, 1) * np.float32(span.high - span.low) + np.float32(span.low)
