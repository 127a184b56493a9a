"""Picture files opened: what they are, what surrounds the pixels, and the pixels row by row.

libvips decodes as rows are taken, so a picture need not fit into memory. A file is taken for what
it holds, never for what its name says, and any path works.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyvips
from numpy.typing import NDArray

from upres.errors import BadPicture
from upres.images.animated_png import black_frames, is_animated, read_frames
from upres.images.exif_block import with_exif
from upres.images.heic import is_heic, read_heic
from upres.images.refusals import check_pages, check_values, whole_pages
from upres.images.soundness import check_sound
from upres.images.tiff_directory import read_pages
from upres.images.tiff_exif import read_exif
from upres.images.vips_log import warnings_alone

Rows = NDArray[np.uint8 | np.uint16 | np.float32]

BLOCK_ROWS = 64
_HEAD = 1 << 16  # bytes that are searched for what kind of file it is
_KINDS: dict[str, tuple[type[Any], int]] = {  # libvips's format: numpy's type, bits
    "uchar": (np.uint8, 8),
    "ushort": (np.uint16, 16),
    "float": (np.float32, 32),
}
_LOADERS = {  # the word in libvips's loader: the format's name
    "png": "PNG",
    "jpeg": "JPEG",
    "uhdr": "JPEG",  # with a gain map, which is left out
    "webp": "WebP",
    "tiff": "TIFF",
    "gif": "GIF",
    "heic": "HEIC",
    "heif": "AVIF",
    "ppm": "PNM",
}


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture file that is open, upright, its pixels not yet decoded.

    image: libvips's, with everything else that the file holds as fields. It can be read once,
    from top to bottom. colours: 1, 3, or the bands of a scientific picture. alpha: one more band
    behind them. frames: pictures of `height` rows each, below each other in `image`.
    cmyk: the file is CMYK; `image` is RGB, made by its profile, which `cmyk_profile` is.
    depth: bits of the file's values; in a HEIF file of 10 or 12 bits they are spread over 16.
    lossless: a WebP file that keeps every value.
    """

    path: Path
    kind: str
    image: Any
    width: int
    height: int
    colours: int
    alpha: bool
    bits: int
    frames: int = 1
    cmyk: bool = False
    cmyk_profile: bytes | None = None
    depth: int = 8
    lossless: bool = False

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows of all frames, in blocks (rows, width, channels) of the file's type.

        No block crosses from one frame into the next. Raises BadPicture where the file is damaged
        or cut short.
        """
        kind, _ = _KINDS[self.image.format]
        region = pyvips.Region.new(self.image)
        for frame in range(self.frames):
            for top in range(0, self.height, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, self.height - top)
                with _readable(self.path):
                    data = region.fetch(0, frame * self.height + top, self.width, rows)
                yield np.frombuffer(data, kind).reshape(rows, self.width, self.image.bands)

    @property
    def icc(self) -> bytes | None:
        """The colour profile that the pixels are in, if the file names one."""
        profile: bytes | None = _field(self.image, "icc-profile-data")
        return profile


def open_picture(
    path: Path, *, cmyk_as: Literal["p3", "srgb"] = "p3", pixels: bool = True
) -> Opened:
    """Return the picture in a file of any kind that libvips knows, turned upright by its EXIF tag.

    pixels: otherwise HEIC and APNG, which are decoded whole, have black ones. cmyk_as: the RGB
    space that CMYK becomes, by its profile; both have sRGB's tone curve, but P3 holds most colours
    of print.
    Raises BadPicture when the file is missing, damaged, no picture, or has values that are neither
    8 or 16 bits deep nor float.
    """
    os.close(_descriptor(path))
    pages = read_pages(path)
    check_pages(path, pages)
    with _readable(path):
        heic = is_heic(path)
        image = read_heic(path, pixels=False) if heic else _loaded(path)
        check_sound(path, image)
        animated = is_animated(path)
        many = animated or (_count(image) > 1 and whole_pages(pages) != 1)
        turned = not heic and int(_field(image, "orientation") or 1) > 1
        if heic and pixels:
            image = read_heic(path)
        elif animated:
            image = black_frames(path)
            check_sound(path, image)
            image = read_frames(path) if pixels else image
        elif many or turned:
            image = _loaded(path, every_page=many, anywhere=turned)
        cmyk = image.interpretation == "cmyk"
        cmyk_profile = _field(image, "icc-profile-data") if cmyk else None
        kind = _kind_of(image)
        bits = _KINDS.get(image.format, (None, 0))[1]
        if cmyk:
            image = image.icc_transform(
                cmyk_as, embedded=True, input_profile="cmyk", depth=8 if cmyk_as == "srgb" else 16
            )
        check_values(path, image)
        depth = _depth(image, kind)
        if depth < _KINDS[image.format][1]:
            image = _spread(image, depth)
        frames = image.height // image.get("page-height") if many else 1
        exif = read_exif(path) if pages else None
        if exif is not None:
            image = image.copy()
            with_exif(image, exif)
        if turned:
            image = image.autorot()
    colours, alpha = _channels(image)
    return Opened(
        path=path,
        kind=kind,
        image=image,
        width=image.width,
        height=image.height // frames,
        colours=colours,
        alpha=alpha,
        bits=bits,
        frames=frames,
        cmyk=cmyk,
        cmyk_profile=cmyk_profile,
        depth=depth,
        lossless=kind == "WebP" and is_lossless(path),
    )


def first_frame(opened: Opened) -> Iterator[Rows]:
    """Yield the rows of the first frame alone."""
    return itertools.islice(opened.blocks(), -(-opened.height // BLOCK_ROWS))


def _loaded(path: Path, *, every_page: bool = False, anywhere: bool = False) -> Any:
    """Return libvips's image of the file; anywhere: its rows may be asked for in any order."""
    options: dict[str, Any] = {"access": "random" if anywhere else "sequential"}
    if every_page:
        options["n"] = -1
    pyvips.cache_set_max(0)  # the cache would keep files open after their last row
    warnings_alone()
    return pyvips.Image.new_from_source(_source(path), "", fail_on="error", **options)


