"""`upres upscale`: enlarge picture files."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Pictures, or folders of pictures.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder, or for one picture a file (.png, .jpg). Default: beside each picture.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A shipped model, a checkpoint or a run's folder."),
    ] = "compact-x4",
    precision: Annotated[
        Literal["auto", "float32", "bf16"],
        typer.Option(help="auto: bf16 where the processor has instructions for it."),
    ] = "auto",
    tile: Annotated[
        int | None,
        typer.Option(min=0, help="Side of a tile in input pixels; 0: the whole picture at once."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Enlarge pictures; each result is NAME_x4.EXT unless you name it.

    Depth (8 or 16 bits), grey, transparency and colour profile are kept. Nothing is overwritten
    unless you say so. The paths of the results are printed, one a line.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    from upres.errors import BadPicture
    from upres.upscaling.files import Job, failure, plan_jobs, upscale_files
    from upres.upscaling.settings import UpscaleSettings
    from upres.upscaling.upscaler import Progress as OnTile
    from upres.upscaling.upscaler import Upscaler

    if len(inputs) == 1 and not inputs[0].exists():
        raise BadPicture(f"{inputs[0]} does not exist; give the path of a picture or a folder.")
    upscaler = Upscaler.load(model, UpscaleSettings(precision=precision, tile=tile))
    jobs = plan_jobs(inputs, output, upscaler.scale)
    console = Console(stderr=True)
    silent = quiet or not console.is_terminal
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    written: list[Path] = []
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=silent
    ) as bar:
        everything = bar.add_task("pictures", total=len(jobs), completed=-1)
        current = bar.add_task("")

        def on_start(job: Job) -> OnTile:
            bar.advance(everything)
            bar.update(current, description=job.source.name, completed=0)
            return lambda done, total: bar.update(current, completed=done, total=total)

        try:
            failures = upscale_files(
                jobs,
                upscaler,
                overwrite=overwrite,
                on_start=on_start,
                on_done=lambda job: written.append(job.target),
            )
        finally:  # also after Ctrl-C; not between, where they would tear the bars
            bar.stop()
            typer.echo("".join(f"{path}\n" for path in written), nl=False)
    if failures:
        raise failure(failures, jobs)
    if not quiet:
        what = f"{len(jobs)} pictures" if len(jobs) > 1 else "1 picture"
        typer.echo(f"Enlarged {what} x{upscaler.scale} in {upscaler.precision}.", err=True)
