"""Lightning Fabric as training uses it: device, processes and precision."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import Precision
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from lightning_fabric.strategies.strategy import Strategy
from torch import Tensor, nn

from upres.errors import BadSetting
from upres.processes.devices import ALONE, Layout
from upres.processes.sharding import shard
from upres.upscaling.precision import HALVES, ComputePrecision

# The first process prepares photos while the others wait. One that dies is noticed at once.
_PATIENCE = timedelta(days=1)


class PicturePrecision(Precision):
    """Mixed precision inside the networks; what goes in and comes out keeps its type.

    Fabric's own plugin would round pictures to bf16, which has 8 significant bits, as many as
    their levels, and has one gradient scaler for all optimisers.
    """

    def __init__(self, device: str, precision: ComputePrecision) -> None:
        self.computes: ComputePrecision = precision
        self._device = device
        self._half = HALVES.get(precision)

    def forward_context(self) -> AbstractContextManager[Any]:
        if self._half is None:
            return nullcontext()
        return torch.autocast(self._device, dtype=self._half)


def fabric_for(precision: ComputePrecision, layout: Layout = ALONE) -> Fabric:
    """Return a Fabric for the layout; `launch` starts its other processes where needed.

    Raises BadSetting where the environment of a launcher contradicts the layout.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces every choice
    if layout.device == "cuda":
        _exact_float32()
    try:
        return Fabric(
            accelerator=layout.device,
            devices=layout.processes,
            num_nodes=layout.machines,
            strategy=_strategy(layout),
            plugins=[PicturePrecision(layout.device, precision)],
        )
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise BadSetting(f"the processes cannot be set up: {reason}.") from error


def computes_in(fabric: Fabric) -> ComputePrecision:
    """Return the precision that a Fabric was made for."""
    plugin = fabric.strategy.precision
    return plugin.computes if isinstance(plugin, PicturePrecision) else "float32"


def in_precision(fabric: Fabric, network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return `network` as a call under Fabric's precision; pictures go in as they are."""
    network.to(fabric.device)

    def called(picture: Tensor) -> Tensor:
        with fabric.autocast():
            result: Tensor = network(picture)
        return result

    return called


def _strategy(layout: Layout) -> Strategy | str:
    if layout.sharded:
        return ModelParallelStrategy(
            shard, data_parallel_size=layout.count, tensor_parallel_size=1, timeout=_PATIENCE
        )
    return DDPStrategy(timeout=_PATIENCE) if layout.count > 1 else "auto"


def _exact_float32() -> None:
    """Let float32 be float32 in cuDNN's convolutions too, whose default keeps 10 of 23 bits."""
    convolutions: Any = getattr(torch.backends.cudnn, "conv", None)  # torch >= 2.9
    if hasattr(convolutions, "fp32_precision"):
        convolutions.fp32_precision = "ieee"
    else:
        torch.backends.cudnn.allow_tf32 = False
