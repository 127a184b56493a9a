"""`upres train`: every stage of a recipe on a folder of photos, into a run's folder."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or YAML file.")],
    photos: Annotated[
        Path, typer.Option(help="A folder of photos, or a store made by `upres prepare`.")
    ],
    out: Annotated[Path, typer.Option(help="The run's folder; the same command goes on in it.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe."),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="First weights: a model's name, checkpoint or file.")
    ] = None,
    weights_dir: Annotated[
        Path | None, typer.Option(help="Folder with pretrained weights.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would run, and what it would take.")
    ] = False,
    report: Annotated[
        bool, typer.Option(help="Judge the stages at the end and write report.html.")
    ] = True,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Train every stage of RECIPE on a folder of photos; the same command resumes it."""
    import sys

    import torch

    from upres.cli.live import LiveLine
    from upres.cli.plan import plan_text
    from upres.cli.stopping import command_line, stop_on_ctrl_c
    from upres.cli.stores import open_or_prepare
    from upres.errors import MissingExtra
    from upres.evaluation.table import table_text
    from upres.recipes import get_recipe
    from upres.recipes.text import override
    from upres.report.page import missing_package
    from upres.report.run_report import finish_run
    from upres.training.train import find_needs
    from upres.training.train import train as run_recipe
    from upres.weights.model import load_model

    chosen = get_recipe(recipe)
    for setting in settings or []:
        chosen = override(chosen, setting)
    if threads is not None:
        torch.set_num_threads(threads)
    first = None if init is None else load_model(init)
    if dry_run:
        print(plan_text(chosen, photos), end="")
        return
    needs = find_needs(chosen, weights_dir)
    store = open_or_prepare(photos, chosen, quiet=quiet)
    with stop_on_ctrl_c() as should_stop, LiveLine(quiet=quiet) as live:
        model = run_recipe(
            chosen,
            store,
            out,
            needs=needs,
            init=first,
            facts={"command": command_line(), "photos_folder": str(photos)},
            listener=live.show,
            should_stop=should_stop,
        )
    if report:
        missing = missing_package()
        judged = finish_run(out, chosen, store, lpips=needs.lpips, page=missing is None)
        print(table_text(judged), end="")
        if missing is not None and not quiet:
            told = str(MissingExtra(missing, "report", f"{out / 'report.html'}"))
            print(told, file=sys.stderr)
    print(model)
