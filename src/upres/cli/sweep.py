"""`upres sweep`: from one network to another, each mixture judged, one of them advised."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from upres.cli.options import (
    DeviceWish,
    FirstNetwork,
    HrFolder,
    MetricNames,
    ProtocolName,
    Quiet,
    SecondNetwork,
    Sharers,
    WeightsDir,
)

if TYPE_CHECKING:
    from upres.evaluation.pairs import PairFolder
    from upres.evaluation.protocols import Protocol
    from upres.evaluation.sweep import Advice, Mixtures, Sweep
    from upres.report.pictures import ReportPicture

SHOWN = 6  # pictures on the page


def sweep(
    first: FirstNetwork,
    second: SecondNetwork,
    data: HrFolder,
    alphas: Annotated[
        str, typer.Option(help="Shares of B, with commas between them.")
    ] = "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1",
    protocol: ProtocolName = "sr-y-float",
    metrics: MetricNames = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PAGE",
            help="Also write a page (.html): curve, table, pictures.",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write all numbers; `upres report` reads it."),
    ] = None,
    weights_dir: WeightsDir = None,
    device: DeviceWish = "auto",
    devices: Sharers = None,
    quiet: Quiet = False,
) -> None:
    """Judge the mixtures (1 - alpha) A + alpha B, and say which alpha to take.

    It is where perception stops improving per dB lost: the point of the curve of LPIPS (or
    another metric of perception that neither network was trained on) against PSNR that lies
    farthest above the straight line between its ends.
    """
    import os

    from upres.atomic import refuse_target, write_text
    from upres.cli.asking import asked_metrics, measurable, tell_failed
    from upres.cli.crew import crew
    from upres.cli.showing import showing
    from upres.evaluation.measures import measures_for
    from upres.evaluation.networks import load_networks
    from upres.evaluation.pairs import dataset_name, load_pairs
    from upres.evaluation.protocols import get_protocol
    from upres.evaluation.sweep import Mixtures, read_alphas
    from upres.evaluation.sweep import sweep as swept
    from upres.evaluation.table import table_text
    from upres.processes.devices import Wish, lay_out
    from upres.processes.launched import started_by
    from upres.weights.interpolate import check_alike
    from upres.weights.model import load_model

    if output is not None:
        _check_page(output)
    for path in (output, json):
        if path is not None:
            refuse_target(path)
    chosen, shares = get_protocol(protocol), read_alphas(alphas)
    names = asked_metrics(metrics, False, chosen)
    with crew(lay_out(Wish(device, devices), started_by(os.environ))) as together:
        models = load_model(first), load_model(second)
        check_alike(*models)
        pairs = load_pairs(
            data, models[0].scale, protocol=chosen, metrics=names, hands=together.hands
        )
        networks, missing = together.in_turn(
            lambda: load_networks(names, weights_dir, together.device)
        )
        mixtures = Mixtures(models, shares, together.device)
        share = len(together.hands.deal(range(len(pairs))))
        with showing(len(shares) * share, quiet=quiet or not together.speaks) as advance:
            result = swept(
                mixtures,
                pairs,
                chosen,
                dataset=dataset_name(data.resolve()),
                measures=measures_for(measurable(names, missing), chosen, networks),
                seen=advance,
                hands=together.hands,
            )
        if not together.speaks:
            return
        typer.echo(table_text(result.evaluation), nl=False)
        typer.echo(_advice_text(result.advice, first, second))
        if json is not None:
            write_text(json, result.as_json())
        if output is not None:
            _write_page(output, result, _shown(result, mixtures, pairs, chosen), (first, second))
            typer.echo(str(output))
        tell_failed(result.evaluation, missing)


def _check_page(output: Path) -> None:
    from upres.errors import BadSetting, MissingExtra
    from upres.report.page import missing_package

    if output.suffix != ".html":
        raise BadSetting(f"--output {output} must end with .html: it is a page.")
    package = missing_package()
    if package is not None:
        raise MissingExtra(package, "report", "A page")


def _advice_text(advice: "Advice", first: str, second: str) -> str:
    if advice.alpha is None:
        return f"No alpha is advised: {advice.reason}"
    lines = [f"Take alpha {advice.alpha:g}: {advice.reason}"]
    if advice.low is not None:
        lines.append(
            f"Of pictures drawn again with replacement, 95 % lead to alphas from {advice.low:g} "
            f"to {advice.high:g}."
        )
    lines.append(f"Make it: upres interpolate {first} {second} --alpha {advice.alpha:g} --out FILE")
    return "\n".join(lines)


def _shown(
    result: "Sweep", mixtures: "Mixtures", pairs: "PairFolder", protocol: "Protocol"
) -> "list[ReportPicture]":
    """Return the first pictures at both ends and at the advised alpha, or in the middle."""
    from dataclasses import replace
    from itertools import islice

    from upres.evaluation.sweep import enlarged_by
    from upres.report.pictures import ReportPicture

    middle = result.alphas[len(result.alphas) // 2]
    between = middle if result.advice.alpha is None else result.advice.alpha
    wanted = sorted({result.alphas[0], between, result.alphas[-1]})
    chosen = list(islice(pairs, SHOWN))
    rows = enlarged_by(replace(mixtures, alphas=wanted), chosen, protocol)
    dataset = result.evaluation.rows[0].dataset
    return [
        ReportPicture(pair.name, pair.hr, row, dataset, pair.lr)
        for pair, row in zip(chosen, rows, strict=True)
    ]


def _write_page(
    output: Path, result: "Sweep", pictures: "list[ReportPicture]", names: tuple[str, str]
) -> None:
    from datetime import date

    from upres import __version__
    from upres.cli.stopping import command_line
    from upres.report.page import write_report
    from upres.report.sweep_charts import sweep_figures

    first, second = names
    alpha = result.advice.alpha
    advised = "" if alpha is None else f": alpha {alpha:g}"
    write_report(
        output,
        title=f"From {first} to {second}{advised}",
        evaluation=result.evaluation,
        pictures=pictures,
        figures=[sweep_figures(result)],
        notes=[
            f"alpha 0 is `{first}`, alpha 1 is `{second}`; every weight between them is "
            "interpolated (ESRGAN, section 3.4).",
            f"Made by upres {__version__} on {date.today()}: `{command_line()}`.",
        ],
    )
