"""A network as a table: its layers in the order of their use, what comes out of each, and sizes.

A copy is looked at while an empty picture runs through it, so what is printed is what runs.
"""

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrize import is_parametrized
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

_REPEATED = re.compile(r"(?P<list>.*?)\.(?P<index>\d+)\.(?P<inner>.+)")  # body.7.conv1


@dataclass(frozen=True)
class Layer:
    """One layer, or one enlargement without weights. `times`: in how many equal blocks it is."""

    name: str  # as in the state_dict; empty for what has no weights
    kind: str
    output: tuple[int, ...]  # channels, height, width; or channels
    parameters: int
    frozen: bool = False
    times: int = 1


@dataclass(frozen=True)
class Description:
    """What a network is for one picture of a size."""

    layers: tuple[Layer, ...]
    input: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int  # that learn
    flops: int  # for the picture; a multiplication with its addition counts as two


def describe_network(network: nn.Module, channels: int, height: int, width: int) -> Description:
    """Return the table of a generator or a discriminator for one picture of that size.

    Only convolutions and matrix products count as FLOPs. The network is left as it was.
    """
    looker = copy.deepcopy(network).to("cpu", torch.float32).eval()
    picture = torch.zeros(1, channels, height, width)
    found: list[Layer] = []
    for name, module in _visible(looker):
        module.register_forward_hook(_recorder(found, name))
    with torch.no_grad(), FlopCounterMode(display=False) as counter, _Enlargements(found):
        output = looker(picture)
    return Description(
        tuple(found),
        tuple(picture.shape[1:]),
        tuple(output.shape[1:]),
        sum(parameter.numel() for parameter in network.parameters()),
        int(counter.get_total_flops()),
    )


def without_repetition(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the layers with equal blocks of a list told once: `body.*.conv1`, `times` 16."""
    short: list[Layer] = []
    for name, group in groupby(layers, key=_list_of):
        told = list(group)
        blocks = [list(block) for _, block in groupby(told, key=_index_of)]
        if not name or any(_inner(block) != _inner(blocks[0]) for block in blocks):
            short += told
        else:
            short += [replace(layer, times=len(blocks)) for layer in _inner(blocks[0])]
    return tuple(short)


def _list_of(layer: Layer) -> str:
    found = _REPEATED.fullmatch(layer.name)
    return found["list"] if found else ""


def _index_of(layer: Layer) -> str:
    found = _REPEATED.fullmatch(layer.name)
    return found["index"] if found else ""


def _inner(block: Iterable[Layer]) -> list[Layer]:
    return [
        replace(layer, name=_REPEATED.sub(r"\g<list>.*.\g<inner>", layer.name)) for layer in block
    ]


def _visible(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Its layers, and the frozen network that a discriminator looks through without owning it."""
    trunk = getattr(network, "trunk", None)
    found = [("trunk", trunk)] if isinstance(trunk, nn.Module) else []
    return found + [(name, part) for name, part in network.named_modules() if _is_layer(part)]


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d | nn.PReLU)


def _recorder(found: list[Layer], name: str) -> Callable[[nn.Module, object, Any], None]:
    def record(module: nn.Module, _: object, output: Any) -> None:
        kind = _kind(module)
        if isinstance(output, Mapping):  # feature maps by name
            (layer, output), *_ = output.items()
            kind = f"pretrained, to {layer}"
        parameters = list(module.parameters())
        frozen = bool(parameters) and not any(p.requires_grad for p in parameters)
        count = sum(parameter.numel() for parameter in parameters)
        found.append(Layer(name, kind, tuple(output.shape[1:]), count, frozen))

    return record


def _kind(module: nn.Module) -> str:
    match module:
        case nn.Conv2d():
            kind = f"conv {module.kernel_size[0]}x{module.kernel_size[1]}"
            kind += f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
        case nn.Linear():
            kind = "dense"
        case nn.BatchNorm2d():
            kind = "batch norm"
        case nn.PReLU():
            kind = "PReLU"
        case _:
            kind = type(module).__name__
    return f"{kind}, spectral norm" if is_parametrized(module) else kind


class _Enlargements(TorchFunctionMode):
    """Notes what changes the size of a picture without weights."""

    def __init__(self, found: list[Layer]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        kind = _enlargement(func, args, kwargs or {}, output)
        if kind:
            self.found.append(Layer("", kind, tuple(output.shape[1:]), 0))
        return output


def _enlargement(
    func: object, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any
) -> str:
    if func is F.interpolate:
        mode = kwargs.get("mode", "nearest")
        times, rest = divmod(output.shape[-1], args[0].shape[-1])
        return f"{mode} resize" if rest else f"{mode} x{times}"
    if func is F.pixel_shuffle:
        return f"pixel shuffle x{args[1]}"
    if func is F.pixel_unshuffle:
        return f"pixel unshuffle /{args[1]}"
    return ""
