"""Picture files in, enlarged picture files out: names, refusals, and many files after another."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from upres.errors import BadPicture, BadSetting, UpresError, WorkFailed
from upres.images.files import PICTURE_SUFFIXES
from upres.images.formats import BY_ENDING
from upres.images.opening import open_picture
from upres.images.saving import TYPES, SaveSettings, check_savable, save_rows
from upres.upscaling.events import Written
from upres.upscaling.passing import enlarged_rows
from upres.upscaling.sizes import SizeWish, plan_size
from upres.upscaling.tile_network import Tally
from upres.upscaling.upscaler import Progress, Upscaler

AS_THE_MODEL, AS_IT_WAS = SizeWish(), SaveSettings()


@dataclass(frozen=True)
class Job:
    """A file to read and the file to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Failure:
    """A file that could not be enlarged, and why, in one sentence."""

    source: Path
    error: UpresError


def find_pictures(inputs: Iterable[Path], scale: int) -> list[Path]:
    """The files among `inputs`, and the pictures that lie in its folders, by name.

    NAME_x4 beside a picture NAME is a result of this program and is left out of a folder.
    Raises BadPicture for a folder without pictures.
    """
    found: list[Path] = []
    for path in inputs:
        if not path.is_dir():
            found.append(path)
            continue
        pictures = sorted(
            p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()
        )
        if not pictures:
            raise BadPicture(f"{path} holds no pictures; give a folder of pictures or a file.")
        results = {f"{p.stem}_x{scale}" for p in pictures}
        found += [p for p in pictures if p.stem not in results and not p.name.startswith(".")]
    return found


def plan_jobs(inputs: Sequence[Path], output: Path | None, scale: int) -> list[Job]:
    """What to read and where to write: NAME_x4.EXT beside each input or in the folder `output`.

    EXT stays where it can be written, else it is .png. A single file may be given the very name
    of its result. Raises BadSetting when `output` is a file for many pictures.
    """
    one_file = len(inputs) == 1 and not inputs[0].is_dir()
    as_file = output is not None and not output.is_dir() and bool(output.suffix)
    if output is not None and as_file and one_file:
        return [Job(inputs[0], output)]
    if output is not None and (output.is_file() or (as_file and output.suffix in BY_ENDING)):
        raise BadSetting(f"{output} is a file, but several pictures need a folder for the results.")
    return [
        Job(source, (output or source.parent) / result_name(source, scale))
        for source in find_pictures(inputs, scale)
    ]


def result_name(source: Path, scale: int) -> str:
    """NAME_x4.EXT for NAME.EXT; .png where EXT cannot be written, which loses nothing."""
    suffix = source.suffix if source.suffix.lower() in BY_ENDING else ".png"
    return f"{source.stem}_x{scale}{suffix}"


def upscale_file(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    wish: SizeWish = AS_THE_MODEL,
    save: SaveSettings = AS_IT_WAS,
    mask: Path | None = None,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Written:
    """Write the picture of `source`, enlarged, to `target`, whole or not at all.

    Depth, channels, frames, profile and metadata are kept; what `target` cannot hold is refused
    before the work. Memory does not grow with the picture. mask: a picture of the same size,
    white where it stays as bicubic makes it. Returns what was written, and how.
    Raises BadPicture, BadSetting when `target` exists, NoSpace, WorkFailed.
    """
    if target.exists() and source.exists() and os.path.samefile(source, target):
        raise BadSetting(f"{target} is the input itself; give the result another name.")
    if target.exists() and not overwrite:
        raise BadSetting(f"{target} exists; pass --overwrite to replace it, or another output.")
    opened = open_picture(source)
    size = plan_size(opened.width, opened.height, wish, upscaler.scale)
    check_savable(target, opened, size.width, size.height, save)
    kind = TYPES[save.bits or opened.bits]
    tally = Tally()
    rows = enlarged_rows(opened, upscaler, size, kind, mask=mask, tally=tally, progress=progress)
    try:
        save_rows(target, rows, opened, width=size.width, height=size.height, save=save)
    except MemoryError as error:
        raise WorkFailed(
            f"{source}: there is no memory for {size.width}x{size.height} pixels."
        ) from error
    return Written(size.width, size.height, opened.frames, tally.tiles, tally.redone)


def upscale_files(
    jobs: Sequence[Job],
    upscaler: Upscaler,
    *,
    overwrite: bool = False,
    on_start: Callable[[Job], Progress] = lambda _job: lambda done, total: None,
    on_done: Callable[[Job], None] = lambda _job: None,
) -> list[Failure]:
    """Do all jobs in turn and return those that failed; one bad file does not stop the others.

    on_start is called with each job before it and gives what to tell its tiles to, on_done after.
    """
    failures: list[Failure] = []
    sources: dict[Path, Path] = {job.source.resolve(): job.source for job in jobs}
    targets: dict[Path, Path] = {}
    for job in jobs:
        progress = on_start(job)
        try:
            _refuse_clash(job, sources, targets)
            upscale_file(job.source, job.target, upscaler, overwrite=overwrite, progress=progress)
        except UpresError as error:
            failures.append(Failure(job.source, error))
        else:
            on_done(job)
    return failures


def _refuse_clash(job: Job, sources: dict[Path, Path], targets: dict[Path, Path]) -> None:
    target = job.target.resolve()
    if target in sources:
        raise BadSetting(f"{job.target} is an input of this call; give another output.")
    first = targets.setdefault(target, job.source)
    if first != job.source:
        raise BadSetting(f"{job.source} and {first} would both be written to {job.target}.")


def failure(failures: Sequence[Failure], jobs: Sequence[Job]) -> UpresError:
    """The one error that tells of all failures: WorkFailed unless nothing at all was begun."""
    if len(jobs) == 1:
        return failures[0].error
    lines = [f"{len(failures)} of {len(jobs)} pictures failed:"]
    lines += [f"  {failed.error}" for failed in failures]
    nothing_begun = len(failures) == len(jobs) and all(f.error.exit_code == 2 for f in failures)
    return (UpresError if nothing_begun else WorkFailed)("\n".join(lines))
