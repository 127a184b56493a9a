"""One process trains in a run's folder at a time."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from upres.errors import BadRun

try:
    import fcntl
except ImportError:  # Windows has no such locks: there two processes are not kept apart
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"  # its name in the run's folder; gone when the run ends, left by a killed process
_TAKEN = (errno.EACCES, errno.EAGAIN)


@contextlib.contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process until the block ends, or the process does, however it ends.

    Makes the folder if need be, and takes it away again if the block left it empty. Where there
    are no locks, as on some network disks, or the folder cannot be written, nothing is held.
    Raises BadRun when another process, of this machine or one that shares the disk, trains there.
    """
    new = not folder.exists()
    held = _locked(folder)
    try:
        yield
    finally:
        if held is not None:
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink()
            held.close()
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _locked(folder: Path) -> IO[str] | None:
    if fcntl is None:
        return None
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / LOCK).open("a+", encoding="utf-8")
        except OSError:
            return None  # what is wrong will be said where the run is opened
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(file, folder):
                _sign(file)
                return file
        except OSError as error:
            owner = _owner(file)
            file.close()
            if error.errno not in _TAKEN:
                return None
            raise BadRun(
                f"another process{owner} trains in {folder}: wait until it ends, or give --out "
                "another folder."
            ) from None
        file.close()  # its owner ended between our two looks and took it away


def _is_still_there(file: IO[str], folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False


def _sign(file: IO[str]) -> None:
    # Not through the file's buffer, which would be written once more, and fail, at its end.
    with contextlib.suppress(OSError):  # on a full disk the lock holds without a name
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.getpid()} {socket.gethostname()}".encode())


def _owner(file: IO[str]) -> str:
    with contextlib.suppress(OSError):
        file.seek(0)
        match file.read().split():
            case [number, machine] if machine == socket.gethostname():
                return f" ({number})"
            case [number, machine]:
                return f" ({number} on {machine})"
    return ""