def _source(path: Path) -> Any:
    descriptor = _descriptor(path)
    try:
        return pyvips.Source.new_from_descriptor(descriptor)
    finally:
        os.close(descriptor)


def _descriptor(path: Path) -> int:
    if path.is_dir():
        raise BadPicture(f"{path} is a folder; a picture was expected.")
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise BadPicture(f"{path} does not exist; give the path of a picture.") from error
    except OSError as error:
        raise BadPicture(f"{path} cannot be read: {error.strerror}.") from error


def is_lossless(path: Path) -> bool:
    """Return whether the first picture of a WebP file is kept without loss."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    lossless, lossy = head.find(b"VP8L"), head.find(b"VP8 ")
    return lossless >= 0 and (lossy < 0 or lossless < lossy)


def _depth(image: Any, kind: str) -> int:
    """Return the bits of the file's values, which may be fewer than those they are held in."""
    bits = _KINDS[image.format][1]
    shifted = kind in ("AVIF", "HEIC") and bits == 16
    return int(_field(image, "bits-per-sample") or bits) if shifted else bits


def _spread(image: Any, depth: int) -> Any:
    """Return values of `depth` bits, which libvips shifts up, over all 16: white is 65535."""
    spread = image.linear(65535 / (65536 - 2 ** (16 - depth)), 0.5).cast("ushort")
    return spread.copy(interpretation=image.interpretation)


def _channels(image: Any) -> tuple[int, bool]:
    """Return how many colours there are and whether alpha follows them."""
    if image.bands > 4:
        return image.bands, False
    alpha = image.bands in (2, 4) and bool(image.hasalpha())
    return image.bands - alpha, alpha


def _kind_of(image: Any) -> str:
    loader = str(_field(image, "vips-loader") or "")
    return next((kind for word, kind in _LOADERS.items() if loader.startswith(word)), loader)


def _count(image: Any) -> int:
    """Return how many frames or pages the file has; HEIF's are pictures of their own: the first."""
    if _kind_of(image) == "AVIF":
        return 1
    return int(_field(image, "n-pages") or 1)


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise BadPicture, in one sentence, for what libvips says of a file."""
    try:
        yield
    except pyvips.Error as error:
        raise BadPicture(_unreadable(path, error)) from error


def _unreadable(path: Path, error: pyvips.Error) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty; a picture was expected."
    if not _is_known(path):
        return f"{path} is no picture of a known kind; leave it out or convert it to PNG."
    return f"{path} is damaged or cut short ({reason(error)}); get the file again or leave it out."


def _is_known(path: Path) -> bool:
    """Return whether libvips knows the file's kind, whatever it said: threads share its messages.

    One that opens a picture meanwhile takes those of another.
    """
    known = bool(pyvips.vips_lib.vips_foreign_find_load_source(_source(path).pointer))
    pyvips.vips_lib.vips_error_clear()  # or the next error of any thread would tell of this file
    return known


def reason(error: pyvips.Error) -> str:
    """Return what libvips says, in one line."""
    detail = str(error.detail).strip().splitlines()  # its message names a function of libvips
    return detail[0].strip().rstrip(".") if detail else "its decoder gives no reason"
