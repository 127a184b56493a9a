"""Writing a whole folder so that a reader sees the old one, or none, or the complete new one."""

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from upres.errors import NoSpace

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it is synced and takes `path`'s place.

    On any failure, Ctrl-C included, it is removed and what stood at `path` is untouched. What a
    killed process left behind is removed by the next one that replaces the same folder.
    Raises NoSpace when the disk is full or the place cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    lock = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        lock = _locked_folder(partial)
        yield partial
        _sync(partial)
        _swap(partial, path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NoSpace(
            f"{path} could not be written: {reason}; nothing half-written is left."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _swap(partial: Path, path: Path) -> None:
    old = partial.with_suffix(".old.part")
    replaces = path.exists()
    if replaces:
        path.rename(old)
    try:
        partial.rename(path)
    except OSError:
        if replaces:
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    for file in folder.iterdir():
        with file.open("rb+") as written:
            os.fsync(written.fileno())


def _locked_folder(partial: Path) -> int | None:
    """Make the folder and lock it for as long as this process lives: others leave it alone.

    It gets its final name with the lock already held, so that no other process takes it for a
    leftover in between.
    """
    if sys.platform == "win32":
        partial.mkdir()
        return None
    fresh = partial.with_suffix(".new")
    fresh.mkdir()
    lock = os.open(fresh, os.O_RDONLY)
    with contextlib.suppress(OSError):  # some network disks have no locks
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fresh.rename(partial)
    return lock


def _remove_leftovers(path: Path) -> None:
    if sys.platform == "win32":
        return
    for leftover in path.parent.iterdir():
        name = leftover.name
        if not (name.startswith(f".{path.name}.") and name.endswith(".part")):
            continue
        with contextlib.suppress(OSError):  # locked: somebody is still writing it
            lock = os.open(leftover, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
            finally:
                os.close(lock)
