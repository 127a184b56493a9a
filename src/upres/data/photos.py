"""Finding the photos of a folder, and telling whether the folder has changed."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from upres.errors import BadPhotos
from upres.images.files import PICTURE_SUFFIXES


@dataclass(frozen=True)
class FoundFiles:
    """The files in and below a folder: names below it with slashes on every system, sorted."""

    folder: Path
    pictures: list[str]  # with a picture's ending
    others: list[str]

    def fingerprint(self) -> str:
        """Return a sha256 of the names, sizes and times of change of the pictures.

        It changes when a photo is added, removed, renamed or rewritten; other files do not matter.
        """
        digest = hashlib.sha256()
        for name in self.pictures:
            try:
                status = (self.folder / name).stat()
                facts = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                facts = "gone"  # a link to nowhere
            digest.update(f"{name}\0{facts}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


def find_files(folder: Path, *, skip: Path | None = None) -> FoundFiles:
    """Return all files in `folder` and below, without hidden ones and without those in `skip`.

    Links to folders are followed, once each. Raises BadPhotos when there is no such folder or
    one below it may not be read.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise BadPhotos(f"{folder} {what}; give a folder of photos.")
    found = sorted(_walk(folder, skip))
    pictures = [name for name in found if _ending(name) in PICTURE_SUFFIXES]
    others = [name for name in found if _ending(name) not in PICTURE_SUFFIXES]
    return FoundFiles(folder, pictures, others)


def folder_fingerprint(folder: Path) -> str:
    """Return the fingerprint of the pictures in `folder`. Raises BadPhotos as `find_files` does."""
    return find_files(folder).fingerprint()


def printable(name: str) -> str:
    """Return a file's name with bytes that are no text written as \\xNN."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _walk(folder: Path, skip: Path | None) -> list[str]:
    """Names only: a path object for each of very many photos would be most of the memory."""
    found: list[str] = []
    waiting, seen = [""], set()
    if skip is not None and skip.is_dir():
        seen.add(_identity(skip))
    while waiting:
        below = waiting.pop()
        current = folder / below
        try:
            identity = _identity(current)
            if identity in seen:
                continue
            seen.add(identity)
            with os.scandir(current) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        name = f"{below}{entry.name}"
                        if entry.is_dir():
                            waiting.append(f"{name}/")
                        else:
                            found.append(name)
        except OSError as error:
            raise BadPhotos(f"{current} cannot be read: {error.strerror}.") from error
    return found


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
