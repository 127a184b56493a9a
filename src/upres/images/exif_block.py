"""EXIF as one block of bytes, from and to the fields that libvips makes of it.

libvips turns one into the other when it reads and writes a JPEG, so a JPEG of one pixel carries it.
"""

import io
from typing import Any

import pyvips
from PIL import Image

_PIXEL_SIZES = {0xA002: 0, 0xA003: 1}  # tags: width, height
_EXIF_IFD = 0x8769


def exif_block(image: Any) -> bytes:
    """Return the EXIF of libvips's image as one block, with its size in pixels."""
    dot: Any = pyvips.Image.black(1, 1).copy()
    for name in image.get_fields():
        if name.startswith("exif-") or name == "orientation":
            dot.set_type(image.get_typeof(name), name, image.get(name))
    exif = Image.Exif()
    with Image.open(io.BytesIO(dot.jpegsave_buffer(keep="exif"))) as carrier:
        exif.load(carrier.info.get("exif", b""))
    sizes = exif.get_ifd(_EXIF_IFD)
    for tag, side in _PIXEL_SIZES.items():
        sizes[tag] = (image.width, image.height)[side]
    return exif.tobytes()


def with_exif(image: Any, exif: bytes) -> None:
    """Give libvips's image the fields of an EXIF block, as its own loaders do."""
    carrier = io.BytesIO()
    Image.new("L", (1, 1)).save(carrier, "JPEG", exif=exif)
    dot = pyvips.Image.new_from_buffer(carrier.getvalue(), "")
    for name in dot.get_fields():
        if name.startswith("exif-"):
            image.set_type(dot.get_typeof(name), name, dot.get(name))
