"""What `upres upscale` was asked for, and what that takes before it is begun."""

import contextlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from upres.batch.events import Failed
from upres.batch.jobs import Job, Shard
from upres.errors import BadPicture, UpresError
from upres.images.opening import open_picture
from upres.images.saving import SaveSettings, check_savable
from upres.upscaling.estimating import (
    Estimate,
    Work,
    estimate_for,
    free_disk,
    refuse_what_cannot_fit,
    timed,
    work_for,
)
from upres.upscaling.memory import human
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.sizes import SizeWish, plan_size
from upres.upscaling.upscaler import Upscaler

STREAM = Path("-")  # standard input or output
LOOKING: Final = 2.0  # seconds for which pictures are opened before the first is enlarged


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
    _refuse(_work(order, job, upscaler), job, upscaler)


def told_before(order: Order, jobs: Sequence[Job], upscaler: Upscaler) -> str | None:
    """Return, in a line, what the pictures take that have no result yet and can be enlarged.

    None where there is none. The network is tried on a tile. Pictures are drawn at random and
    opened for two seconds; the line says by how many of them it judges.
    """
    missing = [job for job in jobs if order.overwrite or not job.target.exists()]
    ends = time.monotonic() + LOOKING
    found: list[Work] = []
    looked = 0
    for job in random.Random(0).sample(missing, len(missing)):
        if found and time.monotonic() > ends:
            break
        looked += 1
        with contextlib.suppress(UpresError):  # said when its turn comes
            found.append(_work(order, job, upscaler))
    if not found:
        return None
    takes = _together(found, upscaler, times=len(missing) / looked)
    there = len(jobs) - len(missing)
    pictures = "1 picture" if len(jobs) == 1 else f"{len(jobs)} pictures"
    standing = f", {there} of them with a result," if there else ""
    judged = f", judging by {looked} of them" if looked < len(missing) else ""
    free = free_disk(missing[0].target)
    short = f"; its disk has {human(free)} left" if takes.disk > free else ""
    return f"{pictures}{standing} by {order.model}: {takes}{judged}{short}."


def show_plan(
    order: Order, jobs: Sequence[Job], upscaler: Upscaler, *, as_json: bool = False
) -> None:
    """Print what would be written, a line each, and what it takes; as JSON, an event a line.

    Raises BadPicture that names what would fail.
    """
    found, failures = [], []
    for job in jobs:
        try:
            work = _work(order, job, upscaler)
            _refuse(work, job, upscaler)
        except UpresError as error:
            failures.append(Failed(job, error))
            continue
        there = job.target.exists() and not order.overwrite
        if not there:
            found.append(work)
        typer.echo(_as_json(job, work, there) if as_json else _as_line(job, work, there))
    if found:
        takes = _together(found, upscaler)
        told = {"event": "estimated", "model": order.model, **vars(takes)}
        typer.echo(json.dumps(told) if as_json else f"All of it by {order.model}: {takes}.")
    if failures:
        lines = [f"{len(failures)} of {len(jobs)} pictures cannot be enlarged:"]
        raise BadPicture("\n".join([*lines, *(f"  {failed.line}" for failed in failures)]))


def _as_line(job: Job, work: Work, there: bool) -> str:
    passes = f", {work.size.passes} passes" if work.size.passes > 1 else ""
    return (
        f"{job.source} {work.width}x{work.height} -> "
        f"{job.target} {work.size.width}x{work.size.height}{', exists' if there else passes}"
    )


def _as_json(job: Job, work: Work, there: bool) -> str:
    paths = {"source": str(job.source), "target": str(job.target)}
    return json.dumps({"event": "would", **paths, **vars(work.size), "exists": there})


def _work(order: Order, job: Job, upscaler: Upscaler) -> Work:
    """Return what is to be done to a picture. Raises BadPicture, BadSetting."""
    opened = open_picture(job.source, pixels=False)
    size = plan_size(opened.width, opened.height, order.wish, upscaler.scale)
    check_savable(job.target, opened, size.width, size.height, order.save)
    return work_for(opened, size, job.target, order.save)


def _refuse(work: Work, job: Job, upscaler: Upscaler) -> None:
    refuse_what_cannot_fit(estimate_for(upscaler, work), job.target, upscaler.memory or 0)


def _together(found: Sequence[Work], upscaler: Upscaler, *, times: float = 1.0) -> Estimate:
    """Return what several works take, and so many times: seconds and disk in all, most memory."""
    per_pixel = timed(upscaler, found[0].height, found[0].width)
    each = [estimate_for(upscaler, work, seconds_per_pixel=per_pixel) for work in found]
    return Estimate(
        sum(one.seconds for one in each) * times,
        max(one.memory for one in each),
        round(sum(one.disk for one in each) * times),
    )
