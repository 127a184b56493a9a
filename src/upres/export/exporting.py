"""A model written as a file of another runtime, and checked there before it is kept."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from upres.atomic import replacing
from upres.errors import WorkFailed
from upres.export.checking import SIZES, greatest_difference
from upres.export.onnx_file import onnx_content, onnx_run
from upres.export.openvino_files import openvino_run, write_openvino
from upres.networks.build import GeneratorSettings, receptive_radius
from upres.networks.srcnn import SRCNNSettings
from upres.weights.model import Model

Target = Literal["onnx", "openvino"]
SUFFIXES: dict[Target, str] = {"onnx": ".onnx", "openvino": ".xml"}

LIMIT = 0.1  # levels of 255 that a float32 file may differ by: another order of sums
HALF_LIMIT = 8.0  # and one with halves: 10 significant bits through a deep network


@dataclass(frozen=True)
class Exported:
    """The files that were written, and how far they are from the network, in levels of 255."""

    paths: tuple[Path, ...]
    difference: float


def export_model(
    model: Model,
    path: Path,
    target: Target,
    *,
    half: bool = False,
    on_step: Callable[[str], None] = lambda _what: None,
) -> Exported:
    """Write `model` to `path`, whole and checked or not at all.

    path: ends as SUFFIXES says; OpenVINO's weights go to a .bin beside it. half: see
    `onnx_content` and `write_openvino`. on_step: told what is begun, in a word or two.
    The file is run by its own runtime at three sizes and compared with the network.
    Raises MissingExtra, NoSpace, WorkFailed when it gives another picture than the network.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"model{SUFFIXES[target]}"
        on_step("converting")
        channels = input_channels(model.settings)
        metadata = metadata_of(model, half=half)
        match target:
            case "onnx":
                content = onnx_content(model.network, metadata, channels=channels, half=half)
                draft.write_bytes(content)
                run = onnx_run(content)
            case "openvino":
                write_openvino(draft, model.network, metadata, channels=channels, half=half)
                run = openvino_run(draft)
            case _:
                assert_never(target)
        on_step("checking")
        difference = greatest_difference(model.network, run, channels=channels)
        _refuse_other(model.name, target, difference, half=half)
        return Exported(_moved(draft, path), difference)


def metadata_of(model: Model, *, half: bool) -> dict[str, str]:
    """Return what an exported file says of itself; everything that a checkpoint says among it."""
    channels = input_channels(model.settings)
    told = {
        "name": Path(model.name).name if Path(model.name).exists() else model.name,
        "network": model.settings.model_dump_json(),
        "scale": str(model.scale),
        "input": f"lr: (n, {channels}, h, w), {'Y' if channels == 1 else 'RGB'}, float32, 0..1",
        "output": f"sr: (n, {channels}, {model.scale}h, {model.scale}w), not clamped",
        "overlap": str(receptive_radius(model.settings, model.scale)),
        "precision": "float16" if half else "float32",
        "source_sha256": model.sha256,
    }
    if model.header is not None:
        told["header"] = model.header.model_dump_json()
        told["licence"] = model.header.licence or ""
    return told


def input_channels(settings: GeneratorSettings) -> int:
    """Return how many channels a network takes: 3 but for SRCNN on luma."""
    return settings.channels if isinstance(settings, SRCNNSettings) else 3


def _refuse_other(name: str, target: Target, difference: float, *, half: bool) -> None:
    limit = HALF_LIMIT if half else LIMIT
    if difference <= limit:
        return
    sizes = ", ".join(f"{width}x{height}" for _, height, width in SIZES)
    advice = "leave --half out" if half else "report it with the versions of torch and the runtime"
    raise WorkFailed(
        f"{name} as {target} differs from the network by {difference:.3g} levels of 255 "
        f"(pictures of {sizes}), at most {limit} is expected; nothing was written, {advice}."
    )


def _moved(draft: Path, path: Path) -> tuple[Path, ...]:
    parts = sorted(draft.parent.iterdir())  # .bin before the .xml that needs it
    written = []
    for part in parts:
        with replacing(path.with_suffix(part.suffix)) as partial:
            partial.write_bytes(part.read_bytes())
        written.append(path.with_suffix(part.suffix))
    return tuple(reversed(written))
