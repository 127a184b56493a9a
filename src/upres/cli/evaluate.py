"""`upres evaluate`: models and kernels on a folder of pictures, by a named protocol."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from upres.cli.options import (
    DeviceWish,
    HrFolder,
    MetricNames,
    ProtocolName,
    Quiet,
    Sharers,
    WeightsDir,
)

if TYPE_CHECKING:
    from upres.evaluation.candidates import Candidate
    from upres.evaluation.judge import JudgedPair, Pixels


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
    data: HrFolder,
    protocol: ProtocolName = "sr-y-float",
    lr: Annotated[
        LrSource, typer.Option(help="Make LR by the protocol, or take the files in LR_x4/.")
    ] = LrSource.made,
    scale: Annotated[
        int | None, typer.Option(min=1, help="By default that of the models, or 4.")
    ] = None,
    metrics: MetricNames = None,
    no_lpips: Annotated[
        bool, typer.Option("--no-lpips", help="Leave LPIPS and its pretrained weights out.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write all numbers, each picture's.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the numbers and every row's pictures there."),
    ] = None,
    weights_dir: WeightsDir = None,
    device: DeviceWish = "auto",
    devices: Sharers = None,
    quiet: Quiet = False,
) -> None:
    """Score MODELs on a folder of pictures: PSNR, SSIM, LPIPS and more, by a named protocol.

    What cannot be read or measured is named on stderr, the rest is judged, and the exit code is 1.
    """
    import os

    from upres.atomic import refuse_target, write_text
    from upres.cli.asking import asked_metrics, measurable, tell_failed
    from upres.cli.crew import crew
    from upres.cli.showing import showing
    from upres.evaluation.candidates import compare, resolve_rows
    from upres.evaluation.measures import measures_for
    from upres.evaluation.networks import load_networks
    from upres.evaluation.pairs import dataset_name, load_pairs
    from upres.evaluation.protocols import get_protocol, with_given_lr
    from upres.evaluation.table import table_text
    from upres.processes.devices import Wish, lay_out
    from upres.processes.launched import started_by
    from upres.report.saving import picture_saver, refuse_folder, save_evaluation

    chosen = get_protocol(protocol)
    if lr is LrSource.given:
        chosen = with_given_lr(chosen)
    names = asked_metrics(metrics, no_lpips, chosen)
    if json is not None:
        refuse_target(json)
    dataset = dataset_name(data.resolve())
    with crew(lay_out(Wish(device, devices), started_by(os.environ))) as together:
        candidates, shared = resolve_rows(models, scale, device=together.device)
        if save is not None:
            refuse_folder(save, models, chosen, shared)
        pairs = load_pairs(data, shared, protocol=chosen, metrics=names, hands=together.hands)
        networks, missing = together.in_turn(
            lambda: load_networks(names, weights_dir, together.device)
        )
        keep = None if save is None else picture_saver(save, dataset, pairs.names)
        share = len(together.hands.deal(range(len(pairs))))
        with showing(len(candidates) * share, quiet=quiet or not together.speaks) as advance:

            def seen(candidate: "Candidate", pair: "JudgedPair", sr: "Pixels") -> None:
                if keep is not None:
                    keep(candidate, pair, sr)
                advance()

            result = compare(
                candidates,
                pairs,
                chosen,
                scale=shared,
                dataset=dataset,
                measures=measures_for(measurable(names, missing), chosen, networks),
                seen=seen,
                hands=together.hands,
            )
        if not together.speaks:
            return
        typer.echo(table_text(result), nl=False)
        if json is not None:
            write_text(json, result.model_dump_json(indent=2) + "\n")
        if save is not None:
            save_evaluation(save, result)
        tell_failed(result, missing)
