"""`upres export`: a model as a file of another runtime."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A model's name, a checkpoint or a run's folder."),
    ],
    to: Annotated[Literal["onnx", "openvino"], typer.Option("--to", help="Kind of file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Ends with .onnx or .xml. Default: named for the model, in this folder.",
        ),
    ] = None,
    half: Annotated[
        bool,
        typer.Option(
            "--half", "--fp16", help="Half the size: weights, and in ONNX the body, in float16."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the paths.")] = False,
) -> None:
    """Write MODEL as ONNX or OpenVINO, for pictures of any size, and check the file.

    It is run by ONNX Runtime or OpenVINO at three sizes and must give what the network gives.
    The paths of what was written are printed, one a line.
    """
    from rich.console import Console

    from upres.atomic import refuse_target
    from upres.errors import BadSetting
    from upres.export.exporting import SUFFIXES, export_model
    from upres.weights.model import load_model

    suffix = SUFFIXES[to]
    path = Path((Path(model).stem or "model") + suffix) if out is None else out
    if path.suffix.lower() != suffix:
        raise BadSetting(f"--out {path} must end with {suffix} for --to {to}.")
    existing = [p for p in (path, path.with_suffix(".bin")) if p.exists()]
    if to == "onnx":
        existing = [p for p in existing if p == path]
    if existing and not overwrite:
        raise BadSetting(f"{existing[0]} exists; give --out another name, or add --overwrite.")
    refuse_target(path)
    loaded = load_model(model)
    console = Console(stderr=True, quiet=quiet)
    with console.status("loading") as status:
        exported = export_model(
            loaded, path, to, half=half, on_step=lambda what: status.update(f"{what} {model}")
        )
    typer.echo("".join(f"{p}\n" for p in exported.paths), nl=False)
    if not quiet:
        typer.echo(
            f"{model} x{loaded.scale} as {to}, at most {exported.difference:.2g} of 255 levels "
            "from the network.",
            err=True,
        )
