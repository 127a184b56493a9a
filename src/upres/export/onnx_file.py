"""A generator as an ONNX file, and as ONNX Runtime computes it."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from upres.errors import MissingExtra
from upres.export.checking import Run
from upres.upscaling.precision import half_body

OPSET = 18  # the first whose Resize knows bicubic as `networks.skip` has it
_EXAMPLE = (2, 16, 20)  # batch, rows, columns that are traced; 1 would be taken for constant


def onnx_content(
    network: nn.Module, metadata: Mapping[str, str], *, channels: int = 3, half: bool = False
) -> bytes:
    """Return the bytes of an ONNX file of `network`: input "lr", output "sr", all sizes open.

    metadata: what the file says of itself, names to texts. channels: of LR. half: all between the
    first and the last convolution computes in float16; input, output and the last convolution
    stay float32. The same input gives the same bytes.
    Raises MissingExtra.
    """
    _require("onnx", "onnxscript")
    import onnx

    ready = _half(network) if half else network
    batch, height, width = _EXAMPLE
    with _quiet():
        program: Any = torch.onnx.export(
            ready,
            (torch.zeros(batch, channels, height, width),),
            input_names=["lr"],
            output_names=["sr"],
            opset_version=OPSET,
            dynamic_shapes=({0: "batch", 2: "height", 3: "width"},),
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    _forget_origin(model.graph)
    del model.functions[:]
    model.producer_name = "upres"
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def onnx_run(content: bytes) -> Run:
    """Return ONNX Runtime's function of the file, on the processor. Raises MissingExtra."""
    _require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(lr: NDArray[np.float32]) -> NDArray[np.float32]:
        sr: NDArray[np.float32] = session.run(["sr"], {"lr": lr})[0]
        return sr

    return run


def _half(network: nn.Module) -> nn.Module:
    ready = half_body(network, torch.float16)
    for module in ready.modules():
        if isinstance(module, nn.BatchNorm2d):  # torch mixes types in it, ONNX does not
            module.half()
    return ready


def _forget_origin(graph: Any) -> None:
    """Take out what the exporter notes of our source files: paths of this machine among it."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.metadata_props[:]


def _require(*packages: str) -> None:
    for package in packages:
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtra(package, "export", "Writing ONNX files") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of its own deprecations and of torchvision."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
