"""float32, bf16 or fp16: which this machine should compute in, and a network made ready for it.

bf16 has 8 significant bits, as many as a picture's levels. The body of a network bears that; its
output does not: a last layer in bf16 shifts the mean by a quarter of a level. So the last
convolution, the plain enlargement beside the body and the sum stay in float32.
"""

import copy
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

Precision = Literal["auto", "float32", "bf16", "fp16"]
ComputePrecision = Literal["float32", "bf16", "fp16"]
Backend = Literal["torch", "openvino"]
HALVES: Mapping[ComputePrecision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


def pick_precision(wanted: Precision = "auto", device: str = "cpu") -> ComputePrecision:
    """What to compute in: `auto` is bf16 where the device has instructions for it.

    Without them (AMX or AVX512-BF16 of a processor) bf16 is many times slower than float32, hence
    the look. `auto` is never fp16, whose range is small.
    """
    if wanted != "auto":
        return wanted
    match device:
        case "cpu":
            able = _cpu_multiplies_bf16()
        case "cuda":
            able = torch.cuda.is_bf16_supported(including_emulation=False)
        case _:
            able = False
    return "bf16" if able else "float32"


def half_body(network: nn.Module, half: torch.dtype = torch.bfloat16) -> nn.Module:
    """A copy of `network` that takes and gives float32 but computes its body in `half`.

    half: one of HALVES. Convolutions and PReLUs take it, in channels_last order; the last
    convolution, in the order of definition, stays float32, and so do normalisations. A network
    of fewer than two convolutions has no body: its copy computes in float32.
    """
    ready: nn.Module = copy.deepcopy(network).eval()
    for parameter in ready.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    convolutions = [module for module in ready.modules() if isinstance(module, nn.Conv2d)]
    if len(convolutions) < 2:
        return ready
    first, last = convolutions[0], convolutions[-1]
    for module in ready.modules():
        if isinstance(module, nn.Conv2d | nn.PReLU) and module is not last:
            module.to(half)
    first.register_forward_pre_hook(partial(_converted, half))
    last.register_forward_pre_hook(partial(_converted, torch.float32))
    return ready


def _converted(kind: torch.dtype, _module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor]:
    return (inputs[0].to(kind),)


def _cpu_multiplies_bf16() -> bool:
    capabilities = getattr(torch.cpu, "get_capabilities", None)  # torch >= 2.10
    if capabilities is not None:
        return any(capabilities().get(flag, False) for flag in _CPU_FLAGS)
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return not _CPU_FLAGS.isdisjoint(text.split())
