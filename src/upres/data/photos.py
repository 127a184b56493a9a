"""Finding the photos of a folder, and telling whether the folder has changed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from upres.errors import BadPhotos
from upres.images.files import PICTURE_SUFFIXES


@dataclass(frozen=True)
class FoundFiles:
    """The files in and below a folder, each list in the order of their names."""

    folder: Path
    pictures: list[Path]  # with a picture's ending
    others: list[Path]

    def name(self, path: Path) -> str:
        """Return the path of a file below the folder, with slashes on every system."""
        return path.relative_to(self.folder).as_posix()


def find_files(folder: Path, *, skip: Path | None = None) -> FoundFiles:
    """Return all files in `folder` and below, without hidden ones and without those in `skip`.

    Links to folders are followed, once each. Raises BadPhotos when there is no such folder or
    one below it may not be read.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise BadPhotos(f"{folder} {what}; give a folder of photos.")
    found = sorted(_walk(folder, skip), key=lambda path: path.relative_to(folder).as_posix())
    pictures = [path for path in found if path.suffix.lower() in PICTURE_SUFFIXES]
    others = [path for path in found if path.suffix.lower() not in PICTURE_SUFFIXES]
    return FoundFiles(folder, pictures, others)


def folder_fingerprint(folder: Path) -> str:
    """Return a sha256 of the names, sizes and times of change of the pictures in `folder`.

    It changes when a photo is added, removed, renamed or rewritten; other files do not matter.
    Raises BadPhotos as `find_files` does.
    """
    digest, files = hashlib.sha256(), find_files(folder)
    for path in files.pictures:
        try:
            status = path.stat()
            facts = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            facts = "gone"  # a link to nowhere
        digest.update(f"{files.name(path)}\0{facts}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _walk(folder: Path, skip: Path | None) -> list[Path]:
    found: list[Path] = []
    waiting, seen = [folder], set()
    if skip is not None and skip.is_dir():
        seen.add(_identity(skip))
    while waiting:
        current = waiting.pop()
        try:
            identity = _identity(current)
            entries = [entry for entry in current.iterdir() if not entry.name.startswith(".")]
        except OSError as error:
            raise BadPhotos(f"{current} cannot be read: {error.strerror}.") from error
        if identity in seen:
            continue
        seen.add(identity)
        waiting += [entry for entry in entries if entry.is_dir()]
        found += [entry for entry in entries if not entry.is_dir()]
    return found


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
