"""`upres metrics`: what can be measured, listed and explained."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from upres.metrics.known import Metric

_LEFT, _WIDTH = 20, 96


def metrics(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="This one alone, also a layer: vgg19_conv5_4."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every field as JSON.")] = False,
) -> None:
    """List the metrics: direction, range, least size, weights, what they say and do not see."""
    import json

    from upres.metrics.known import METRICS, get_metric

    chosen = list(METRICS.values()) if name is None else [get_metric(name)]
    if as_json:
        fields = [_fields(metric) for metric in chosen]
        typer.echo(json.dumps(fields if name is None else fields[0], indent=2, ensure_ascii=False))
        return
    typer.echo("\n".join(_told(metric) for metric in chosen), nl=False)
    if name is None:
        typer.echo(_layers())


def _fields(metric: "Metric") -> dict[str, Any]:
    """Return all fields; null stands for no bound."""
    from dataclasses import asdict

    fields = asdict(metric) | {"direction": metric.direction}
    endless = {key: None for key, value in fields.items() if value in (math.inf, -math.inf)}
    return fields | endless


def _told(metric: "Metric") -> str:
    from textwrap import fill

    facts = [metric.label, metric.direction, f"range {metric.range}"]
    if metric.unit:
        facts.append(metric.unit)
    if metric.least_side > 1:
        facts.append(f"from {metric.least_side} pixels a side")
    facts.append("in the protocol's space" if metric.spaces else "whole RGB picture")
    if metric.weights:
        facts.append(f"weights {', '.join(metric.weights)}")
    lines = [
        (metric.name, "; ".join(facts)),
        ("  says", metric.what),
        ("  blind to", metric.blind_to),
        ("  source", metric.source),
    ]
    return "".join(
        fill(
            words,
            _WIDTH,
            initial_indent=f"{title} ".ljust(_LEFT),
            subsequent_indent=" " * _LEFT,
            break_on_hyphens=False,
        )
        + "\n"
        for title, words in lines
    )


def _layers() -> str:
    from upres.metrics.known import FEATURE_NETWORKS
    from upres.networks.features import layer_names

    examples = ", ".join(f"{name}_{layer_names(name)[-1]}" for name in FEATURE_NETWORKS)
    return (
        f"\nDistances of features at any layer: {examples} and so on.\n"
        "`upres metrics vgg19_conv5_4` explains it; conv is before a ReLU, relu after it."
    )
