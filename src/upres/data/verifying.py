"""Comparing every pixel of a store with the hashes from when it was prepared."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from upres.data.appending import Progress
from upres.data.pixels import HR, LR, PixelFile, pixel_hash
from upres.data.records import PhotoRecord, StoreRecord, read_photos, read_store
from upres.data.store import Store
from upres.errors import BadPhotos, WorkFailed


@dataclass(frozen=True)
class Verified:
    """What a look at all pixels of a store found."""

    path: Path
    photos: int
    damaged: tuple[str, ...]  # one entry a photo or file, with what is wrong

    def refuse_damaged(self) -> None:
        """Raise WorkFailed when something is damaged."""
        if self.damaged:
            raise WorkFailed(
                f"{self.path} is damaged: {len(self.damaged)} of its {self.photos} photos or files "
                f"(first {self.damaged[0]}); prepare it again with "
                f"`upres prepare FOLDER {self.path}`, or copy it again."
            )


def verify(store: Path, *, progress: Progress | None = None) -> Verified:
    """Read every picture of a store and compare its pixels with their hashes.

    Raises BadPhotos when there is no store, or when what it says of itself is damaged.
    """
    record, _ = read_store(store)
    tell = progress or (lambda what, done, total: None)
    damaged = _wrong_sizes(store, record)
    total = record.report.photos
    done = 0
    with ExitStack() as stack:
        hr, lr = (_opened(stack, store / name) for name in (HR, LR))
        for photo in read_photos(store):
            tell("verifying", done, total)
            damaged += _damage(photo, hr, lr, record.scale)
            done += 1
    tell("verifying", total, total)
    return Verified(store, done, tuple(damaged))


def refuse_other_pixels(store: Store, stamp: str | None) -> None:
    """Verify a store whose files are not those that a run began with, to go on with that run.

    stamp: the store's `stamp` at that time; None where it is not known. The same sizes and times
    of change are taken for the same pixels; a copy, whose times differ, is read as a whole.
    Raises BadPhotos when pixels have changed.
    """
    if stamp is None or stamp == store.stamp:
        return
    verified = verify(store.path)
    if verified.damaged:
        raise BadPhotos(
            f"{store.path} has changed since the run began: {len(verified.damaged)} of its "
            f"{verified.photos} photos have other pixels (first {verified.damaged[0]}); prepare it "
            f"again with `upres prepare FOLDER {store.path}`, or copy it again."
        )


def _opened(stack: ExitStack, path: Path) -> PixelFile | None:
    return PixelFile(stack.enter_context(path.open("rb"))) if path.is_file() else None


def _wrong_sizes(store: Path, record: StoreRecord) -> list[str]:
    wrong = []
    for name, size in ((HR, record.hr_bytes), (LR, record.lr_bytes)):
        found = (store / name).stat().st_size if (store / name).is_file() else None
        if found is None:
            wrong.append(f"{name}: is missing")
        elif found != size:
            wrong.append(f"{name}: has {found} bytes, not {size}")
    return wrong


def _damage(
    photo: PhotoRecord, hr: PixelFile | None, lr: PixelFile | None, scale: int
) -> list[str]:
    """What is wrong with a photo, in at most one entry."""
    wrong = []
    if _hash_at(hr, photo.hr_offset, photo.height, photo.width) != photo.sha256:
        wrong.append("HR")
    for piece in photo.pieces:
        size = (piece.height // scale, piece.width // scale)
        if _hash_at(lr, piece.lr_offset, *size) != piece.lr_sha256:
            wrong.append(f"LR of its {piece.split} part" if len(photo.pieces) > 1 else "LR")
    return [f"{photo.name}: {' and '.join(wrong)}"] if wrong else []


def _hash_at(file: PixelFile | None, offset: int, height: int, width: int) -> str | None:
    if file is None:
        return None
    try:
        return pixel_hash(file.read(offset, height, width))
    except EOFError:
        return None
