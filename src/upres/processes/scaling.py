"""The scaler that fp16 needs: small gradients are brought into its range and back.

bf16 has float32's range: a power of two multiplied in and divided out changes no bit there.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.amp import GradScaler

from upres.errors import BadSetting
from upres.processes.devices import Layout
from upres.upscaling.precision import ComputePrecision


def new_scaler(
    precision: ComputePrecision, wanted: Literal["auto", "yes", "no"], device: str
) -> GradScaler:
    """Return a scaler for one optimiser; it does nothing but for fp16."""
    return GradScaler(device, enabled=precision == "fp16" and wanted != "no")


def no_scaler() -> GradScaler:
    """Return one that does nothing."""
    return GradScaler("cpu", enabled=False)


def check_precision(
    precision: ComputePrecision, wanted: Literal["auto", "yes", "no"], layout: Layout
) -> None:
    """Raise BadSetting where the device or the layout cannot train in `precision`."""
    if precision == "fp16" and layout.device != "cuda":
        raise BadSetting(
            f"precision fp16 needs a CUDA device and this run is on {layout.device}: give "
            "--precision bf16 or float32."
        )
    if precision == "fp16" and layout.sharded:
        raise BadSetting(
            "precision fp16 and --strategy fsdp do not go together: the scaler would have to see "
            "the whole gradient; give --precision bf16, or leave --strategy out."
        )
    if precision != "fp16" and wanted == "yes":
        raise BadSetting(
            f"gradient_scaler=yes does nothing in {precision}, which has float32's range; only "
            "fp16 needs one (paper B names both; docs/papers.md): set gradient_scaler=auto."
        )


def scaler_tensors(scaler: GradScaler) -> dict[str, Tensor]:
    """Return what a scaler has learnt, by name; nothing where it is not enabled."""
    return {
        name: torch.tensor(value, dtype=torch.float64)
        for name, value in scaler.state_dict().items()
    }


def load_scaler(scaler: GradScaler, tensors: Mapping[str, Tensor]) -> None:
    """Put `scaler_tensors` back. Raises KeyError where they are of another kind of scaler."""
    if not scaler.is_enabled():
        if tensors:
            raise KeyError("a gradient scaler")
        return
    known = scaler.state_dict()
    # counts are whole numbers, factors are not
    scaler.load_state_dict({name: type(known[name])(tensors[name].item()) for name in known})
