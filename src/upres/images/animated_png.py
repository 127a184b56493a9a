"""Animated PNG, which libvips takes for a still picture: read and written by Pillow."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from upres.errors import BadPicture

_HEAD = 1 << 16  # bytes of a file that are searched: the chunk stands before the pixels
_LARGEST = 89_000_000  # pixels of a frame; from 89,478,485 on Pillow warns of bombs


def is_animated(path: Path) -> bool:
    """Return whether the file is a PNG with more than one frame."""
    return _count(path) > 1


def black_frames(path: Path) -> Any:
    """Return libvips's image of the size of all frames, black: nothing is decoded.

    Raises BadPicture for frames beyond what Pillow takes without a warning.
    """
    width, height = _size(path)
    return _joined(pyvips.Image.black(width, height * _count(path), bands=4), height, {})


def read_frames(path: Path) -> Any:
    """Return all frames below each other as libvips's RGBA image with its timing as fields.

    All of them are held in memory. Raises BadPicture for a damaged file, for 16 bits, which Pillow
    would cut to 8, and for frames beyond what Pillow takes without a warning.
    """
    _, height = _size(path)
    try:
        with Image.open(path) as image:
            if _is_deep(path):
                raise BadPicture(f"{path} is an animated PNG of 16 bits, which cannot be read.")
            frames, delays = [], []
            for frame in range(getattr(image, "n_frames", 1)):
                image.seek(frame)
                frames.append(np.asarray(image.convert("RGBA")))
                delays.append(round(image.info.get("duration", 0)))
            loop, icc = int(image.info.get("loop", 0)), image.info.get("icc_profile")
    except (OSError, EOFError, SyntaxError, ValueError) as error:
        raise BadPicture(
            f"{path} is damaged or cut short ({error}); get the file again or leave it out."
        ) from error
    values = np.concatenate(frames)
    image = pyvips.Image.new_from_memory(
        values.tobytes(), values.shape[1], values.shape[0], 4, "uchar"
    )
    fields: dict[str, tuple[Any, Any]] = {
        "delay": (pyvips.GValue.array_int_type, delays),
        "loop": (pyvips.GValue.gint_type, loop),
    }
    if icc is not None:
        fields["icc-profile-data"] = (pyvips.GValue.blob_type, icc)
    return _joined(image, height, fields)


def _joined(frames: Any, height: int, fields: dict[str, tuple[Any, Any]]) -> Any:
    """Return the image of frames below each other with what libvips says of such."""
    joined = frames.copy(interpretation="srgb")
    told = fields | {
        "page-height": (pyvips.GValue.gint_type, height),
        "n-pages": (pyvips.GValue.gint_type, joined.height // height),
        "vips-loader": (pyvips.GValue.gstr_type, "pngload"),
    }
    for name, (kind, value) in told.items():
        joined.set_type(kind, name, value)
    return joined


def encoded(image: Any) -> bytes:
    """Return the frames of libvips's image (with `page-height` and perhaps `delay`) as an APNG."""
    height = image.get("page-height")
    values = np.frombuffer(image.write_to_memory(), np.uint8)
    values = values.reshape(-1, height, image.width, image.bands)
    frames = [Image.fromarray(frame.squeeze()) for frame in values]
    info: dict[str, Any] = {"loop": _field(image, "loop", 0)}
    if image.get_typeof("delay"):
        info["duration"] = image.get("delay")
    if image.get_typeof("icc-profile-data"):
        info["icc_profile"] = image.get("icc-profile-data")
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], **info)
    return buffer.getvalue()


def _count(path: Path) -> int:
    """Return the frames that a PNG tells of, 0 for another file and a still picture."""
    with path.open("rb") as file:
        head = file.read(_HEAD).partition(b"IDAT")[0]
    if not head.startswith(b"\x89PNG") or b"acTL" not in head:
        return 0
    return int.from_bytes(head.partition(b"acTL")[2][:4], "big")


def _size(path: Path) -> tuple[int, int]:
    """Return width and height of a frame. Raises BadPicture where they are too large."""
    with path.open("rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])
    if width * height > _LARGEST:
        raise BadPicture(
            f"{path} is an animated PNG of {width}x{height} pixels, and frames are held in memory "
            f"whole, up to {_LARGEST // 1_000_000} megapixels; convert it to a TIFF of pages."
        )
    return width, height


def _is_deep(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(25)[24] == 16


def _field(image: Any, name: str, otherwise: Any) -> Any:
    return image.get(name) if image.get_typeof(name) else otherwise
