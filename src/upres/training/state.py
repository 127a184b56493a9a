"""Everything that changes while a stage trains, and how it is kept: tensors and one header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from upres.errors import BadRun
from upres.processes.scaling import load_scaler, no_scaler, scaler_tensors
from upres.processes.sharding import like, whole
from upres.weights.tensors import read_safetensors, write_safetensors

_KEY = "upres-state"


class Best(BaseModel, frozen=True, extra="forbid", ser_json_inf_nan="strings"):
    value: float  # infinite PSNR: restored exactly
    step: int


class Sums(BaseModel, frozen=True, extra="forbid"):
    """What steps found since the journal's last line, so that a resumed run writes the same."""

    totals: Mapping[str, Mapping[str, float]] = {}  # by group (terms, weighted, ...) and name
    counts: Mapping[str, Mapping[str, int]] = {}  # steps that added to each
    watched: Mapping[str, Any] = {}


class Progress(BaseModel, frozen=True, extra="forbid", ser_json_inf_nan="strings"):
    """How far a stage is. `planned` is None until a length in minutes was turned into steps."""

    step: int = 0
    planned: int | None = None
    planned_for_minutes: float | None = None
    best: Mapping[str, Best] = {}
    accuracy: float | None = None  # the discriminator's, a running mean
    unlogged: Sums = Sums()


@dataclass
class StageState:
    """The players of one stage, their optimisers and scalers, the average and the progress."""

    generator: nn.Module
    optimiser: Optimizer
    average: nn.Module | None = None
    discriminator: nn.Module | None = None
    discriminator_optimiser: Optimizer | None = None
    scaler: GradScaler = field(default_factory=no_scaler)
    discriminator_scaler: GradScaler = field(default_factory=no_scaler)
    progress: Progress = field(default_factory=Progress)


def save_state(path: Path, state: StageState) -> None:
    """Replace the file at `path` by `state`, all of it or nothing. Raises NoSpace."""
    save_tensors(path, state_tensors(state), state.progress)


def state_tensors(state: StageState) -> dict[str, Tensor]:
    """Return all tensors of a state, in one piece each: every process must ask for them."""
    tensors: dict[str, Tensor] = {}
    for part, network in _networks(state).items():
        tensors |= {f"{part}/{key}": whole(value) for key, value in network.state_dict().items()}
    for part, optimiser in _optimisers(state).items():
        moments: Mapping[int, Mapping[str, Any]] = optimiser.state_dict()["state"]
        for index, values in moments.items():
            found = {key: whole(torch.as_tensor(value)) for key, value in values.items()}
            tensors |= {f"{part}/{index}/{key}": value for key, value in found.items()}
    for part, scaler in _scalers(state).items():
        tensors |= {f"{part}/{key}": value for key, value in scaler_tensors(scaler).items()}
    return tensors


def save_tensors(path: Path, tensors: Mapping[str, Tensor], progress: Progress) -> None:
    """Replace the file at `path` by what `state_tensors` gave. Raises NoSpace."""
    write_safetensors(path, tensors, {_KEY: progress.model_dump_json()})


def load_state(path: Path, state: StageState) -> None:
    """Put what `path` holds into the networks and optimisers of `state`, bit for bit.

    Raises BadWeights when the file is damaged, BadRun when it belongs to another stage.
    """
    metadata, tensors = read_safetensors(path)
    try:
        progress = Progress.model_validate_json(metadata[_KEY])
        parts = {*_networks(state), *_optimisers(state), *_scalers(state)}
        _refuse_other_parts(tensors, parts)
        for part, network in _networks(state).items():
            _load_network(network, _below(tensors, part))
        for part, optimiser in _optimisers(state).items():
            _load_moments(optimiser, _below(tensors, part))
        for part, scaler in _scalers(state).items():
            load_scaler(scaler, _below(tensors, part))
    except (KeyError, RuntimeError, ValidationError) as error:
        raise BadRun(
            f"{path} is not the state of this stage ({str(error).splitlines()[0]}): "
            "give --out another folder, or remove the file to start the stage again."
        ) from error
    state.progress = progress


def _refuse_other_parts(tensors: Mapping[str, Tensor], known: set[str]) -> None:
    others = {key.partition("/")[0] for key in tensors} - known
    if others:
        raise RuntimeError(f"it also has {', '.join(sorted(others))}")


def _load_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    spread = network.state_dict()
    network.load_state_dict(
        {k: like(v, spread[k]) if k in spread else v for k, v in tensors.items()}
    )


def _load_moments(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        spread = like(value, parameters[int(index)]) if value.ndim else value
        moments.setdefault(int(index), {})[name] = spread
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})


def _networks(state: StageState) -> dict[str, nn.Module]:
    named = {
        "generator": state.generator,
        "average": state.average,
        "discriminator": state.discriminator,
    }
    return {name: network for name, network in named.items() if network is not None}


def _optimisers(state: StageState) -> dict[str, Optimizer]:
    named = {
        "optimiser": state.optimiser,
        "discriminator_optimiser": state.discriminator_optimiser,
    }
    return {name: optimiser for name, optimiser in named.items() if optimiser is not None}


def _scalers(state: StageState) -> dict[str, GradScaler]:
    return {"scaler": state.scaler, "discriminator_scaler": state.discriminator_scaler}


def _below(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}/"
    return {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
