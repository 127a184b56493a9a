"""What a prepared store says of itself: its settings, its pictures, and what was left out."""

from typing import Literal, TypeAlias, get_args

import numpy as np
from pydantic import BaseModel, Field

from upres.data.crops import Pixels
from upres.data.split import Split
from upres.images.resize import ResizerName

RECORD, HR, LR = "store.json", "hr.bin", "lr.bin"  # the files of a store
CHANNELS = 3

Reason: TypeAlias = Literal["unreadable", "no picture", "too small", "duplicate"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class LeftOut(BaseModel, frozen=True, extra="forbid"):
    """A file that is not in the store; `detail` says what is wrong, or names the twin."""

    name: str  # path below the folder of photos, with slashes
    reason: Reason
    detail: str


class PrepareReport(BaseModel, frozen=True, extra="forbid"):
    """What became of the files of a folder."""

    files: int  # found in the folder, hidden ones aside
    photos: int  # kept
    megapixels: float  # of HR, kept
    pictures: dict[Split, int]  # in the store: photos, or their parts when `cut`
    cut: bool  # too few photos to spare whole ones: each was cut in two
    left_out: tuple[LeftOut, ...]
    near_duplicates: tuple[tuple[str, ...], ...]  # groups of names kept on one side of the split

    def names(self, reason: Reason) -> list[str]:
        """Return the names of the files left out for `reason`."""
        return [file.name for file in self.left_out if file.reason == reason]

    def summary(self) -> str:
        """Return one line: how many photos, how they are parted, how many files were left out."""
        parted = ", ".join(f"{count} {split}" for split, count in self.pictures.items() if count)
        how = "each cut in parts" if self.cut else "parted whole"
        noun = "photo" if self.photos == 1 else "photos"
        text = f"{self.photos} {noun} of {self.megapixels:.1f} MP, {how}: {parted}"
        counts = [(len(self.names(reason)), reason) for reason in REASONS]
        left_out = ", ".join(f"{count} {reason}" for count, reason in counts if count)
        return f"{text}; left out: {left_out}" if left_out else text


class Entry(BaseModel, frozen=True, extra="forbid"):
    """One picture: where its pixels are in hr.bin and lr.bin (uint8, rows of RGB)."""

    name: str  # of the photo; the two parts of a cut photo share it
    split: Split
    height: int = Field(gt=0)  # of HR; LR's is height / scale
    width: int = Field(gt=0)
    hr_offset: int = Field(ge=0)  # bytes
    hr_row: int = Field(gt=0)  # bytes from row to row: the width of the whole photo
    lr_offset: int = Field(ge=0)

    def hr(self, hr_bytes: Pixels) -> Pixels:
        """Return (height, width, 3), a view of the content of hr.bin."""
        return np.ndarray(
            (self.height, self.width, CHANNELS),
            np.uint8,
            buffer=hr_bytes,
            offset=self.hr_offset,
            strides=(self.hr_row, CHANNELS, 1),
        )

    def lr(self, lr_bytes: Pixels, scale: int) -> Pixels:
        """Return (height / scale, width / scale, 3), a view of the content of lr.bin."""
        shape = (self.height // scale, self.width // scale, CHANNELS)
        return np.ndarray(shape, np.uint8, buffer=lr_bytes, offset=self.lr_offset)


class StoreRecord(BaseModel, frozen=True, extra="forbid"):
    """The content of store.json."""

    format: Literal["upres-store-1"] = "upres-store-1"
    scale: int = Field(gt=0)
    resizer: ResizerName
    min_side: int = Field(gt=0)  # px; both sides of every training picture are at least this
    data_hash: str  # sha256 of scale, resizer and the ordered pixel hashes with their splits
    fingerprint: str  # of the folder of photos at the time
    hr_bytes: int = Field(gt=0)  # size of hr.bin and of lr.bin
    lr_bytes: int = Field(gt=0)
    report: PrepareReport
    entries: tuple[Entry, ...]
