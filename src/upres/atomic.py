"""Writing files so that a reader sees the old content or the new, never half of it."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from upres.errors import NoSpace


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`.

    The temporary name keeps the suffix, so writers that choose a format by it work. On any
    failure the temporary file is removed and what stood at `path` is untouched.
    Raises NoSpace when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()  # a folder that may not be written is told before the work, and as such
        yield partial
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError as error:
        raise _explained(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path` by `text` (UTF-8). Raises NoSpace."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def refuse_target(path: Path) -> None:
    """Raise NoSpace, before any work, where nothing could be written to `path` after it."""
    try:
        found = _obstacle(path)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise _explained(path, error) from error
    if found is not None:
        raise _explained(path, OSError(found, os.strerror(found)))


def _obstacle(path: Path) -> int | None:
    there = next(part for part in path.absolute().parents if part.exists())
    if path.is_dir():
        return errno.EISDIR
    if not there.is_dir():
        return errno.ENOTDIR
    return None if os.access(there, os.W_OK) else errno.EACCES


def _explained(path: Path, error: OSError) -> OSError | NoSpace:
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "it would be larger than the disk or this process may have it",
        errno.EIO: "the disk reports an error",
        errno.EACCES: "the folder may not be written",
        errno.EPERM: "the folder may not be written",
        errno.EROFS: "the file system is read-only",
        errno.ENOTDIR: "a part of its path is a file",
        errno.EEXIST: "a part of its path is a file",
        errno.EISDIR: "it is a folder",
        errno.ENAMETOOLONG: "its name is too long",
    }
    reason = reasons.get(error.errno or 0)
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        reason = "its folder cannot be made"
    if reason is None:
        return error
    return NoSpace(f"{path} could not be written: {reason}; nothing half-written is left.")
