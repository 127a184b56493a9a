"""Picture files written from rows: depth, channels, frames, and what surrounded the original.

Rows are encoded as they come, beside what computes them, so a picture of any size is written in
bounded memory (but WebP, AVIF and animations, whose encoders hold all of it). The target appears
whole or not at all.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyvips

from upres.atomic import replacing
from upres.errors import BadPicture
from upres.images import animated_png
from upres.images.described import upright_xmp, without_thumbnail
from upres.images.exif_block import exif_block
from upres.images.fed_image import consumed
from upres.images.formats import Format, format_of
from upres.images.heic import write_heic
from upres.images.opening import Opened, Rows, reason
from upres.images.tiff_exif import add_exif

Metadata = Literal["keep", "colour", "none"]
TYPES: dict[int, type[Any]] = {8: np.uint8, 16: np.uint16, 32: np.float32}
_COLOUR_FIELDS = ("icc-profile-data",)
_FRAME_FIELDS = ("delay", "loop", "background")
_UNTRUE = ("exif-ifd0-Orientation", "exif-ifd2-PixelXDimension", "exif-ifd2-PixelYDimension")
_OTHER_FIELDS = ("exif-data", "xmp-data", "iptc-data", "photoshop-data", "resolution-unit")
CLASSIC = 3_500_000_000  # bytes of pixels; a TIFF of more may pass the 4 GB of its small kind


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
    kept = bits if save.bits else like.depth
    if bits == 16 and kept > form.deepest:
        raise BadPicture(
            f"{target}: {form.name} holds {form.deepest} bits at most, the picture {kept}; write "
            f"a .png, or give --depth 8."
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
    kind = TYPES[save.bits or like.bits]
    bands = like.colours + like.alpha

    def encode(image: Any, partial: Path) -> None:
        dressed = _dressed(image, like, form, height=height, save=save)
        if form.name == "PNG" and like.frames > 1:
            partial.write_bytes(animated_png.encoded(dressed))
        elif form.name == "HEIC":
            write_heic(partial, dressed, save.quality or form.quality or 90)
        else:
            named = os.fsencode(partial)  # any name; text has to be Unicode for libvips
            getattr(dressed, form.saver)(named, **_options(form, like, save, width * height))
            if form.name == "TIFF" and dressed.get_typeof("exif-data"):
                add_exif(partial, exif_block(dressed))

    with replacing(target) as partial:
        try:
            rows = height * like.frames
            consumed(blocks, width, rows, bands, kind, lambda image: encode(image, partial))
        except pyvips.Error as error:
            raise _encoding_error(target, error) from error


def _encoding_error(target: Path, error: pyvips.Error) -> OSError | BadPicture:
    """Return what the encoder's failure means: a full disk is no fault of the picture."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        if os.strerror(number) in str(error):
            return OSError(number, os.strerror(number))
    return BadPicture(f"{target} could not be encoded: {reason(error)}.")


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
        names = [name for name in names if name not in _UNTRUE and "exif-ifd1" not in name]
        names += [name for name in fields if _is_text(like.image, name)]
    if like.frames > 1:
        names += _FRAME_FIELDS
        image.set_type(pyvips.GValue.gint_type, "page-height", height)
    for name in names:
        if like.image.get_typeof(name):
            value = like.image.get(name)
            if name == "exif-data":
                value = without_thumbnail(value)
            if name == "xmp-data":
                value = upright_xmp(value, image.width, height)
            image.set_type(like.image.get_typeof(name), name, value)
    if save.metadata == "keep":
        image.set_type(pyvips.GValue.gint_type, "orientation", 1)  # the rows are upright
    if not like.cmyk:
        return image
    return (
        _to_cmyk(image, like, bits)
        if form.cmyk
        else image.icc_transform("srgb", input_profile="p3", depth=bits)
    )


def _is_text(image: Any, name: str) -> bool:
    """Return whether the field is a PNG's text that libvips writes as it was: ASCII alone."""
    return name.startswith("png-comment-") and str(image.get(name)).isascii()


def _to_cmyk(image: Any, like: Opened, bits: int) -> Any:
    """Return RGB as CMYK by the profile that the file had."""
    image = image.icc_import(embedded=True, input_profile="p3").copy()
    depth = min(bits, 16)
    if like.cmyk_profile is None:
        image = image.icc_export(output_profile="cmyk", depth=depth).copy()
        image.remove("icc-profile-data")  # the original names none either
        return image
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", like.cmyk_profile)
    return image.icc_export(depth=depth)


def _interpretation(like: Opened, bits: int) -> str:
    if like.colours not in (1, 3):
        return "multiband"
    names = {(1, 8): "b-w", (1, 16): "grey16", (3, 8): "srgb", (3, 16): "rgb16", (3, 32): "scrgb"}
    return names.get((like.colours, bits), "b-w")


def _options(form: Format, like: Opened, save: SaveSettings, pixels: int) -> dict[str, Any]:
    options: dict[str, Any] = dict(form.options)
    if form.quality is not None:
        options["Q"] = save.quality or form.quality
    if form.name == "WebP" and like.lossless and save.quality is None:
        options["lossless"] = True
    if form.name == "AVIF" and (save.bits or like.bits) == 16:
        options["bitdepth"] = like.depth
    if form.name == "TIFF":
        samples = pixels * like.frames * (like.colours + like.alpha)
        options["bigtiff"] = samples * (save.bits or like.bits) // 8 > CLASSIC
        if like.frames > 1:
            options["tile"] = False
        if (save.bits or like.bits) == 32:
            options["predictor"] = "none"  # that of floats is known to few readers
    keep = {"keep": "all", "colour": "icc", "none": "none"}[save.metadata]
    return options | {"keep": keep}
