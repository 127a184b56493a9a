"""A folder of pictures enlarged into another one."""

from dataclasses import dataclass
from pathlib import Path

from upres.batch.events import Event, Summary, Written
from upres.batch.identity import made_by
from upres.batch.jobs import Job, Naming, Shard, plan_jobs
from upres.batch.manifest import manifest_path
from upres.batch.one_file import AS_IT_WAS, AS_THE_MODEL, upscale_file
from upres.batch.running import Crowd, OnEvent, run_jobs
from upres.errors import BadPicture
from upres.images.opening import open_picture
from upres.images.saving import SaveSettings
from upres.upscaling.estimating import estimate_for, work_for
from upres.upscaling.memory import default_memory
from upres.upscaling.sizes import SizeWish, plan_size, suffix_for
from upres.upscaling.upscaler import Progress, Upscaler


@dataclass(frozen=True)
class FolderSettings:
    """Which pictures of a folder are enlarged, and how many at once.

    recursive: also those of its folders. naming: of the results; None: NAME_x4.EXT, by the size
    asked for. shard: one part of the pictures, for several machines. overwrite: other files of the
    results' names may be replaced. crowd: how many at once; None: as many as keep the machine busy,
    if memory allows.
    """

    recursive: bool = False
    naming: Naming | None = None
    shard: Shard | None = None
    overwrite: bool = False
    crowd: Crowd | None = None


ALL_OF_IT = FolderSettings()


def _unheard(event: Event) -> None:
    pass


def upscale_folder(
    source: str | Path,
    target: str | Path,
    upscaler: Upscaler,
    settings: FolderSettings = ALL_OF_IT,
    *,
    wish: SizeWish = AS_THE_MODEL,
    save: SaveSettings = AS_IT_WAS,
    on_event: OnEvent = _unheard,
) -> Summary:
    """Enlarge the pictures of the folder `source` into `target`; say what became of them.

    A picture that cannot be enlarged is among the summary's failures and does not stop the others.
    What was done, and from what, is noted in `target`/upres-manifest.jsonl, so that the same call
    goes on where it was stopped or killed. on_event: told of each tile and picture
    (`batch.events`), by one thread at a time.
    Raises BadPicture for a folder without pictures, NoSpace, Interrupted after Ctrl-C.
    """
    source, target = Path(source), Path(target)
    if not source.is_dir():
        raise BadPicture(f"{source} is no folder; give a folder of pictures.")
    naming = settings.naming or Naming(suffix=suffix_for(wish, upscaler.scale))
    jobs = plan_jobs(
        [source], target, naming=naming, recursive=settings.recursive, shard=settings.shard
    )

    def work(job: Job, replace: bool, progress: Progress) -> Written:
        return upscale_file(
            job.source,
            job.target,
            upscaler,
            wish=wish,
            save=save,
            overwrite=replace,
            progress=progress,
        )

    return run_jobs(
        jobs,
        work,
        made_by=made_by(upscaler, wish, save),
        manifest=manifest_path(target, settings.shard),
        overwrite=settings.overwrite,
        crowd=settings.crowd or crowd_for(upscaler, wish, save),
        on_event=on_event,
    )


def crowd_for(upscaler: Upscaler, wish: SizeWish, save: SaveSettings) -> Crowd:
    """Return a crowd of pictures that fit beside each other into the memory that may be used."""
    room = (upscaler.memory or default_memory()) - upscaler.held

    def weigh(job: Job) -> int:
        opened = open_picture(job.source, pixels=False)
        size = plan_size(opened.width, opened.height, wish, upscaler.scale)
        work = work_for(opened, size, job.target, save)
        return estimate_for(upscaler, work).memory - upscaler.held

    return Crowd(upscaler.most_in_hand, room=max(0, room), weigh=weigh)
