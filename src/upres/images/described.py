"""What describes a picture beside its pixels, made true of the enlarged one: EXIF and XMP."""

import re
import struct

_EXIF_HEAD = b"Exif\0\0"
# Each as an attribute (tiff:Orientation="6") or as an element (<tiff:Orientation>6<)
_XMP_NUMBER = rb"(%s(?:\s*=\s*[\"']|>))\d+"
_XMP_SIZES = {
    b"tiff:ImageWidth": 0,
    b"exif:PixelXDimension": 0,
    b"tiff:ImageLength": 1,
    b"exif:PixelYDimension": 1,
}


def without_thumbnail(exif: bytes) -> bytes:
    """Return the EXIF block without its second directory, which shows the picture as it was.

    A block that cannot be read is returned as it is.
    """
    start = len(_EXIF_HEAD) if exif.startswith(_EXIF_HEAD) else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None:
        return exif
    try:
        place = start + struct.unpack_from(order + "I", exif, start + 4)[0]
        following = place + 2 + 12 * struct.unpack_from(order + "H", exif, place)[0]
        struct.unpack_from(order + "I", exif, following)
    except struct.error:
        return exif
    return exif[:following] + bytes(4) + exif[following + 4 :]


def upright_xmp(xmp: bytes, width: int, height: int) -> bytes:
    """Return the XMP packet of a picture that is upright and (width, height) pixels large."""
    xmp = re.sub(_XMP_NUMBER % b"tiff:Orientation", rb"\g<1>1", xmp)
    for name, side in _XMP_SIZES.items():
        xmp = re.sub(_XMP_NUMBER % name, rb"\g<1>%d" % (width, height)[side], xmp)
    return xmp
