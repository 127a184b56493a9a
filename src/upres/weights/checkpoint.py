"""Our checkpoints: a generator's tensors with a header that says what they are.

One safetensors file; the header is JSON in its metadata, so a checkpoint can be read and judged
without the run that wrote it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from torch import Tensor

from upres.errors import BadWeights
from upres.networks.build import GeneratorSettings
from upres.weights.tensors import read_safetensors, safetensors_content, write_safetensors

FORMAT: Literal["upres-checkpoint-1"] = "upres-checkpoint-1"
_FAMILY = "upres-checkpoint-"
_KEY = "upres"  # the only metadata key: safetensors does not keep the order of several


class CheckpointHeader(BaseModel, frozen=True, extra="forbid", ser_json_inf_nan="strings"):
    """What the tensors of a checkpoint are, where they come from and how good they were."""

    format: Literal["upres-checkpoint-1"] = FORMAT
    generator: GeneratorSettings
    scale: int
    recipe: dict[str, Any] | None = None  # as `upres recipe NAME` prints it
    stage: str | None = None
    step: int | None = None  # optimiser steps of the generator in this stage
    weights: Literal["ema", "raw"] = "raw"
    metrics: dict[str, float] = {}  # validation when it was saved
    protocol: str | None = None  # of those metrics
    conditions: dict[str, Any] | None = None  # that protocol, every field; None: an older file
    data_hash: str | None = None
    upres_version: str
    licence: str | None = None  # a note for people: what the weights may be used for
    parents: "tuple[Parent, ...]" = ()  # of an interpolation: the networks that it is made of


class Parent(BaseModel, frozen=True, extra="forbid", ser_json_inf_nan="strings"):
    """A network that an interpolated one is made of."""

    name: str  # as the user called it
    sha256: str  # of its file
    share: float  # 0..1; those of all parents add up to 1
    header: CheckpointHeader | None  # None: the file of another program


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], header: CheckpointHeader) -> None:
    """Replace the checkpoint at `path` at once: a reader sees the old one or the new one.

    tensors: the generator's state_dict; shared and non-contiguous tensors are copied.
    Raises NoSpace when the file cannot be written.
    """
    write_safetensors(path, tensors, {_KEY: header.model_dump_json()})


def read_checkpoint(path: Path) -> tuple[CheckpointHeader, dict[str, Tensor]]:
    """Return the header and the tensors (CPU, in the types that they were saved in).

    Raises BadWeights when the file is missing, damaged, another kind of file, or newer than
    this program.
    """
    metadata, tensors = read_safetensors(path)
    return parse_header(path, metadata), tensors


def checkpoint_content(tensors: Mapping[str, Tensor], header: CheckpointHeader) -> bytes:
    """Return the bytes that `save_checkpoint` writes: the same for the same input."""
    return safetensors_content(tensors, {_KEY: header.model_dump_json()})


def recipes_in(header: CheckpointHeader | None) -> list[dict[str, Any]]:
    """Return the recipes that had a part in the weights: its own, or those of all its parents."""
    if header is None:
        return []
    own = [] if header.recipe is None else [header.recipe]
    acting = [parent.header for parent in header.parents if parent.share > 0]
    return own + [recipe for parent in acting for recipe in recipes_in(parent)]


def is_ours(metadata: Mapping[str, str]) -> bool:
    """Return whether a safetensors file with this metadata was written by this program."""
    return _KEY in metadata


def parse_header(path: Path, metadata: Mapping[str, str]) -> CheckpointHeader:
    """Return the header in a safetensors file's metadata. Raises BadWeights as read_checkpoint."""
    found = _format_of(metadata)
    if not found.startswith(_FAMILY):
        kind = f"its format is {found!r}" if found else "it has no upres header"
        raise BadWeights(
            f"{path} is a safetensors file but no checkpoint of a generator ({kind}), "
            f"expected {FORMAT!r}: give a run's model.safetensors or one of its best-*.safetensors."
        )
    if found != FORMAT:
        raise BadWeights(
            f"{path} is a checkpoint of format {found!r}, this version reads {FORMAT!r}: "
            "install the upres version that wrote it."
        )
    try:
        return CheckpointHeader.model_validate_json(metadata[_KEY])
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadWeights(
            f"{path} is a checkpoint whose header does not fit ({field}: {first['msg']}), "
            "expected one written by this version: install the upres version that wrote it, "
            "or save the checkpoint again."
        ) from error


def _format_of(metadata: Mapping[str, str]) -> str:
    try:
        header = json.loads(metadata.get(_KEY, ""))
    except json.JSONDecodeError:
        return ""
    return str(header.get("format", "")) if isinstance(header, dict) else ""
