"""`upres study-losses`: how the weights of a recipe's losses move what it comes to."""

from pathlib import Path
from typing import Annotated

import typer

from upres.cli.options import DeviceWish, Quiet, WeightsDir


def study_losses(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or YAML file.")],
    photos: Annotated[
        list[str],
        typer.Option(metavar="FOLDER[:SHARE]", help="Photos or a store, as `upres train` has it."),
    ],
    out: Annotated[Path, typer.Option(help="The study's folder; the same command goes on in it.")],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE,...",
            help="Values of a field; x10 is ten times the recipe's. By default a tenth and ten "
            "times each weight of the adversarial stage.",
        ),
    ] = None,
    design: Annotated[
        str, typer.Option(help="one-at-a-time, or grid: all combinations.")
    ] = "one-at-a-time",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change a field for all points; budget.minutes is for all of them together.",
        ),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="First weights of all points: a model's name or file.")
    ] = None,
    weights_dir: WeightsDir = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the points and what they would take.")
    ] = False,
    device: DeviceWish = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
    quiet: Quiet = False,
) -> None:
    """Train RECIPE with each value of a few fields, judge all of it alike, and draw what came out.

    Stages that no point varies are trained once. Finished points are not trained again.
    """
    import signal
    import sys
    from functools import partial

    import torch

    from upres.cli.live import LiveLine
    from upres.cli.stopping import command_line, stop_on_ctrl_c
    from upres.cli.stores import open_all
    from upres.cli.study_plan import study_plan
    from upres.errors import BadSetting, Interrupted, MissingExtra, WorkFailed, suggestion
    from upres.evaluation.table import table_text
    from upres.processes.devices import Wish, lay_out
    from upres.recipes import get_recipe
    from upres.recipes.text import override
    from upres.report.page import missing_package
    from upres.studies.losses import Study, Told, run_study
    from upres.studies.page import write_page
    from upres.studies.points import DESIGNS, points, shared_stages, vary_weights
    from upres.studies.points import vary as vary_fields
    from upres.training.train import find_needs
    from upres.weights.model import load_model

    if design not in DESIGNS:
        raise BadSetting(f"no design {design!r}; {suggestion(design, DESIGNS)}")
    chosen = get_recipe(recipe)
    for setting in settings or []:
        chosen = override(chosen, setting)
    varied = vary_fields(chosen, vary) if vary else vary_weights(chosen)
    asked = points(chosen, varied, DESIGNS[design])
    shared = shared_stages(chosen, varied)
    layout = lay_out(Wish(device, None, None, "auto", 1), None)
    if threads is not None:
        torch.set_num_threads(threads)
    first = None if init is None else load_model(init)
    if dry_run:
        print(study_plan(asked, shared, photos, layout.device), end="")
        return
    find = partial(find_needs, weights_dir=weights_dir)
    find(chosen)
    store = open_all(photos, chosen, quiet=quiet)
    facts = {"command": command_line(), "photos_folder": ", ".join(photos)}
    study = Study(tuple(asked), shared, store, out, find, layout, facts, first)
    with (
        stop_on_ctrl_c(signal.SIGTERM) as should_stop,
        LiveLine(quiet=quiet) as live,
    ):
        note = (lambda line: None) if quiet else live.note
        outcome = run_study(study, Told(live.show, note, should_stop))
    print(table_text(outcome.evaluation), end="")
    missing = missing_package()
    if missing is None:
        try:
            print(write_page(study, varied, outcome, command_line()))
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped while the page was drawn; all scores are in {out / 'evaluation.json'}: "
                "the same command draws it."
            ) from None
    elif not quiet:
        print(MissingExtra(missing, "report", f"{out / 'study.html'}"), file=sys.stderr)
    if outcome.failed:
        listed = "; ".join(f"{name}: {reason}" for name, reason in outcome.failed.items())
        raise WorkFailed(f"{len(outcome.failed)} of {len(asked)} points failed: {listed}")
