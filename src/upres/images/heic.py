"""HEIC, which the libvips of the packages cannot decode: read and written by pillow-heif."""

from pathlib import Path
from typing import Any

import numpy as np
import pyvips

from upres.errors import BadPicture, MissingExtra
from upres.images.exif_block import exif_block, with_exif

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_MODES = {(1, 8): "L", (3, 8): "RGB", (4, 8): "RGBA", (1, 16): "I;16", (3, 16): "RGB;16"}


def is_heic(path: Path) -> bool:
    """Return whether the file says that it is HEIF, and not AVIF, which libvips reads."""
    with path.open("rb") as file:
        head = file.read(64)
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, min(size, 64), 4))]
    return head[4:8] == b"ftyp" and b"avif" not in brands and any(b in _BRANDS for b in brands)


def read_heic(path: Path, *, pixels: bool = True) -> Any:
    """Return the file's main picture, upright, as libvips's image with what surrounds it.

    pixels: otherwise they are black and nothing is decoded, which takes a second for 15 megapixels.
    Raises BadPicture for a damaged file, MissingExtra.
    """
    heif = _package(f"{path} is a HEIC picture, which")
    try:
        found = heif.open_heif(path, convert_hdr_to_8bit=False)
        image = _decoded(found) if pixels else _black(found)
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise BadPicture(
            f"{path} is damaged or cut short ({_line(error)}); get the file again or leave it out."
        ) from error
    names = {(True, False): "b-w", (True, True): "grey16", (False, False): "srgb"}
    deep = image.format == "ushort"
    image = image.copy(interpretation=names.get((image.bands < 3, deep), "rgb16"))
    _describe(image, found.info)
    image.set_type(pyvips.GValue.gstr_type, "vips-loader", "heicload")
    image.set_type(pyvips.GValue.gint_type, "bits-per-sample", int(found.info["bit_depth"]))
    return image


def write_heic(path: Path, image: Any, quality: int, chroma: int = 444) -> None:
    """Write libvips's image, 8 or 16 bits of which 10 are kept. Raises MissingExtra."""
    heif = _package(f"{path.suffix} as a result")
    bits = 16 if image.format == "ushort" else 8
    mode = _MODES.get((image.bands, bits), "LA" if image.bands == 2 else "RGBA;16")
    picture = heif.from_bytes(mode, (image.width, image.height), image.write_to_memory())
    told: dict[str, Any] = {}
    for name, field in (("icc_profile", "icc-profile-data"), ("xmp", "xmp-data")):
        if image.get_typeof(field):
            told[name] = image.get(field)
    if image.get_typeof("exif-data"):
        told["exif"] = exif_block(image)
    picture.info.update({"icc_profile": told.pop("icc_profile")} if "icc_profile" in told else {})
    picture.save(path, quality=quality, chroma=chroma, **told)


def _decoded(found: Any) -> Any:
    values = np.ascontiguousarray(np.asarray(found))
    values = values.reshape(*values.shape[:2], -1)
    height, width, bands = values.shape
    form = "ushort" if values.dtype == np.uint16 else "uchar"
    return pyvips.Image.new_from_memory(values.tobytes(), width, height, bands, form)


def _black(found: Any) -> Any:
    mode, _, bits = found.mode.partition(";")
    black = pyvips.Image.black(*found.size, bands=1 if mode == "I" else len(mode))
    return black.cast("ushort") if bits else black


def _describe(image: Any, info: dict[str, Any]) -> None:
    for name, field in (("icc_profile", "icc-profile-data"), ("xmp", "xmp-data")):
        if info.get(name):
            image.set_type(pyvips.GValue.blob_type, field, info[name])
    if info.get("exif"):
        with_exif(image, info["exif"])


def _package(what: str) -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtra("pillow-heif", "heif", what) from error
    return pillow_heif


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
