"""Lightning Fabric as training uses it: device and precision."""

import logging
from collections.abc import Callable

from lightning_fabric import Fabric
from torch import Tensor, nn

from upres.upscaling.precision import ComputePrecision


def fabric_for(precision: ComputePrecision) -> Fabric:
    """Return a Fabric on the processor that computes in bf16 (mixed) or in float32."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces every choice
    if precision == "bf16":
        return Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def in_precision(fabric: Fabric, network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return `network` as a call under Fabric's precision; pictures go in as they are.

    `fabric.setup_module` would round them to bf16, which has 8 significant bits, as many as the
    levels of a picture: the plain enlargement that a generator adds would lose half a level.
    """
    network.to(fabric.device)

    def called(picture: Tensor) -> Tensor:
        with fabric.autocast():
            result: Tensor = network(picture)
        return result

    return called
