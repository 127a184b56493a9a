"""What decoders let pass without a word: bombs, texts taken for pictures, files without their end.

libvips makes a small GIF of one that was cut between two frames, fills tiles that a TIFF does not
have, leaves out a profile that lies behind the end, and decodes whatever size a header tells.
"""

import re
from pathlib import Path
from typing import Any, Final

import pyvips

from upres.errors import BadPicture
from upres.images.missing_parts import missing_in_gif, missing_in_tiff

PLAIN: Final = 100_000_000  # pixels of a file that may be packed however small
MOST_PACKED: Final = 300  # bytes of pixels in a byte of a larger file; photos have 1 to 50
# What libjpeg warns of when it makes pixels up; of bytes too many before the end, which some
# cameras write, it warns too, and they are no loss
_MADE_UP: Final = re.compile("premature end|bad Huffman|bad arithmetic|instead of RST")
_TEXTS: Final = ("svg", "matrix", "csv", "pdf")  # loaders of what is no picture made of pixels


def check_sound(path: Path, image: Any) -> None:
    """Raise BadPicture for a file that libvips would open, and should not.

    image: libvips's, just opened. The file is looked at around its pixels, never decoded.
    """
    loader = str(image.get("vips-loader")) if image.get_typeof("vips-loader") else ""
    if loader.startswith(_TEXTS):
        raise BadPicture(
            f"{path} is no picture of a known kind; leave it out or convert it to PNG."
        )
    if not path.is_file():
        return  # a pipe is read once, so it cannot be looked at before
    _refuse_bomb(path, image)
    missing = None
    if loader.startswith("gif"):
        missing = missing_in_gif(path)
    if loader.startswith("tiff"):
        missing = missing_in_tiff(path)
    if missing is not None:
        raise BadPicture(
            f"{path} is damaged or cut short ({missing}); get the file again or leave it out."
        )


def check_jpeg_data(path: Path) -> None:
    """Raise BadPicture for a JPEG whose decoder makes up pixels; it decodes the whole file.

    Files of other formats say so themselves as they are read, or have checksums.
    """
    try:
        with path.open("rb") as file:  # a name with brackets would be read as options
            source = pyvips.Source.new_from_descriptor(file.fileno())
        pyvips.Image.new_from_source(source, "", fail_on="warning", access="sequential").avg()
    except pyvips.Error as error:
        told = _MADE_UP.search(str(error.detail))
        if told is not None:
            line = next(x for x in str(error.detail).splitlines() if told[0] in x)
            raise BadPicture(
                f"{path} is damaged or cut short ({line.strip()}); get the file again or leave it "
                f"out."
            ) from error


def _refuse_bomb(path: Path, image: Any) -> None:
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    pixels = image.width * image.height * pages
    size = path.stat().st_size
    bits = {"uchar": 8, "ushort": 16}.get(image.format, 32)
    if image.get_typeof("bits-per-sample"):
        bits = min(bits, image.get("bits-per-sample"))
    if pixels > PLAIN and pixels * image.bands * bits / 8 > MOST_PACKED * size:
        raise BadPicture(
            f"{path} tells of {image.width}x{image.height} pixels in {size} bytes, which no photo "
            f"packs into; leave it out, or convert it to an uncompressed TIFF if it is meant."
        )
