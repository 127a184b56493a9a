"""`upres demo`: the whole way in a few minutes."""

from pathlib import Path
from typing import Annotated

import typer

from upres.cli.options import Quiet, WeightsDir


def demo(
    out: Annotated[
        Path, typer.Option(help="The folder to write; called again, it goes on.")
    ] = Path("demo"),
    weights_dir: WeightsDir = None,
    quiet: Quiet = False,
) -> None:
    """Train a small two-stage GAN on photos of scikit-image, judge it, and write a report."""
    from upres.cli.live import LiveLine
    from upres.cli.stopping import command_line, stop_on_ctrl_c
    from upres.demo import run_demo
    from upres.evaluation.table import table_text

    with stop_on_ctrl_c() as should_stop, LiveLine(quiet=quiet) as live:
        made = run_demo(
            out,
            weights_dir=weights_dir,
            command=command_line(),
            listener=live.show,
            should_stop=should_stop,
        )
    print(table_text(made.evaluation), end="")
    print(f"\n{made.report}")
