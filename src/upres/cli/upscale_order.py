"""How what `upres upscale` was asked for is carried out."""

import sys
from collections.abc import Callable
from pathlib import Path

import typer

from upres.batch.events import Event, Planned, Progressed, Summary, Written
from upres.batch.folder import crowd_for
from upres.batch.identity import made_by
from upres.batch.jobs import Job, Naming, is_pattern, plan_jobs
from upres.batch.manifest import manifest_path
from upres.batch.one_file import upscale_file
from upres.batch.piping import upscale_piped
from upres.batch.places import address_of
from upres.batch.running import run_jobs
from upres.cli.picture_bar import telling
from upres.cli.upscale_plan import (
    STREAM,
    Manner,
    Order,
    refuse_if_too_large,
    show_plan,
    told_before,
)
from upres.cli.weights import download_bar
from upres.errors import BadPicture, BadSetting
from upres.images.formats import format_of
from upres.upscaling.memory import default_memory
from upres.upscaling.sizes import suffix_for
from upres.upscaling.upscaler import Progress, Upscaler


def carry_out(order: Order, manner: Manner) -> None:
    """Do what was asked for; print results on stdout, the rest on stderr.

    Raises UpresError: for a mistake before anything is begun, for what failed after all is done.
    """
    _refuse_mistakes(order, manner)
    memory = order.settings.memory or default_memory()
    settings = order.settings.model_copy(update={"memory": memory})
    with download_bar(quiet=manner.quiet) as progress:
        upscaler = Upscaler.load(order.model, settings, progress=progress)
    for word in manner.words:
        _say(word, manner)
    if STREAM in order.inputs or order.output == STREAM:
        _pipe(order, upscaler, manner)
        return
    suffix = suffix_for(order.wish, upscaler.scale) if order.suffix is None else order.suffix
    jobs = plan_jobs(
        order.inputs,
        order.output,
        naming=Naming(suffix, order.ending),
        recursive=order.recursive,
        shard=order.shard,
    )
    if order.save.quality and not any(format_of(job.target).quality for job in jobs):
        _say("--quality is ignored: no result is a JPEG, WebP, AVIF or HEIC.", manner)
    if manner.dry_run:
        show_plan(order, jobs, upscaler, as_json=manner.as_json)
        return
    if not manner.as_json:
        _say_before(order, jobs, upscaler, manner)
    with telling(as_json=manner.as_json, quiet=manner.quiet) as tell:
        summary = _run(order, jobs, upscaler, tell, yes=manner.yes)
    alone = len(summary.failures) == 1 and not summary.done and not summary.skipped
    if not (manner.as_json or alone):  # one that failed is told by its error
        _say(summary.line, manner)
    summary.raise_if_failed()


def _refuse_mistakes(order: Order, manner: Manner) -> None:
    """Raise for what can be told without the model."""
    if not order.inputs:
        raise BadPicture("no picture is given; give pictures, folders, or - for standard input.")
    streamed = STREAM in order.inputs or order.output == STREAM
    if streamed and len(order.inputs) > 1:
        raise BadSetting("- is one picture alone; give no other input beside it.")
    if streamed and (manner.as_json or manner.dry_run or order.shard):
        raise BadSetting("- goes with one picture alone, without --json, --dry-run and --shard.")
    first = order.inputs[0]
    _refuse_addresses(order)
    if len(order.inputs) == 1 and not (streamed or first.exists() or is_pattern(first)):
        raise BadPicture(f"{first} does not exist; give the path of a picture or a folder.")
    if order.mask is not None and not order.mask.is_file():
        raise BadPicture(f"--mask {order.mask} does not exist; give a picture of the input's size.")


def _refuse_addresses(order: Order) -> None:
    """s3://bucket/folder would become a folder of this machine, called s3:"""
    for path in (*order.inputs, order.output):
        if path is not None and "://" in address_of(path) and not path.exists():
            raise BadSetting(
                f"{address_of(path)} is an address, and files of this machine are expected: add "
                "--ray for folders of a store, or pass one picture on by | and -."
            )


def _say_before(order: Order, jobs: list[Job], upscaler: Upscaler, manner: Manner) -> None:
    told = None if manner.quiet else told_before(order, jobs, upscaler)
    if told is not None:
        _say(told, manner)


def _say(line: str, manner: Manner) -> None:
    if not manner.quiet:
        typer.echo(line, err=True)


def _run(
    order: Order,
    jobs: list[Job],
    upscaler: Upscaler,
    tell: Callable[[Event], None],
    *,
    yes: bool,
) -> Summary:
    def work(job: Job, replace: bool, progress: Progress) -> Written:
        if not yes:
            refuse_if_too_large(order, job, upscaler)
        return _enlarge(order, upscaler, job, replace, progress)

    return run_jobs(
        jobs,
        work,
        made_by=made_by(upscaler, order.wish, order.save, order.mask),
        manifest=_manifest(order),
        overwrite=order.overwrite,
        crowd=crowd_for(upscaler, order.wish, order.save),
        on_event=tell,
    )


def _enlarge(
    order: Order, upscaler: Upscaler, job: Job, replace: bool, progress: Progress
) -> Written:
    return upscale_file(
        job.source,
        job.target,
        upscaler,
        wish=order.wish,
        save=order.save,
        mask=order.mask,
        overwrite=replace,
        progress=progress,
    )


def _manifest(order: Order) -> Path | None:
    """Return where the results are noted: in the folder that gets them; None for one picture."""
    first = order.inputs[0]
    if len(order.inputs) == 1 and not (first.is_dir() or is_pattern(first)):
        return None
    if order.output is not None:
        return manifest_path(order.output, order.shard)
    only_folder = len(order.inputs) == 1 and first.is_dir()
    return manifest_path(first, order.shard) if only_folder else None


def _pipe(order: Order, upscaler: Upscaler, manner: Manner) -> None:
    """Enlarge the one picture from standard input, or to standard output, or both."""
    source = order.inputs[0]
    target = STREAM if order.output is None else order.output
    if target == STREAM and sys.stdout.isatty():
        raise BadSetting(
            "the picture would be written to the terminal; give --output, or pass it on by > or |."
        )

    def work(job: Job) -> Written:
        _say_before(order, [job], upscaler, manner)
        if not manner.yes:
            refuse_if_too_large(order, job, upscaler)
        with telling(as_json=False, quiet=manner.quiet) as tell:
            tell(Planned(1))
            return _enlarge(
                order,
                upscaler,
                job,
                order.overwrite,
                lambda done, total: tell(Progressed(job, done, total)),
            )

    written = upscale_piped(
        sys.stdin.buffer if source == STREAM else source,
        sys.stdout.buffer if target == STREAM else target,
        work,
        ending=order.ending,
    )
    if target != STREAM:
        typer.echo(str(target))
    if not manner.quiet:
        typer.echo(
            f"1 done: {written.width}x{written.height}; "
            f"{written.redone} of {written.tiles} tiles redone in float32.",
            err=True,
        )
