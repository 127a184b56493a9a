"""What picture formats can hold, and how each is written: FORMATS."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upres.errors import BadPicture


@dataclass(frozen=True)
class Format:
    """A format that can be written, and its limits."""

    name: str
    endings: tuple[str, ...]
    largest_side: int  # px
    bits: tuple[int, ...]
    alpha: bool
    saver: str  # libvips's operation
    options: dict[str, Any] = field(default_factory=dict)
    quality: int | None = None  # where it loses, unless another is asked for
    frames: bool = False  # several, with their timing or as pages
    bands: bool = False  # any number of them
    cmyk: bool = False
    deepest: int = 16  # bits that are kept of a picture of 16
    grey: bool = True  # has pictures of one channel
    held: int = 0  # bytes a pixel, of all frames, that the encoder holds at once (measured)
    encoding: float = 0.0  # seconds for each value of a photo, where they count (measured)


_ALL = (
    Format(
        "PNG",
        (".png",),
        2**31 - 1,
        (8, 16),
        True,
        "pngsave",
        # A photo of a megapixel, twice as large: 0.85 MB in 0.04 s; level 6 unfiltered, as libvips
        # has it, 1.13 MB in 0.05 s; level 6 filtered 0.82 MB in 0.10 s
        {"compression": 4, "filter": "paeth"},
        frames=True,
    ),
    Format(
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        65_500,  # as libjpeg has it
        (8,),
        False,
        "jpegsave",
        # Codes chosen for the picture would save 1 to 8 % of a photo's bytes, for 12 bytes of
        # memory a pixel and more than twice the time.
        {"subsample_mode": "off"},
        quality=95,
        cmyk=True,
    ),
    Format(
        "WebP",
        (".webp",),
        16_383,
        (8,),
        True,
        "webpsave",
        {"effort": 4},
        95,
        frames=True,
        grey=False,
        held=12,
    ),
    Format(
        "AVIF",
        (".avif",),
        16_384,
        (8, 16),
        True,
        "heifsave",
        {"compression": "av1", "subsample_mode": "off", "effort": 4},
        90,
        deepest=12,
        grey=False,
        held=55,
        encoding=1.2e-6,
    ),
    # By pillow-heif (images/heic.py)
    Format(
        "HEIC",
        (".heic", ".heif"),
        16_384,
        (8, 16),
        True,
        "",
        quality=90,
        deepest=10,
        held=60,
        encoding=6e-7,
    ),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        2**31 - 1,
        (8, 16, 32),
        True,
        "tiffsave",
        {"compression": "deflate", "predictor": "horizontal", "tile": True},
        frames=True,
        bands=True,
        cmyk=True,
    ),
    Format(
        "GIF",
        (".gif",),
        65_535,
        (8,),
        True,
        "gifsave",
        {"keep_duplicate_frames": True},
        frames=True,
        grey=False,
        encoding=4e-7,
    ),
)
FORMATS: dict[str, Format] = {form.name: form for form in _ALL}
BY_ENDING: dict[str, Format] = {ending: form for form in _ALL for ending in form.endings}


def format_of(path: Path) -> Format:
    """Return the format that the path's ending stands for. Raises BadPicture."""
    found = BY_ENDING.get(path.suffix.lower())
    if found is None:
        raise BadPicture(
            f"{path} cannot be written: pictures are written as {', '.join(FORMATS)}; "
            f"give the output one of their endings."
        )
    return found
