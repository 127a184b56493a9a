"""What a prepared store says of itself: settings, what was left out, and a line a photo."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from upres.data.pictures import PictureTable
from upres.data.pixels import CHANNELS, file_hash
from upres.data.split import SPLITS, Photo, Split, as_rows
from upres.errors import BadPhotos
from upres.images.resize import ResizerName

RECORD, PHOTOS = "store.json", "photos.jsonl"

Reason: TypeAlias = Literal["unreadable", "no picture", "too small", "duplicate", "between sides"]
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
    reused: int  # of them, taken from the older store without decoding
    megapixels: float  # of HR, kept
    pictures: dict[Split, int]  # in the store: photos, or their parts when `cut`
    cut: bool  # there were too few photos to spare whole ones: some or all are cut in two
    left_out: tuple[LeftOut, ...]
    near_duplicates: tuple[tuple[str, ...], ...]  # groups of names kept on one side of the split

    def names(self, reason: Reason) -> list[str]:
        """Return the names of the files left out for `reason`."""
        return [file.name for file in self.left_out if file.reason == reason]

    def summary(self) -> str:
        """Return one line: how many photos, how they are parted, how many files were left out."""
        parted = ", ".join(f"{count} {split}" for split, count in self.pictures.items() if count)
        parts = "some" if self.pictures["test"] else "each"
        how = f"{parts} cut in parts" if self.cut else "parted whole"
        noun = "photo" if self.photos == 1 else "photos"
        old = f" ({self.reused} from the older store)" if self.reused else ""
        text = f"{self.photos} {noun} of {self.megapixels:.1f} MP{old}, {how}: {parted}"
        counts = [(len(self.names(reason)), reason) for reason in REASONS]
        left_out = ", ".join(f"{count} {reason}" for count, reason in counts if count)
        return f"{text}; left out: {left_out}" if left_out else text


class StoreRecord(BaseModel, frozen=True, extra="forbid"):
    """The content of store.json."""

    format: Literal["upres-store-2"] = "upres-store-2"
    scale: int = Field(gt=0)
    resizer: ResizerName
    min_side: int = Field(gt=0)  # px; both sides of every training picture are at least this
    data_hash: str  # sha256 of scale, resizer and the ordered pixel hashes with their splits
    fingerprint: str  # of the folder of photos at the time
    hr_bytes: int = Field(gt=0)  # size of hr.bin and of lr.bin
    lr_bytes: int = Field(gt=0)
    photos_sha256: str  # of photos.jsonl
    samples_sha256: str  # of a few blocks of hr.bin and lr.bin, as `sample_hash` reads them
    report: PrepareReport


@dataclass(frozen=True, slots=True)
class PieceRecord:
    """A picture of the store: a photo's rectangle, its side of the split, its LR."""

    place: int  # among the pictures of the store, which are ordered by content
    split: Split
    top: int  # px of HR, in the photo
    left: int
    height: int
    width: int
    lr_offset: int  # bytes, in lr.bin; (height / scale, width / scale, 3) follow
    lr_sha256: str


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """A photo of the store, a line of photos.jsonl, in the order of hr.bin."""

    name: str
    file_bytes: int  # of the photo's file, and when it was last changed
    file_time: int  # ns
    sha256: str  # of size and pixels
    looks: str  # difference hash, in hexadecimal
    height: int
    width: int
    hr_offset: int  # bytes, in hr.bin; (height, width, 3) follow
    pieces: tuple[PieceRecord, ...]  # most have one, the whole photo

    def photo(self) -> Photo:
        """Return what decides its side of the split."""
        return Photo(self.sha256, self.height, self.width, bytes.fromhex(self.looks))

    def line(self) -> bytes:
        """Return it as JSON in one line."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


def read_photos(store: Path) -> Iterator[PhotoRecord]:
    """Yield the photos of a store one by one.

    Raises OSError, and ValueError, KeyError or TypeError for what `prepare` never wrote.
    """
    with (store / PHOTOS).open("rb") as lines:
        for line in lines:
            fields: dict[str, Any] = json.loads(line)
            pieces = tuple(PieceRecord(**piece) for piece in fields.pop("pieces"))
            yield PhotoRecord(**fields, pieces=pieces)


def read_table(store: Path) -> PictureTable:
    """Return where each picture is, in the order of their places. Raises as `read_photos`."""
    rows, names = array("Q"), bytearray()  # nine numbers a picture
    for photo in read_photos(store):
        name, row = photo.name.encode(), photo.width * CHANNELS
        for piece in photo.pieces:
            start = photo.hr_offset + piece.top * row + piece.left * CHANNELS
            rows.extend((piece.place, SPLITS.index(piece.split), piece.height, piece.width))
            rows.extend((start, row, piece.lr_offset, len(names), len(name)))
        names += name
    table = np.frombuffer(rows, np.uint64).reshape(-1, 9)
    table = table[np.argsort(table[:, 0], kind="stable")]
    if not np.array_equal(table[:, 0], np.arange(len(table), dtype=np.uint64)):
        raise ValueError("the pictures have no order")
    return PictureTable(
        split=table[:, 1].astype(np.uint8),
        height=table[:, 2].astype(np.uint32),
        width=table[:, 3].astype(np.uint32),
        hr_offset=table[:, 4].copy(),
        hr_row=table[:, 5].astype(np.uint32),
        lr_offset=table[:, 6].copy(),
        name_start=table[:, 7].copy(),
        name_bytes=table[:, 8].astype(np.uint32),
        names=bytes(names),
    )


def read_looks(store: Path) -> NDArray[np.uint8]:
    """Return the packed difference hash of each picture's photo, (n, 32), by their places.

    Raises as `read_photos` does.
    """
    photos = [(piece.place, photo.looks) for photo in read_photos(store) for piece in photo.pieces]
    return as_rows(bytes.fromhex(looks) for _, looks in sorted(photos))


def read_store(path: Path) -> tuple[StoreRecord, PictureTable]:
    """Return what a store says of itself, without a look at the pixels.

    Raises BadPhotos when there is none, or when store.json or photos.jsonl is damaged.
    """
    try:
        text = (path / RECORD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPhotos(
            f"{path} is no prepared store (it has no readable {RECORD}); "
            f"make one with `upres prepare FOLDER {path}`."
        ) from error
    damaged = "is damaged or of another version of upres; prepare it again with"
    try:
        record = StoreRecord.model_validate_json(text)
    except ValidationError as error:
        raise BadPhotos(f"{path / RECORD} {damaged} `upres prepare FOLDER {path}`.") from error
    try:
        if file_hash(path / PHOTOS) != record.photos_sha256:
            raise ValueError("other photos than store.json says")
        return record, read_table(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPhotos(f"{path / PHOTOS} {damaged} `upres prepare FOLDER {path}`.") from error
