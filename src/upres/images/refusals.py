"""Pictures that are refused because something of them could not be kept: their pages and values."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from upres.errors import BadPicture
from upres.images.tiff_directory import Page

_FORMATS = ("uchar", "ushort", "float")


def check_pages(path: Path, pages: list[Page]) -> None:
    """Raise BadPicture for TIFF pages whose values or sizes cannot be kept."""
    for page in pages[:1]:
        if page.lab:
            raise BadPicture(f"{path} holds Lab colours; convert it to RGB first.")
        supported = (1, 2, 4, 8, 16) if page.values == "unsigned" else (16, 32)
        if page.values in ("signed", "complex") or page.bits not in supported:
            raise BadPicture(
                f"{path} holds {page.values} values of {page.bits} bits; a picture of 8 or 16 "
                f"unsigned bits or of 32-bit floats was expected: convert it first."
            )
    whole = [page for page in pages if not page.reduced]
    for number, page in enumerate(whole, 1):
        if replace(page, reduced=False) != replace(whole[0], reduced=False):
            raise BadPicture(
                f"{path} has pages that differ: page 1 is {_page_text(whole[0])}, page {number} "
                f"{_page_text(page)}; save each page as a file of its own."
            )


def _page_text(page: Page) -> str:
    return f"{page.width}x{page.height} in {page.samples} x {page.bits} bits"


def whole_pages(pages: list[Page]) -> int | None:
    """Return how many pages of a TIFF are pictures of their own; None for other files.

    Smaller copies of the first page, as pyramids and previews are, are left out.
    """
    if not pages or pages[0].reduced:
        return None
    reduced = [page.reduced for page in pages]
    return 1 if all(reduced[1:]) else len(pages)


def check_values(path: Path, image: Any) -> None:
    """Raise BadPicture for values of libvips's image that are not kept by anything here."""
    if image.format not in _FORMATS or image.coding != "none":
        raise BadPicture(
            f"{path} holds {image.format if image.coding == 'none' else image.coding} values; "
            f"a picture of 8 or 16 bits or floats was expected: convert it first."
        )
    if image.interpretation in ("lab", "labs", "lch", "xyz", "yxy", "hsv"):
        raise BadPicture(f"{path} holds {image.interpretation} colours; convert it to RGB first.")
