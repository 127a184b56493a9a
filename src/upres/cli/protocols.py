"""`upres protocols`: the conditions of measurements, listed and explained."""

from typing import Annotated

import typer


def protocols(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Explain this one in full.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every field as JSON.")] = False,
) -> None:
    """List the protocols that numbers are measured by, or explain one."""
    import json

    from upres.evaluation.protocol_text import explained, listed
    from upres.evaluation.protocols import PROTOCOLS, get_protocol

    chosen = list(PROTOCOLS.values()) if name is None else [get_protocol(name)]
    if as_json:
        fields = [protocol.model_dump() for protocol in chosen]
        typer.echo(json.dumps(fields if name is None else fields[0], indent=2))
    elif name is None:
        typer.echo("".join(listed(protocol) for protocol in chosen), nl=False)
    else:
        typer.echo(explained(chosen[0]), nl=False)
