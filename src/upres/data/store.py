"""A folder of photos, decoded once: one prepared folder that training reads as memory.

store.json says what it is, photos.jsonl has a line a photo, hr.bin and lr.bin hold the pixels.
The folder may be moved and copied; nothing in it is a path.
"""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from upres.data.appending import Progress
from upres.data.photos import folder_fingerprint
from upres.data.pictures import Part, Pictures, PictureTable
from upres.data.pixels import HR, LR, PixelMap, map_pixels, sample_hash
from upres.data.preparing import prepare
from upres.data.records import RECORD, PrepareReport, StoreRecord, read_store
from upres.data.split import SPLITS, Split
from upres.errors import BadPhotos
from upres.images.resize import ResizerName

__all__ = ["PrepareReport", "Progress", "Store", "open_store", "prepare", "prepared_store"]


@dataclass(frozen=True, eq=False)
class Store:
    """A prepared folder, open for reading. `record` is all that store.json says."""

    path: Path
    record: StoreRecord
    table: PictureTable
    hr: PixelMap
    lr: PixelMap

    @property
    def scale(self) -> int:
        return self.record.scale

    @property
    def resizer(self) -> ResizerName:
        return self.record.resizer

    @property
    def data_hash(self) -> str:
        """The sha256 of scale, resizer and all pixels with their splits, in order."""
        return self.record.data_hash

    @property
    def stamp(self) -> str:
        """Sizes and times of change of the files that hold pixels, when they were opened.

        The same stamp at the same place: very likely the same pixels. A copy has another one.
        """
        return f"{self.hr.stamp} {self.lr.stamp}"

    @property
    def report(self) -> PrepareReport:
        return self.record.report

    def pictures(self, split: Split, *, min_side: int = 1) -> Pictures:
        """Return the pictures of one side of the split, views of the files, ordered by content.

        min_side: pictures with a shorter HR side are left out. Raises BadPhotos when that leaves
        none of a side that has some; a side that is empty gives an empty sequence.
        """
        return Pictures([self.part(split, min_side=min_side)])

    def part(self, split: Split, *, min_side: int = 1) -> Part:
        """Return the pictures of one side as a part of several stores'. Raises as `pictures`."""
        table = self.table
        places = np.flatnonzero(table.split == SPLITS.index(split))
        sides = table.shorter_side()[places]
        large = places[sides >= min_side]
        if places.size and not large.size:
            raise BadPhotos(
                f"{self.path}: no {split} picture has {min_side} px on its shorter side "
                f"(the largest has {sides.max()}); use a smaller patch or larger photos."
            )
        return Part(table, large, self.hr, self.lr, self.scale)


def open_store(path: Path) -> Store:
    """Return the store in a folder that `prepare` wrote.

    Sizes, the whole of photos.jsonl, and some blocks of the pixels are compared with store.json;
    `verifying.verify` compares all. Raises BadPhotos when there is no store, or when it is damaged
    or of another version.
    """
    again = f"prepare it again with `upres prepare FOLDER {path}`."
    record, table = read_store(path)
    for name, size in {HR: record.hr_bytes, LR: record.lr_bytes}.items():
        file = path / name
        found = file.stat().st_size if file.is_file() else 0
        if found != size:
            raise BadPhotos(f"{file} has {found} bytes, but {RECORD} says {size}; {again}")
    if sample_hash(path) != record.samples_sha256:
        raise BadPhotos(
            f"{path} has other pixels than those that were prepared: see which with "
            f"`upres prepare --verify {path}`, or {again}"
        )
    return Store(path, record, table, map_pixels(path / HR), map_pixels(path / LR))


def prepared_store(
    folder: Path,
    cache: Path,
    *,
    scale: int,
    resizer: ResizerName = "matlab",
    min_side: int = 128,
    progress: Progress | None = None,
) -> Store:
    """Return the store of a folder of photos, prepared in `cache` now or by an earlier call.

    It is prepared again when a setting or the folder has changed: a photo added, removed,
    renamed or rewritten; photos that are still there keep their side of the split as long as
    each side has some. Raises as `prepare` does.
    """
    key = hashlib.sha256(json.dumps([str(folder.resolve()), scale, resizer, min_side]).encode())
    path = cache / f"{folder.resolve().name}-x{scale}-{key.hexdigest()[:12]}"
    fingerprint = folder_fingerprint(folder)
    with contextlib.suppress(BadPhotos):
        store = open_store(path)
        if store.record.fingerprint == fingerprint:
            return store
    prepare(
        folder,
        path,
        scale=scale,
        resizer=resizer,
        min_side=min_side,
        may_part_anew=True,
        progress=progress,
    )
    return open_store(path)
