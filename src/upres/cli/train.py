"""`upres train`: every stage of a recipe on a folder of photos, into a run's folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from upres.cli.options import DeviceWish, Quiet, WeightsDir


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or YAML file.")],
    photos: Annotated[
        list[str],
        typer.Option(
            metavar="FOLDER[:SHARE]",
            help="Photos, or a store of `upres prepare`; several, each with its share of crops.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The run's folder; the same command goes on in it.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe."),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="First weights: a model's name, checkpoint or file.")
    ] = None,
    weights_dir: WeightsDir = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would run, and what it would take.")
    ] = False,
    report: Annotated[
        bool, typer.Option(help="Judge the stages at the end and write report.html.")
    ] = True,
    device: DeviceWish = "auto",
    precision: Annotated[
        str | None, typer.Option(help="auto, float32, bf16 or fp16, in place of the recipe's.")
    ] = None,
    devices: Annotated[
        int | None, typer.Option(metavar="N", help="Processes on this machine, one a device.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(metavar="N", help="Machines; torchrun and SLURM say it by itself.")
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(help="auto, ddp, or fsdp, which spreads the generator over the processes."),
    ] = "auto",
    accumulate: Annotated[
        int, typer.Option(metavar="N", help="See each batch in N parts; saves memory.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads of each process.")
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(metavar="TRACKER", help="tensorboard, wandb or wandb:offline, too."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train every stage of RECIPE on a folder of photos; the same command resumes it."""
    import os
    import signal
    import sys

    import torch

    from upres.cli.live import LiveLine
    from upres.cli.plan import plan_text
    from upres.cli.stopping import command_line, stop_on_ctrl_c
    from upres.cli.stores import open_all
    from upres.errors import MissingExtra
    from upres.evaluation.table import table_text
    from upres.processes.devices import Wish, lay_out
    from upres.processes.fabric import fabric_for
    from upres.processes.fitting import own_statistics, refuse_layout
    from upres.processes.launched import started_by
    from upres.processes.together import after_first, launched
    from upres.recipes import get_recipe
    from upres.recipes.text import override
    from upres.report.page import missing_package
    from upres.report.run_report import finish_run
    from upres.tracking.choosing import check_names, tracking
    from upres.training.train import find_needs, run_precision
    from upres.training.train import train as run_recipe
    from upres.weights.model import load_model

    check_names(track or [])
    chosen = get_recipe(recipe)
    for setting in [*(settings or []), *([f"precision={precision}"] if precision else [])]:
        chosen = override(chosen, setting)
    if threads is not None:
        torch.set_num_threads(threads)
    wish = Wish(device, devices, nodes, strategy, accumulate)
    layout = lay_out(wish, started_by(os.environ))
    computes = run_precision(out, chosen, layout)
    refuse_layout(chosen, computes, layout)
    first = None if init is None else load_model(init)
    if dry_run:
        print(plan_text(chosen, photos, layout), end="")
        return
    fabric = fabric_for(computes, layout)
    with launched(fabric):
        if threads is not None:
            torch.set_num_threads(threads)  # Fabric parts the cores among its processes
        speaks = fabric.is_global_zero
        needs = after_first(fabric, lambda: find_needs(chosen, weights_dir))
        hush = quiet or not speaks
        store = after_first(fabric, lambda: open_all(photos, chosen, quiet=hush))
        for network in () if hush else own_statistics(chosen, layout):
            print(f"{network} has batch norm: its statistics are per process.", file=sys.stderr)
        with (
            stop_on_ctrl_c(signal.SIGTERM) as should_stop,
            LiveLine(quiet=hush) as live,
            tracking(track or [] if speaks else [], out, live.note) as trackers,
        ):

            def listener(event: dict[str, Any]) -> None:
                live.show(event)
                trackers.event(event)

            model = run_recipe(
                chosen,
                store,
                out,
                needs=needs,
                init=first,
                facts={"command": command_line(), "photos_folder": ", ".join(photos)},
                listener=listener,
                show=trackers.pictures if trackers else None,
                should_stop=should_stop,
                fabric=fabric,
                layout=layout,
            )
        if not speaks:
            return
        if report:
            missing = missing_package()
            judged = finish_run(out, chosen, store, lpips=needs.lpips, page=missing is None)
            print(table_text(judged), end="")
            if missing is not None and not quiet:
                told = str(MissingExtra(missing, "report", f"{out / 'report.html'}"))
                print(told, file=sys.stderr)
        print(model)
