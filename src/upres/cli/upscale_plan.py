"""What `upres upscale` was asked for, and what that takes before it is begun."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from upres.batch.jobs import Job, Shard
from upres.batch.running import Crowd
from upres.errors import BadPicture, UpresError
from upres.images.opening import Opened, open_picture
from upres.images.saving import SaveSettings, check_savable
from upres.upscaling.estimating import (
    Estimate,
    estimate_for,
    refuse_what_cannot_fit,
    timed,
    work_for,
)
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.sizes import SizePlan, SizeWish, plan_size
from upres.upscaling.upscaler import Upscaler

STREAM = Path("-")  # standard input or output


@dataclass(frozen=True)
class Order:
    """Which pictures, by which model, how large, and where to.

    suffix, ending: of the results' names; None: what tells the size, and each picture's own.
    """

    inputs: tuple[Path, ...]
    output: Path | None
    model: str
    settings: UpscaleSettings
    wish: SizeWish
    save: SaveSettings
    mask: Path | None = None
    suffix: str | None = None
    ending: str | None = None
    shard: Shard | None = None
    recursive: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Manner:
    """How it is told, and whether it is done at all. words: to be said first."""

    words: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False
    as_json: bool = False
    quiet: bool = False


def refuse_if_too_large(order: Order, job: Job, upscaler: Upscaler) -> None:
    """Raise WontFit for a picture that needs more memory or disk than there is."""
    opened, size = _seen(order, job, upscaler)
    found = estimate_for(upscaler, work_for(opened, size, job.target, order.save))
    refuse_what_cannot_fit(found, job.target, upscaler.memory or 0)


def crowd_for(order: Order, upscaler: Upscaler) -> Crowd:
    """Return how many pictures are in hand at once: three, if all of them have memory."""

    def weigh(job: Job) -> int:
        opened, size = _seen(order, job, upscaler)
        work = work_for(opened, size, job.target, order.save)
        return estimate_for(upscaler, work).memory - upscaler.held

    return Crowd(room=max(0, (upscaler.memory or 0) - upscaler.held), weigh=weigh)


def whole_estimate(order: Order, jobs: Sequence[Job], upscaler: Upscaler) -> Estimate | None:
    """Return what all pictures take that can be enlarged: their time, disk and most memory.

    The network is tried on a tile. None where there is no such picture.
    """
    found: list[Estimate] = []
    per_pixel = math.nan
    for job in jobs:
        try:
            opened, size = _seen(order, job, upscaler)
        except UpresError:
            continue  # said when its turn comes
        if not found:
            per_pixel = timed(upscaler, opened.height, opened.width)
        work = work_for(opened, size, job.target, order.save)
        found.append(estimate_for(upscaler, work, seconds_per_pixel=per_pixel))
    if not found:
        return None
    return Estimate(
        sum(one.seconds for one in found),
        max(one.memory for one in found),
        sum(one.disk for one in found),
    )


def show_plan(order: Order, jobs: Sequence[Job], upscaler: Upscaler) -> None:
    """Print what would be written, a line each, and what it takes.

    Raises BadPicture that names what would fail.
    """
    failures = []
    for job in jobs:
        try:
            opened, size = _seen(order, job, upscaler)
            refuse_if_too_large(order, job, upscaler)
        except UpresError as error:
            failures.append(error)
            continue
        passes = f", {size.passes} passes" if size.passes > 1 else ""
        typer.echo(
            f"{job.source} {opened.width}x{opened.height} -> "
            f"{job.target} {size.width}x{size.height}{passes}"
        )
    takes = whole_estimate(order, jobs, upscaler)
    if takes is not None:
        typer.echo(f"All of it by {order.model}: {takes}.")
    if failures:
        lines = [f"{len(failures)} of {len(jobs)} pictures cannot be enlarged:"]
        raise BadPicture("\n".join([*lines, *(f"  {error}" for error in failures)]))


def _seen(order: Order, job: Job, upscaler: Upscaler) -> tuple[Opened, SizePlan]:
    """Return the open picture and its size to be. Raises BadPicture, BadSetting."""
    opened = open_picture(job.source)
    size = plan_size(opened.width, opened.height, order.wish, upscaler.scale)
    check_savable(job.target, opened, size.width, size.height, order.save)
    return opened, size
