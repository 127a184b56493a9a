"""`upres interpolate`: a network between two others."""

from pathlib import Path
from typing import Annotated

import typer

from upres.cli.options import FirstNetwork, SecondNetwork

LEAST_LIKE = 0.5  # cosine of the kernels, below which two networks were trained apart


def interpolate(
    first: FirstNetwork,
    second: SecondNetwork,
    alpha: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of B: 0 is A, 1 is B.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A .safetensors file.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the path.")] = False,
) -> None:
    """Write the network whose weights are (1 - alpha) A + alpha B.

    A and B: shipped models, checkpoints, folders of runs or stages, files of other programs; of
    one architecture and scale. `upres sweep A B` judges many alphas and advises one.
    """
    from upres.errors import BadSetting
    from upres.weights.checkpoint import save_checkpoint
    from upres.weights.interpolate import interpolated, likeness
    from upres.weights.model import load_model

    if out.suffix != ".safetensors":
        raise BadSetting(f"--out {out} must end with .safetensors, which is what is written.")
    if out.exists() and not overwrite:
        raise BadSetting(f"{out} exists; give --out another name, or add --overwrite.")
    models = load_model(first), load_model(second)
    mixed = interpolated(*models, alpha)
    assert mixed.header is not None  # `interpolated` makes one
    save_checkpoint(out, mixed.network.state_dict(), mixed.header)
    typer.echo(str(out))
    if quiet:
        return
    like = likeness(*models)
    typer.echo(f"{1 - alpha:.3g} of {first} and {alpha:.3g} of {second}.", err=True)
    if like < LEAST_LIKE:
        typer.echo(
            f"The kernels of the two have a cosine of {like:.2f} (1: alike), so they seem to be "
            "trained apart, and what lies between such two is no useful network; `upres sweep` "
            "shows it.",
            err=True,
        )
