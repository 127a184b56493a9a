"""Picture files written from rows: depth, channels, frames, and what surrounded the original.

Rows are gathered in a file beside the target and encoded from there, so a picture of any size is
written in bounded memory. The target appears whole or not at all.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyvips

from upres.atomic import replacing
from upres.errors import BadPicture
from upres.images import animated_png
from upres.images.formats import Format, format_of
from upres.images.opening import Opened, Rows, reason

Metadata = Literal["keep", "colour", "none"]
TYPES: dict[int, type[Any]] = {8: np.uint8, 16: np.uint16, 32: np.float32}
_VIPS = {8: "uchar", 16: "ushort", 32: "float"}
_COLOUR_FIELDS = ("icc-profile-data",)
_FRAME_FIELDS = ("delay", "loop", "background")
_OTHER_FIELDS = ("exif-data", "xmp-data", "iptc-data", "photoshop-data", "resolution-unit")
LARGE = 20_000_000  # pixels before enlarging; from here on a TIFF may pass 4 GB
IN_MEMORY = 64_000_000  # bytes of pixels; more are gathered in a file


@dataclass(frozen=True)
class SaveSettings:
    """How a picture is written where its format leaves a choice.

    quality: 1..100 of formats that lose, None for the format's own. bits: 8, 16 or 32 (floats)
    a channel, None for those of the original. metadata: `keep` all, the `colour` profile alone,
    or `none`.
    """

    quality: int | None = None
    bits: Literal[8, 16, 32] | None = None
    metadata: Metadata = "keep"


def check_savable(
    target: Path, like: Opened, width: int, height: int, save: SaveSettings
) -> Format:
    """Return the target's format. Raises BadPicture if it cannot hold `like` at (width, height).

    Asked before the work starts: nothing of a picture is dropped to make it fit a format.
    """
    form = format_of(target)
    bits = save.bits or like.bits
    if like.alpha and not form.alpha:
        raise BadPicture(
            f"{target}: {form.name} cannot hold the picture's transparency; write a .png."
        )
    if bits not in form.bits:
        depth = "floats" if bits == 32 else f"{bits} bits"
        raise BadPicture(
            f"{target}: {form.name} cannot hold the picture's {depth}; write a "
            f"{'.tif' if bits == 32 else '.png'}, or give --depth {max(form.bits)}."
        )
    if like.colours not in (1, 3) and not form.bands:
        raise BadPicture(f"{target}: {form.name} cannot hold {like.colours} bands; write a .tif.")
    if like.frames > 1 and not form.frames:
        raise BadPicture(
            f"{target}: {form.name} cannot hold {like.frames} frames or pages; write a "
            f"{'.tif' if like.kind == 'TIFF' else '.webp'}."
        )
    if max(width, height) > form.largest_side:
        raise BadPicture(
            f"{target}: {form.name} holds {form.largest_side} px a side at most, "
            f"but the picture is {width}x{height}; write a .png or a .tif."
        )
    return form


def save_rows(
    target: Path,
    blocks: Iterable[Rows],
    like: Opened,
    *,
    width: int,
    height: int,
    save: SaveSettings,
) -> None:
    """Write rows as a picture with everything that surrounded the pixels of `like`.

    blocks: (rows, width, channels) of all frames of `like` below each other, each `height` rows,
    in the type of the bits that are written.
    Raises BadPicture when the format cannot hold it or the encoder fails, NoSpace.
    """
    form = check_savable(target, like, width, height, save)
    bits = save.bits or like.bits
    with replacing(target) as partial, _gathered(blocks, partial, width, bits) as image:
        try:
            dressed = _dressed(image, like, form, height=height, save=save)
            if form.name == "PNG" and like.frames > 1:
                partial.write_bytes(animated_png.encoded(dressed))
            else:
                getattr(dressed, form.saver)(str(partial), **_options(form, like, save))
        except pyvips.Error as error:
            raise BadPicture(f"{target} could not be encoded: {reason(error)}.") from error


@contextlib.contextmanager
def _gathered(blocks: Iterable[Rows], partial: Path, width: int, bits: int) -> Iterator[Any]:
    """Yield the rows as libvips's image, gathered in memory or in a file beside `partial`."""
    parts: list[Rows] = []
    size = 0
    raw = partial.with_suffix(".raw")
    try:
        with contextlib.ExitStack() as files:
            written: Any = None
            for block in blocks:
                parts.append(np.ascontiguousarray(block))
                size += block.nbytes
                if size > IN_MEMORY and written is None:
                    written = files.enter_context(raw.open("wb"))
                if written is not None:
                    for part in parts:
                        written.write(part.data)
                    bands = parts[0].shape[2]
                    parts.clear()
        if written is None:
            values = np.concatenate(parts)
            rows, _, bands = values.shape
            yield pyvips.Image.new_from_memory(values.data, width, rows, bands, _VIPS[bits])
        else:
            rows = size // (width * bands * (bits // 8))
            image = pyvips.Image.rawload(str(raw), width, rows, bands * (bits // 8))
            yield image.copy(bands=bands, format=_VIPS[bits])
    finally:
        with contextlib.suppress(OSError):
            raw.unlink()


def _dressed(image: Any, like: Opened, form: Format, *, height: int, save: SaveSettings) -> Any:
    """Return the image with the colour space, metadata and frames of `like`."""
    bits = save.bits or like.bits
    image = image.copy(
        interpretation=_interpretation(like, bits), xres=like.image.xres, yres=like.image.yres
    )
    names: list[str] = [] if save.metadata == "none" else [*_COLOUR_FIELDS]
    if save.metadata == "keep":
        fields = like.image.get_fields()
        names += [*_OTHER_FIELDS, *(name for name in fields if name.startswith("exif-ifd"))]
        names = [name for name in names if name != "exif-ifd0-Orientation"]
    if like.frames > 1:
        names += _FRAME_FIELDS
        image.set_type(pyvips.GValue.gint_type, "page-height", height)
    for name in names:
        if like.image.get_typeof(name):
            image.set_type(like.image.get_typeof(name), name, like.image.get(name))
    if save.metadata == "keep":
        image.set_type(pyvips.GValue.gint_type, "orientation", 1)  # the rows are upright
    if like.cmyk and form.cmyk:
        return _to_cmyk(image, like)
    return image


def _to_cmyk(image: Any, like: Opened) -> Any:
    """Return sRGB as CMYK by the profile that the file had."""
    if like.cmyk_profile is None:
        return image.icc_transform("cmyk", input_profile="srgb")
    image = image.icc_import(input_profile="srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", like.cmyk_profile)
    return image.icc_export()


def _interpretation(like: Opened, bits: int) -> str:
    if like.colours not in (1, 3):
        return "multiband"
    names = {(1, 8): "b-w", (1, 16): "grey16", (3, 8): "srgb", (3, 16): "rgb16", (3, 32): "scrgb"}
    return names.get((like.colours, bits), "b-w")


def _options(form: Format, like: Opened, save: SaveSettings) -> dict[str, Any]:
    options: dict[str, Any] = dict(form.options)
    if form.quality is not None:
        options["Q"] = save.quality or form.quality
    if form.name == "TIFF":
        options["bigtiff"] = like.width * like.height > LARGE
        if like.frames > 1:
            options["tile"] = False
        if (save.bits or like.bits) == 32:
            options["predictor"] = "float"
    keep = {"keep": "all", "colour": "icc", "none": "none"}[save.metadata]
    return options | {"keep": keep}
