"""One picture from a stream of bytes to another: standard input and output."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from upres.batch.events import Written
from upres.batch.jobs import Job
from upres.errors import NoSpace, UpresError
from upres.images.formats import FORMATS
from upres.images.opening import open_picture

INPUT, OUTPUT = "standard input", "standard output"


def upscale_piped(
    read: IO[bytes] | Path,
    write: IO[bytes] | Path,
    work: Callable[[Job], Written],
    *,
    ending: str | None = None,
) -> Written:
    """Enlarge the picture that `read` holds, and write the result once it is whole.

    read, write: a binary stream, or a file; files are passed to `work` as they are, a stream goes
    through a temporary file, so the picture need not fit into memory. ending: the format of a
    result that goes to a stream, such as ".png"; None is the input's own, or PNG.
    Raises as `work` does, NoSpace; messages call the streams standard input and standard output.
    """
    with tempfile.TemporaryDirectory(prefix="upres-") as folder:
        source = read if isinstance(read, Path) else Path(folder, "input")
        target: Path | None = write if isinstance(write, Path) else None
        try:
            if not isinstance(read, Path):
                _copy(read, source, f"{INPUT} could not be kept in {tempfile.gettempdir()}")
            if target is None:
                target = Path(folder, f"output{ending or _ending_of(source)}")
            written = work(Job(source, target))
        except UpresError as error:
            told = str(error)
            if not isinstance(read, Path):
                told = told.replace(str(source), INPUT)
            if target is not None and not isinstance(write, Path):
                there = f"{OUTPUT} (kept in {tempfile.gettempdir()})"
                told = told.replace(str(target), there if isinstance(error, NoSpace) else OUTPUT)
            error.args = (told,)
            raise
        if not isinstance(write, Path):
            _copy(target, write, f"{OUTPUT} could not be written")
        return written


def _copy(read: IO[bytes] | Path, write: IO[bytes] | Path, failed: str) -> None:
    """Copy all bytes. Raises NoSpace that begins with `failed`; BrokenPipeError as it is."""
    try:
        with contextlib.ExitStack() as files:
            held = files.enter_context(read.open("rb")) if isinstance(read, Path) else read
            gets = files.enter_context(write.open("wb")) if isinstance(write, Path) else write
            shutil.copyfileobj(held, gets)
            gets.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if isinstance(write, Path):
            told = f"{failed} ({error.strerror}); make room, or name another folder by TMPDIR."
        else:
            told = f"{failed}: {error.strerror}."
        raise NoSpace(told) from error


def _ending_of(picture: Path) -> str:
    form = FORMATS.get(open_picture(picture, pixels=False).kind)
    return form.endings[0] if form is not None else ".png"
