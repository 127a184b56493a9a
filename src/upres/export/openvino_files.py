"""A generator as OpenVINO's pair of files, and as OpenVINO computes it from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from upres.export.checking import Run
from upres.upscaling.openvino_network import import_openvino, openvino_model

SECTION = "upres"  # of a file's rt_info, where OpenVINO keeps what a model says of itself


def write_openvino(
    path: Path,
    network: nn.Module,
    metadata: Mapping[str, str],
    *,
    channels: int = 3,
    half: bool = False,
) -> None:
    """Write `path` (.xml) and the .bin beside it: input "lr", output "sr", all sizes open.

    metadata: what the file says of itself, names to texts. channels: of LR. half: weights are
    kept as float16; what they are computed in is chosen where the model is loaded.
    Raises MissingExtra.
    """
    model = openvino_model(network, channels)
    for key, text in metadata.items():
        model.set_rt_info(text, [SECTION, key])
    import_openvino().save_model(model, path, compress_to_fp16=half)


def openvino_run(path: Path) -> Run:
    """Return OpenVINO's function of the files, in float32 on the processor. Raises MissingExtra."""
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    compiled: Any = import_openvino().Core().compile_model(path, "CPU", options)

    def run(lr: NDArray[np.float32]) -> NDArray[np.float32]:
        sr: NDArray[np.float32] = compiled(lr)["sr"]
        return sr

    return run
