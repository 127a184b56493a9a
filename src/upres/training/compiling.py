"""Whether torch.compile makes this network's step faster here: a short trial decides."""

import copy
import time

import torch
from lightning_fabric import Fabric
from pydantic import BaseModel
from torch import Tensor, nn

from upres.processes.fabric import in_precision

_TIMED = 6
_WORTH_SECONDS = 480  # shorter stages are over before the compiler has paid for itself


class Trial(BaseModel, frozen=True, extra="forbid"):
    """Seconds of one forward and backward pass, eager and compiled; what was chosen."""

    eager: float
    compiled: float | None
    chosen: bool
    seconds: float


def try_compiling(
    fabric: Fabric, generator: nn.Module, lr: Tensor, *, steps: int | None, minutes: float | None
) -> Trial:
    """Time copies of `generator` on one batch; the generator itself is not touched.

    Compiling is tried only where the stage is long enough to pay for it.
    """
    began = time.perf_counter()
    eager = _seconds(fabric, generator, lr, compiled=False)
    expected = minutes * 60 if minutes is not None else (steps or 0) * eager
    if expected < _WORTH_SECONDS:
        return Trial(eager=eager, compiled=None, chosen=False, seconds=time.perf_counter() - began)
    compiled = _seconds(fabric, generator, lr, compiled=True)
    return Trial(
        eager=eager,
        compiled=compiled,
        chosen=compiled < 0.97 * eager,
        seconds=time.perf_counter() - began,
    )


def _seconds(fabric: Fabric, generator: nn.Module, lr: Tensor, *, compiled: bool) -> float:
    network = copy.deepcopy(generator)
    if compiled:
        network.compile()
    called = in_precision(fabric, network)
    times = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        fabric.backward(called(lr).square().mean())
        times.append(time.perf_counter() - began)
    torch.compiler.reset()
    return min(times[2:])
