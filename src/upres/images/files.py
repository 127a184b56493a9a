"""Picture files: pixels and what surrounds them (depth, alpha, colour profile, orientation).

Whole pictures in memory, for training, judging and reports; `opening` and `saving` have those of
any size and kind, row by row.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from upres.atomic import replacing
from upres.errors import BadPicture
from upres.images.opening import first_frame, open_picture, reason
from upres.images.vips_log import warnings_alone

Pixels = NDArray[np.uint8 | np.uint16]

ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}  # what can be written
LARGEST_SIDE = {"PNG": 2**31 - 1, "JPEG": 65_500}  # px; JPEG's as libjpeg has it
JPEG_QUALITY = 95
# What a folder is searched for; a file that the user names may have any name.
PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".avif", ".heic"}
    | {".heif", ".jxl", ".bmp", ".ppm", ".pgm", ".pnm"}
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """A picture, upright, with all that its file says about its pixels.

    pixels: (h, w, 1) for a grey picture, else (h, w, 3) RGB; uint8 or uint16 over the full range.
    alpha: (h, w) of the same type, or None. icc: the colour profile that the pixels are in.
    pages: frames or pages in the file; the pixels are those of the first.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc: bytes | None = None
    pages: int = 1

    @property
    def grey(self) -> bool:
        """Whether the picture has one channel."""
        return bool(self.pixels.shape[2] == 1)

    @property
    def rgb(self) -> Pixels:
        """The pixels as (h, w, 3); a grey picture's channel three times (a view, read only)."""
        return np.broadcast_to(self.pixels, (*self.pixels.shape[:2], 3))


def read_picture(path: Path) -> Picture:
    """The picture in a file of any kind that libvips knows, turned upright by its EXIF tag.

    CMYK becomes sRGB by its profile; everything else keeps its values and its profile. Of several
    frames or pages it is the first.
    Raises BadPicture when the file is missing, damaged, cut short, no picture, or has values that
    are neither 8 nor 16 bits deep.
    """
    opened = open_picture(path, cmyk_as="srgb")
    if opened.bits == 32 or opened.colours not in (1, 3):
        raise BadPicture(
            f"{path} has {opened.colours} channels of {opened.bits} bits; grey or RGB of 8 or 16 "
            f"bits, with or without alpha, was expected."
        )
    values = np.concatenate(list(first_frame(opened)))
    if opened.alpha:
        return Picture(
            pixels=values[..., :-1], alpha=values[..., -1], icc=opened.icc, pages=opened.frames
        )
    return Picture(pixels=values, icc=opened.icc, pages=opened.frames)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The picture in a file as uint8 (h, w, 3) RGB; grey is repeated, alpha is left out.

    16-bit values are rounded to the nearest of 256 levels. Raises BadPicture.
    """
    return np.ascontiguousarray(eight_bit(read_picture(path).rgb))


def eight_bit(pixels: Pixels) -> NDArray[np.uint8]:
    """The same picture in 8 bits: 0..65535 becomes 0..255, rounded to the nearest level."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def check_writable(path: Path, picture: Picture, *, scale: int = 1) -> None:
    """Raise BadPicture if a file of this ending cannot hold `picture` enlarged `scale` times.

    Asked before the work starts: nothing of a picture is dropped to make it fit a format.
    """
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise BadPicture(
            f"{path} cannot be written: pictures are written as {', '.join(ENDINGS)}; "
            f"give the output one of these endings."
        )
    if kind == "JPEG" and picture.alpha is not None:
        raise BadPicture(f"{path}: JPEG cannot hold the picture's transparency; write a .png.")
    if kind == "JPEG" and picture.pixels.dtype == np.uint16:
        raise BadPicture(f"{path}: JPEG cannot hold the picture's 16 bits; write a .png.")
    height, width = (side * scale for side in picture.pixels.shape[:2])
    if max(height, width) > LARGEST_SIDE[kind]:
        raise BadPicture(
            f"{path}: {kind} holds {LARGEST_SIDE[kind]} px a side at most, "
            f"but the picture is {width}x{height}; write a .png."
        )


def write_picture(path: Path, picture: Picture) -> None:
    """Write `picture` as PNG or JPEG (quality 95, full colour resolution) by the path's ending.

    Depth, alpha, greyness and profile are kept. The file appears whole or not at all.
    Raises BadPicture when the format cannot hold the picture, NoSpace when the disk cannot.
    """
    check_writable(path, picture)
    warnings_alone()
    image = _to_vips(picture)
    with replacing(path) as partial:
        try:
            data = _encoded(image, path.suffix.lower())
        except pyvips.Error as error:
            raise BadPicture(f"{path} could not be encoded: {reason(error)}.") from error
        partial.write_bytes(data)


def _encoded(image: Any, suffix: str) -> bytes:
    if ENDINGS[suffix] == "JPEG":
        encoded = image.jpegsave_buffer(
            Q=JPEG_QUALITY, subsample_mode="off", optimize_coding=True, keep="icc"
        )
    else:
        encoded = image.pngsave_buffer(compression=6, keep="icc")
    return bytes(encoded)


def _to_vips(picture: Picture) -> Any:
    layers = [picture.pixels]
    if picture.alpha is not None:
        layers.append(picture.alpha[..., None])
    values = np.ascontiguousarray(np.concatenate(layers, axis=2))
    deep = values.dtype == np.uint16
    height, width, bands = values.shape
    image = pyvips.Image.new_from_memory(
        values.data, width, height, bands, "ushort" if deep else "uchar"
    )
    names = {(True, False): "b-w", (True, True): "grey16", (False, False): "srgb"}
    image = image.copy(interpretation=names.get((picture.grey, deep), "rgb16"))
    if picture.icc is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", picture.icc)
    return image
