"""`upres evaluate`: models and kernels on a folder of pictures, by a named protocol."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upres.networks.lpips import LPIPS


class LrSource(StrEnum):
    """Where the LR pictures come from."""

    made = "made"
    given = "given"


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="nearest, bicubic, lanczos, a shipped model, a checkpoint, a run or one of its "
            "stages, or images:FOLDER with finished pictures.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(help="Folder of HR pictures, or one with HR/ and perhaps LR_x4/ in it."),
    ],
    protocol: Annotated[
        str, typer.Option(help="How LR is made and what is compared.")
    ] = "sr-y-float",
    lr: Annotated[
        LrSource, typer.Option(help="Make LR by the protocol, or take the files in LR_x4/.")
    ] = LrSource.made,
    scale: Annotated[
        int | None, typer.Option(min=1, help="By default that of the models, or 4.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write all numbers, each picture's.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Names with commas between them; `upres metrics` lists all.")
    ] = "psnr,ssim,lpips_alex",
    no_lpips: Annotated[
        bool, typer.Option("--no-lpips", help="Leave LPIPS and its pretrained weights out.")
    ] = False,
    weights_dir: Annotated[
        Path | None, typer.Option(help="Folder with pretrained weights.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Score MODELs on a folder of pictures: PSNR, SSIM and LPIPS, by a named protocol."""
    from rich.console import Console
    from rich.progress import Progress

    from upres.atomic import write_text
    from upres.evaluation.candidates import compare, resolve_rows
    from upres.evaluation.measures import measures_for
    from upres.evaluation.pairs import dataset_name, load_pairs
    from upres.evaluation.protocols import get_protocol, with_given_lr
    from upres.evaluation.table import table_text

    chosen = get_protocol(protocol)
    if lr is LrSource.given:
        chosen = with_given_lr(chosen)
    candidates, shared = resolve_rows(models, scale)
    names = [name for name in metrics.split(",") if not (no_lpips and name == "lpips_alex")]
    pairs = load_pairs(data, shared, protocol=chosen, metrics=names)
    networks = {"lpips_alex": _lpips(weights_dir)} if "lpips_alex" in names else {}
    measures = measures_for(names, chosen, networks)
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("judging", total=len(candidates) * len(pairs))
        result = compare(
            candidates,
            pairs,
            chosen,
            scale=shared,
            dataset=dataset_name(data.resolve()),
            measures=measures,
            seen=lambda *_: progress.advance(task),
        )
    typer.echo(table_text(result), nl=False)
    if json is not None:
        write_text(json, result.model_dump_json(indent=2) + "\n")


def _lpips(weights_dir: Path | None) -> "LPIPS":
    from upres.weights.perceptual import load_lpips
    from upres.weights.published import require

    require(["alexnet", "lpips-alex"], "LPIPS", field="--no-lpips", weights_dir=weights_dir)
    return load_lpips("alex", weights_dir)
