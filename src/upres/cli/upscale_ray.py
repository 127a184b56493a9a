"""`upres upscale --ray`: a folder of a store, enlarged by the workers of a cluster."""

import json
from pathlib import Path

import typer

from upres.batch.cluster import Workers, upscale_on_ray
from upres.batch.jobs import Naming
from upres.batch.stores import Chosen, Note, address_of, planned
from upres.cli.upscale_plan import Manner, Order
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
    jobs = planned(
        source,
        target,
        naming=Naming(suffix, order.ending),
        recursive=order.recursive,
        shard=order.shard,
    )
    if manner.dry_run:
        typer.echo("".join(f"{job['source']} -> {job['target']}\n" for job in jobs), nl=False)
        return

    def tell(note: Note) -> None:
        if manner.as_json:
            typer.echo(json.dumps(note))
        elif note["state"] == "done":
            typer.echo(note["target"])

    summary = upscale_on_ray(
        jobs,
        target,
        order.model,
        Chosen({}, order.wish, order.save, order.overwrite),
        settings=order.settings,
        workers=Workers(workers),
        on_note=tell,
    )
    _say(summary.line, manner)
    summary.raise_if_failed()


def _folders(order: Order) -> tuple[str, str]:
    if len(order.inputs) != 1 or order.output is None:
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
