"""One file from the internet: continued where it stopped, checked before it gets its name."""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from upres.errors import BadWeights, NoSpace
from upres.weights.tensors import file_sha256

try:
    import fcntl
except ImportError:  # Windows has no such locks: there two downloads are not kept apart
    fcntl = None  # type: ignore[assignment]

Progress = Callable[[int, int], None]  # bytes so far, bytes in all

_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 20


def download_file(
    address: str,
    target: Path,
    *,
    sha256: str,
    n_bytes: int | None,
    progress: Progress | None = None,
) -> None:
    """Fetch `address` into `target`, which appears only when whole and of the right checksum.

    sha256: of the content, or its first digits. n_bytes: None asks the server.
    What an earlier try left in `target`.part is continued, not fetched again; a lost connection
    is taken up again as long as each try brings something. Where another process fetches the same
    file, it is waited for.
    Raises ConnectionError with the reason when the address cannot be reached, BadWeights when its
    content is not what was published (nothing is kept then), NoSpace when the folder cannot be
    written.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        alone = contextlib.ExitStack()
        alone.enter_context(_alone(part))
    except OSError as error:
        raise NoSpace(_unwritable(target, error)) from error
    with alone:
        if target.is_file():  # another process has fetched it meanwhile
            part.unlink()
            return
        _fetch(address, part, sha256=sha256, n_bytes=n_bytes, progress=progress or _silent)
        part.replace(target)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Hold `part`, which is made where it is not: the first jobs of a cluster fetch all at once."""
    if fcntl is None:
        part.touch()
        yield  # not open: Windows renames no open file
        return
    while True:
        with part.open("ab") as file:
            with contextlib.suppress(OSError):  # some network disks have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file.fileno(), part):
                yield
                return


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is still what `path` names: who held it may have moved it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _fetch(
    address: str, part: Path, *, sha256: str, n_bytes: int | None, progress: Progress
) -> None:
    """Complete `part` and check it; one that is not what was published is removed."""
    total = _length(address) if n_bytes is None else n_bytes
    while (size := part.stat().st_size) < total:
        reason = _fetch_more(address, part, total, progress)
        if reason and part.stat().st_size <= size:
            raise ConnectionError(f"{reason}, after {size} of {total} bytes of {address}")
    found = file_sha256(part)
    if not found.startswith(sha256):
        part.unlink()
        raise BadWeights(
            f"{address} gave a file of sha256 {found}, expected {sha256}, so it was not kept: "
            "try again, and if it stays so get the file another way and name its folder "
            "with --weights-dir."
        )


def _length(address: str) -> int:
    """How many bytes the server says that there are. Raises ConnectionError."""
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:
            length: int | None = answer.length
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"{_reason(error)}, asking for {address}") from error
    if length is None:
        raise ConnectionError(f"the server does not say how long {address} is")
    return length


def _fetch_more(address: str, part: Path, n_bytes: int, progress: Progress) -> str:
    """Append to `part` until the answer ends; return why it ended early, or nothing."""
    size = part.stat().st_size
    request = urllib.request.Request(address, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            continued = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            return _receive(answer, part, "ab" if continued else "wb", n_bytes, progress)
    except (OSError, http.client.HTTPException) as error:
        return _reason(error)


def _reason(error: Exception) -> str:
    match error:
        case urllib.error.HTTPError():
            return f"the server answers {error.code} {error.reason}"
        case urllib.error.URLError():
            return f"{error.reason}"
        case _:
            return f"{error}" or type(error).__name__


def _receive(
    answer: http.client.HTTPResponse, part: Path, mode: str, n_bytes: int, progress: Progress
) -> str:
    with part.open(mode) as file:
        progress(file.tell(), n_bytes)
        while chunk := answer.read(_CHUNK_BYTES):
            try:
                file.write(chunk)
            except OSError as error:
                raise NoSpace(_unwritable(part, error)) from error
            progress(file.tell(), n_bytes)
        return "" if file.tell() >= n_bytes else "the connection ended early"


def _unwritable(path: Path, error: OSError) -> str:
    return f"{path} could not be written ({error.strerror}): make room or choose another folder."


def _silent(done: int, total: int) -> None:
    pass
