"""A folder or a file in a store of any kind, as fsspec reaches it: s3://, memory://, a disk."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from upres.errors import BadSetting, MissingExtra


@dataclass(frozen=True)
class Place:
    """A folder or a file of a store. store: fsspec's."""

    store: Any
    path: str

    @property
    def local(self) -> bool:
        """Whether it is in the file system of this machine."""
        return "file" in tuple(self.store.protocol)

    def below(self, name: str) -> "Place":
        """Return what is called `name` in this folder."""
        return Place(self.store, f"{self.path.rstrip('/')}/{name}")


def place_of(address: str) -> Place:
    """Return the place of an address such as s3://bucket/folder, or of a plain path.

    Raises BadSetting for a kind of store that is not known here, MissingExtra.
    """
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra("fsspec", "cluster", f"reading {address}") from error
    try:
        store, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise BadSetting(f"{address} cannot be opened: {error}") from error
    return Place(store, str(path))


def address_of(path: Path) -> str:
    """Return the address that became a path: pathlib makes s3:/bucket of s3://bucket."""
    kind, colon, rest = str(path).partition(":/")
    if not colon or len(kind) < 2 or "/" in kind:
        return str(path)
    return f"{kind}:///{rest}" if kind in ("file", "local", "memory") else f"{kind}://{rest}"


def files_in(folder: Place) -> Iterator[tuple[str, int]]:
    """Yield the name below the folder and the size of each file; nothing where it is missing."""
    if folder.store.exists(folder.path):
        for found, told in folder.store.find(folder.path, detail=True).items():
            yield str(PurePosixPath(found).relative_to(folder.path)), int(told["size"])


def put_whole(file: Path, place: Place) -> None:
    """Put a file into a store so that nobody sees half of it.

    Stores of objects show an object when it is complete; elsewhere it is renamed.
    """
    folder, _, name = place.path.rpartition("/")
    place.store.makedirs(folder, exist_ok=True)
    if not place.local:
        place.store.put_file(str(file), place.path)
        return
    partial = f"{folder}/.{name}.{secrets.token_hex(4)}.part"
    try:
        place.store.put_file(str(file), partial)
        place.store.mv(partial, place.path)
    finally:
        if place.store.exists(partial):
            place.store.rm_file(partial)


@contextlib.contextmanager
def answering(address: str) -> Iterator[None]:
    """Raise BadSetting for what a store raises, whose errors are of its own kinds."""
    try:
        yield
    except Exception as error:
        raise BadSetting(
            f"{address} cannot be read ({reason_of(error)}): check the address and that you may "
            "read it."
        ) from error


def reason_of(error: Exception) -> str:
    """Return the kind of an error and the first line that it says."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def lies_in(one: Place, other: Place) -> bool:
    """Return whether `one` is in the folder `other`, or is it."""
    same = type(one.store) is type(other.store)
    return same and PurePosixPath(one.path).is_relative_to(other.path)
