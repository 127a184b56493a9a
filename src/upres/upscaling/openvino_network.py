"""A network as OpenVINO computes it: the extra `export`.

Its bf16 keeps 8 significant bits to the end, unlike ours (`precision.half_body`). So the plain
enlargement that many networks add at their end is left out of it and added here in float32; a
network without one shifts the mean by about a tenth of a level.
"""

import copy
import sys
import warnings
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, cast

import torch
from torch import Tensor, nn

from upres.errors import MissingExtra
from upres.networks.skip import Skip, with_skip
from upres.upscaling.ensemble import SelfEnsemble
from upres.upscaling.precision import ComputePrecision

Forward = Callable[[Tensor], Tensor]  # LR (n 3 h w) to SR (n 3 scale*h scale*w)

_HINTS: Mapping[ComputePrecision, str] = {"float32": "f32", "bf16": "bf16", "fp16": "f16"}
_EXAMPLE = 16  # LR px a side of what is looked at; the sizes of the result are open
_TELEMETRY = "openvino_telemetry"


def openvino_forward(network: nn.Module, precision: ComputePrecision) -> Forward:
    """Return a function that gives what `network` gives, computed by OpenVINO on the processor.

    precision: what OpenVINO is told to compute in; it would choose bf16 by itself. The network's
    weights are those of now. As many threads as torch has; callers take turns.
    Raises MissingExtra. The function raises MemoryError.
    """
    openvino = import_openvino()
    if isinstance(network, SelfEnsemble):  # one network in eight turns, not eight networks
        return SelfEnsemble(_Computed(openvino_forward(network.network, precision)))
    body, skip, scale = _without_skip(network)
    options = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(openvino_model(body), "CPU", options)
    request, turn = compiled.create_infer_request(), Lock()

    def forward(lr: Tensor) -> Tensor:
        if lr.shape[-2:] == (1, 1):  # of one pixel OpenVINO 2026.4 makes nonsense in bf16
            return cast(Tensor, network(lr))
        try:
            with turn:
                computed = request.infer(lr.contiguous().numpy(), share_inputs=True)[0]
        except RuntimeError as error:
            if "alloc" in str(error):  # std::bad_alloc, and oneDNN's "could not allocate"
                raise MemoryError(str(error)) from error
            raise
        return with_skip(torch.from_numpy(computed), lr, scale, skip)

    return forward


class _Computed(nn.Module):
    """A function where a network is expected."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self._forward = forward

    def forward(self, lr: Tensor) -> Tensor:
        return self._forward(lr)


def openvino_model(network: nn.Module, channels: int = 3) -> Any:
    """Return `network` as an openvino.Model: input "lr", output "sr", batch and sides open.

    channels: of LR. Raises MissingExtra.
    """
    openvino = import_openvino()
    traced = copy.deepcopy(network).to("cpu", torch.float32).eval()
    example = torch.zeros(1, channels, _EXAMPLE, _EXAMPLE)
    with warnings.catch_warnings(), torch.inference_mode():
        # torch would rather be exported than traced, but OpenVINO cannot read all of that yet
        warnings.simplefilter("ignore")
        model = openvino.convert_model(
            traced, example_input=example, input=[[-1, channels, -1, -1]]
        )
    model.inputs[0].get_tensor().set_names({"lr"})
    model.outputs[0].get_tensor().set_names({"sr"})
    return model


def import_openvino() -> Any:
    """Return the module openvino, kept from reporting to its makers that it was imported.

    Raises MissingExtra.
    """
    if sys.modules.get("openvino") is not None:
        return sys.modules["openvino"]
    unknown = _TELEMETRY not in sys.modules
    if unknown:
        sys.modules[_TELEMETRY] = cast(Any, None)  # whoever imports it is told it is not installed
    try:
        import openvino
        import openvino.tools.ovc  # reads its telemetry now, while there is none
    except ImportError as error:
        raise MissingExtra("openvino", "export", "OpenVINO as backend or target") from error
    finally:
        if unknown:
            del sys.modules[_TELEMETRY]
    return openvino


def _without_skip(network: nn.Module) -> tuple[nn.Module, Skip, int]:
    """Return a copy that adds no plain enlargement, the one it left out, and its factor."""
    skip: Skip = getattr(network, "skip", "none")
    if skip == "none":
        return network, "none", 1
    body: Any = copy.deepcopy(network)
    body.skip = "none"
    return body, skip, body.scale
