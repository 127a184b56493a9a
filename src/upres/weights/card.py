"""A model's card: what it is, what it was trained on and how good it was, as Markdown.

Everything in it stands in the checkpoint's header; what is not known is said to be unknown.
"""

import re

import yaml

from upres.networks.build import count_parameters
from upres.weights.checkpoint import CheckpointHeader, Parent
from upres.weights.model import Model

_SPDX = re.compile(r"[A-Za-z0-9.-]+-[0-9.]+(-Clause)?|MIT")  # at the start of a licence's note


def card_of(model: Model, header: CheckpointHeader, title: str) -> str:
    """Return the card, with the hub's fields in YAML before it."""
    parts = [
        fields_of(header),
        f"# {title}",
        _what(model, header),
        f"## Use\n\n    upres upscale photo.png --model {title}\n\n"
        "where the folder lies here; `--model hf:OWNER/NAME` takes it from the hub. In Python: "
        "`upres.Upscaler.load(...)`.",
        _training(header),
        _results(header),
        f"## Licence\n\n{header.licence or 'Not stated by those who trained it.'}",
    ]
    return "\n\n".join(parts) + "\n"


def fields_of(header: CheckpointHeader) -> str:
    """Return the YAML before a card that the hub files a model by."""
    licence = _SPDX.match(header.licence or "")
    fields = {
        "library_name": "upres",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", header.generator.kind, f"x{header.scale}"],
        "license": licence[0].lower() if licence else "unknown",
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False)}---"


def _what(model: Model, header: CheckpointHeader) -> str:
    settings = header.generator.model_dump(mode="json", exclude={"kind"})
    values = ", ".join(f"{name} {value}" for name, value in settings.items())
    return (
        f"A network that makes pictures {header.scale} times as large: `{header.generator.kind}` "
        f"({values}), {count_parameters(model.network):,} parameters. RGB, values 0..1."
    )


def _training(header: CheckpointHeader) -> str:
    if header.parents:
        shares = "\n".join(f"* {_parent(parent)}" for parent in header.parents)
        return f"## Training\n\nInterpolated between the weights of\n\n{shares}"
    if header.recipe is None:
        return "## Training\n\nBy another program; its file does not say how."
    where = f"stage {header.stage}, " if header.stage else ""
    kind = "averaged weights" if header.weights == "ema" else "raw weights"
    lines = [
        f"Recipe `{header.recipe.get('name', 'without a name')}`, {where}"
        f"{header.step or 'unknown'} steps, {kind}, by upres {header.upres_version}. The whole "
        "recipe stands in the file's header."
    ]
    if header.data_hash:
        lines.append(f"Training pictures: `{header.data_hash}` (hash of the prepared store).")
    return "## Training\n\n" + "\n\n".join(lines)


def _parent(parent: Parent) -> str:
    return f"{parent.share:.0%} of {parent.name}, sha256 `{parent.sha256}`"


def _results(header: CheckpointHeader) -> str:
    if not header.metrics:
        return "## Results\n\nNone were recorded."
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in header.metrics.items())
    return (
        f"## Results\n\nOn the validation pictures when it was saved, by protocol "
        f"`{header.protocol or 'unknown'}`.\n\n| metric | value |\n|---|---|\n{rows}"
    )
