"""`upres upscale --ray`: a folder of a store, enlarged by the workers of a cluster."""

import contextlib
import json
import sys
from pathlib import Path

import typer

from upres.batch.cluster import Workers, upscale_on_ray
from upres.batch.events import Summary
from upres.batch.jobs import Naming
from upres.batch.places import address_of
from upres.batch.stores import Chosen, Note, Plan, planned
from upres.cli.upscale_plan import STREAM, Manner, Order
from upres.errors import BadSetting
from upres.upscaling.choosing import choose_model
from upres.upscaling.sizes import suffix_for


def carry_out_on_ray(order: Order, manner: Manner, workers: int | None) -> None:
    """Do what was asked for; print the results' addresses on stdout, the rest on stderr.

    Raises UpresError as `carry_out` does.
    """
    source, target = _folders(order)
    for word in manner.words:
        _say(word, manner)
    scale = choose_model(
        order.model, fidelity=order.settings.fidelity, denoise=order.settings.denoise
    ).scale
    suffix = suffix_for(order.wish, scale) if order.suffix is None else order.suffix
    plan = planned(
        source,
        target,
        naming=Naming(suffix, order.ending),
        recursive=order.recursive,
        shard=order.shard,
    )
    if manner.dry_run:
        typer.echo("".join(f"{job['source']} -> {job['target']}\n" for job in plan.jobs), nl=False)
        return

    summary = _told(order, manner, plan, target, Workers(workers))
    if not manner.as_json:
        _say(summary.line, manner)
    summary.raise_if_failed()


def _told(order: Order, manner: Manner, plan: Plan, target: str, workers: Workers) -> Summary:
    """Do the jobs; print what happens on stdout, and nothing else there."""
    out, failures = sys.stdout, []

    def event(name: str, fields: Note) -> None:
        if manner.as_json:
            typer.echo(json.dumps({"event": name, **fields}), file=out)

    def tell(note: Note) -> None:
        fields = {key: value for key, value in note.items() if key != "state"}
        event(note["state"], fields)
        if note["state"] == "failed":
            failures.append(fields)
        elif note["state"] == "done" and not manner.as_json:
            typer.echo(note["target"], file=out)

    event("planned", {"pictures": len(plan.jobs)})
    with contextlib.redirect_stdout(sys.stderr):  # where Ray says that a worker died
        summary = upscale_on_ray(
            plan,
            target,
            order.model,
            Chosen({}, order.wish, order.save, order.overwrite),
            settings=order.settings,
            workers=workers,
            on_note=tell,
        )
    event("finished", {**vars(summary), "failures": failures})
    return summary


def _folders(order: Order) -> tuple[str, str]:
    if len(order.inputs) != 1 or order.output is None or STREAM in (*order.inputs, order.output):
        raise BadSetting(
            "--ray takes one folder and --output for another, both of which all machines see, "
            "such as s3://bucket/photos."
        )
    if order.mask is not None:
        raise BadSetting("--mask does not go with --ray: it belongs to one picture.")
    return _address(order.inputs[0]), _address(order.output)


def _address(path: Path) -> str:
    """Return an address as it is, a path from the root: workers may stand in another folder."""
    address = address_of(path)
    return address if "://" in address else str(path.absolute())


def _say(line: str, manner: Manner) -> None:
    if not manner.quiet:
        typer.echo(line, err=True)
