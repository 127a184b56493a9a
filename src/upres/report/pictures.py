"""The pictures of a report, and the folder that a run keeps them in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from upres.errors import BadPicture
from upres.images.files import Picture, read_rgb, write_picture

Pixels = NDArray[np.uint8]

HR, LR = "HR", "LR"  # folders beside those of the rows
DATASET = "validation"  # where pictures of no named dataset are kept


@dataclass(frozen=True, eq=False)
class ReportPicture:
    """One picture as every row of an evaluation shows it.

    hr: uint8 (H, W, 3) RGB. rows: the same picture enlarged, by the row's name, each as large as
    hr. lr: what was enlarged, uint8 (h, w, 3) with H = scale * h, if it is to be shown.
    Raises ValueError when the sizes do not fit.
    """

    name: str
    hr: Pixels
    rows: Mapping[str, Pixels]
    dataset: str = ""
    lr: Pixels | None = None

    def __post_init__(self) -> None:
        for row, pixels in self.rows.items():
            if pixels.shape != self.hr.shape:
                raise ValueError(f"row {row!r} of {self.name} is {pixels.shape}, not that of hr")
        if self.lr is not None and not _fits(self.lr, self.hr):
            raise ValueError(f"the lr of {self.name} is {self.lr.shape}, hr is {self.hr.shape}")

    @property
    def scale(self) -> int:
        """How many times hr is as large as lr; 1 where no lr is given."""
        return 1 if self.lr is None else self.hr.shape[0] // self.lr.shape[0]


def save_pictures(folder: Path, pictures: Iterable[ReportPicture]) -> None:
    """Write folder/<dataset or "validation">/<row, HR or LR>/<name>.png for each picture.

    Names are percent-encoded where a file system needs it ("run/gan" is the folder "run%2Fgan").
    Raises NoSpace; ValueError when a row is called HR or LR.
    """
    for picture in pictures:
        if {HR, LR} & set(picture.rows):
            raise ValueError(f"{picture.name}: no row can be called {HR} or {LR}")
        sides = {**picture.rows, HR: picture.hr}
        if picture.lr is not None:
            sides[LR] = picture.lr
        for row, pixels in sides.items():
            save_side(folder / _encoded(picture.dataset or DATASET), row, picture.name, pixels)


def save_side(dataset: Path, side: str, name: str, pixels: Pixels) -> None:
    """Write dataset/<side>/<name>.png, as `load_pictures` reads it. Raises NoSpace.

    dataset: the folder of one dataset. side: a row, HR or LR. pixels: uint8 (h, w, 3) RGB.
    """
    write_picture(dataset / _encoded(side) / f"{_encoded(name)}.png", Picture(pixels=pixels))


def load_pictures(folder: Path) -> list[ReportPicture]:
    """The pictures that `save_pictures` wrote, by dataset and name; none if there is no folder.

    A row that lacks a picture is left out for that picture. Raises BadPicture for a file that
    cannot be read or is not as large as its HR picture.
    """
    hr_files = sorted(folder.glob(f"*/{HR}/*.png"))
    return [_load(hr_file) for hr_file in hr_files]


def merge_pictures(groups: Iterable[Iterable[ReportPicture]]) -> list[ReportPicture]:
    """All pictures; those of one dataset, name and HR side become one with the rows of all."""
    merged: dict[tuple[str, str, bytes], ReportPicture] = {}
    for picture in (picture for group in groups for picture in group):
        key = (picture.dataset, picture.name, picture.hr.tobytes())
        known = merged.get(key, picture)
        rows, lr = {**known.rows, **picture.rows}, known.lr if known.lr is not None else picture.lr
        merged[key] = replace(known, rows=rows, lr=lr)
    return list(merged.values())


def _load(hr_file: Path) -> ReportPicture:
    dataset, name = hr_file.parent.parent, unquote(hr_file.stem)
    hr = read_rgb(hr_file)
    rows: dict[str, Pixels] = {}
    lr: Pixels | None = None
    for file in sorted(dataset.glob(f"*/{hr_file.name}")):
        row = unquote(file.parent.name)
        if row == HR:
            continue
        pixels = read_rgb(file)
        if not _fits(pixels, hr) or (row != LR and pixels.shape != hr.shape):
            raise BadPicture(
                f"{file} is {pixels.shape[1]}x{pixels.shape[0]}, which does not fit {hr_file} "
                f"({hr.shape[1]}x{hr.shape[0]}); remove one of the two."
            )
        if row == LR:
            lr = pixels
        else:
            rows[row] = pixels
    return ReportPicture(name, hr, rows, unquote(dataset.name), lr)


def _fits(lr: Pixels, hr: Pixels) -> bool:
    (h, w), (hr_h, hr_w) = lr.shape[:2], hr.shape[:2]
    return (hr_h % h, hr_w % w, hr_h // h) == (0, 0, hr_w // w)


def _encoded(name: str) -> str:
    return quote(name, safe=" ()+,=@") if name.strip(".") else quote(name).replace(".", "%2E")
