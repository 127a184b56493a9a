"""One picture from a stream of bytes to another: standard input and output."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from upres.batch.events import Written
from upres.batch.jobs import Job
from upres.errors import UpresError
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
    Raises as `work` does; messages call the streams standard input and standard output.
    """
    with tempfile.TemporaryDirectory(prefix="upres-") as folder:
        source = read if isinstance(read, Path) else Path(folder, "input")
        target: Path | None = write if isinstance(write, Path) else None
        try:
            if not isinstance(read, Path):
                with source.open("wb") as file:
                    shutil.copyfileobj(read, file)
            if target is None:
                target = Path(folder, f"output{ending or _ending_of(source)}")
            written = work(Job(source, target))
        except UpresError as error:
            told = str(error)
            if not isinstance(read, Path):
                told = told.replace(str(source), INPUT)
            if target is not None and not isinstance(write, Path):
                told = told.replace(str(target), OUTPUT)
            error.args = (told,)
            raise
        if not isinstance(write, Path):
            with target.open("rb") as file:
                shutil.copyfileobj(file, write)
            write.flush()
        return written


def _ending_of(picture: Path) -> str:
    form = FORMATS.get(open_picture(picture).kind)
    return form.endings[0] if form is not None else ".png"
