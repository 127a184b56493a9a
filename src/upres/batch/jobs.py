"""Which pictures are enlarged, and what their results are called: names only, no pixels."""

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upres.errors import BadPicture, BadSetting, suggestion
from upres.images.files import PICTURE_SUFFIXES
from upres.images.formats import BY_ENDING

_RESULT = re.compile(r"(.+)_x\d+(\.\d+)?")  # how results are called unless another suffix is given


@dataclass(frozen=True)
class Job:
    """A file to read and the file to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Naming:
    """NAME + suffix + ending is the result of NAME.EXT.

    ending: such as ".png"; None keeps EXT where it can be written, else .png, which loses nothing.
    """

    suffix: str = "_x4"
    ending: str | None = None

    def __post_init__(self) -> None:
        if self.ending is not None and self.ending not in BY_ENDING:
            raise BadSetting(
                f"pictures cannot be written as {self.ending!r}; "
                f"{suggestion(self.ending, BY_ENDING)}"
            )
        if os.sep in self.suffix or "/" in self.suffix:
            raise BadSetting(f"the suffix {self.suffix!r} has a slash; give --output for a folder.")

    def result(self, source: Path) -> str:
        """Return the name of the result, without its folder."""
        kept = source.suffix if source.suffix.lower() in BY_ENDING else ".png"
        return f"{source.stem}{self.suffix}{self.ending or kept}"


@dataclass(frozen=True)
class Shard:
    """One of `parts` parts of all pictures, counted from 1.

    A picture's part follows from its name alone, so that each has one, whatever other parts have
    written when a part looks into the folders.
    """

    part: int
    parts: int

    def __post_init__(self) -> None:
        if not 1 <= self.part <= self.parts:
            raise BadSetting(f"--shard {self} is no part: parts count from 1/N to N/N.")

    def __str__(self) -> str:
        return f"{self.part}/{self.parts}"

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard that "3/16" means. Raises BadSetting."""
        found = re.fullmatch(r"(-?\d+)/(-?\d+)", text.strip())
        if found is None:
            raise BadSetting(f"--shard is {text!r}, expected a part of all, such as 3/16.")
        return cls(int(found[1]), int(found[2]))

    def has(self, name: str) -> bool:
        """Return whether a picture of this name is in the part."""
        digest = hashlib.sha256(os.fsencode(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.parts == self.part - 1


NAMED_X4 = Naming()


def plan_jobs(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    naming: Naming = NAMED_X4,
    recursive: bool = False,
    shard: Shard | None = None,
) -> list[Job]:
    """What to read and where to write: beside each input, or in the folder `output`.

    inputs: files, folders (their pictures; `recursive`: also those of their folders, which
    `output` then mirrors) and patterns such as "photos/**/*.jpg". A single file may be given the
    very name of its result. Sorted within each input; no source twice.
    Raises BadPicture for a folder or a pattern without pictures, BadSetting when `output` is a file
    for many pictures.
    """
    one_file = len(inputs) == 1 and not inputs[0].is_dir() and not is_pattern(inputs[0])
    as_file = output is not None and not output.is_dir() and bool(output.suffix)
    if output is not None and as_file and one_file:
        return [Job(inputs[0], output)]
    known = output is not None and output.suffix.lower() in BY_ENDING
    if output is not None and (output.is_file() or (as_file and known)):
        raise BadSetting(f"{output} is a file, but several pictures need a folder for the results.")
    jobs: dict[Path, Job] = {}
    for source, below in _found(inputs, naming.suffix, recursive=recursive, leave_out=output):
        if shard is None or shard.has(below.as_posix()):
            folder = source.parent if output is None else output / below.parent
            jobs.setdefault(source, Job(source, folder / naming.result(source)))
    return list(jobs.values())


def _found(
    inputs: Iterable[Path], suffix: str, *, recursive: bool, leave_out: Path | None
) -> Iterator[tuple[Path, Path]]:
    """Yield each picture and its path below the input that it was found by."""
    for path in inputs:
        if path.is_dir():
            pictures = sorted(_in_folder(path, suffix, recursive=recursive, leave_out=leave_out))
            if not pictures:
                raise BadPicture(
                    f"{path} holds no pictures; give a folder of pictures or a file."
                    if recursive
                    else f"{path} holds no pictures; give a folder of pictures or a file, or "
                    f"--recursive for the folders in it."
                )
            yield from ((picture, picture.relative_to(path)) for picture in pictures)
        elif is_pattern(path):
            yield from _matching(path)
        else:
            yield path, Path(path.name)


def _in_folder(
    folder: Path, suffix: str, *, recursive: bool, leave_out: Path | None
) -> Iterator[Path]:
    """Yield the pictures of a folder that are no results, and not hidden."""
    outside = leave_out.resolve() if leave_out is not None else None
    for where, folders, names in os.walk(folder):
        here = Path(where)
        folders[:] = [
            name
            for name in folders
            if recursive and not name.startswith(".") and (here / name).resolve() != outside
        ]
        yield from (here / name for name in pictures_of(names, suffix) if (here / name).is_file())


def pictures_of(names: Iterable[str], suffix: str) -> Iterator[str]:
    """Yield those names in one folder that are pictures, not hidden, and no results of others.

    suffix: of results, beside NAME_x4 and the like.
    """
    paths = [Path(name) for name in names if not name.startswith(".")]
    pictures = [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES]
    stems = {path.stem for path in pictures}
    for path in pictures:
        of = _RESULT.fullmatch(path.stem)
        own = path.stem.removesuffix(suffix) if suffix else path.stem
        if not (of is not None and of[1] in stems) and not (own != path.stem and own in stems):
            yield path.name


def is_pattern(path: Path) -> bool:
    """Return whether the path names files by *, ? or [ ], and is not the name of one."""
    return glob.has_magic(str(path)) and not path.exists()


def _matching(pattern: Path) -> Iterator[tuple[Path, Path]]:
    """Yield what a pattern matches, as the shell does where it is not quoted; ** is any folders."""
    fixed = Path(*_before_magic(pattern))
    matches = sorted(Path(name) for name in glob.glob(str(pattern), recursive=True))
    pictures = [
        path for path in matches if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES
    ]
    if not pictures:
        raise BadPicture(f"no picture matches {pattern}; give a folder or another pattern.")
    yield from ((path, path.relative_to(fixed)) for path in pictures)


def _before_magic(pattern: Path) -> Iterator[str]:
    for part in pattern.parts:
        if glob.has_magic(part):
            return
        yield part
