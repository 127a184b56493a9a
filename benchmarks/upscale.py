"""How fast pictures are enlarged: ours against the same weights in other runtimes, in one run.

    python benchmarks/upscale.py [--model NAME_OR_FILE] [--megapixels 1] [--rounds 3]

Without --model the compact network x4 is used with random weights: speed does not depend on them.
Plain float32 is the network as the field's tools run it: torch's default layout, the whole
picture at once. The others get the whole picture too, from files that `upres export` writes;
ours goes through its tiles, with all checks. All run in turn in the same process; the best of the
rounds counts, in input megapixels a second. Runtimes that are not installed are left out (the
extra `export`; ncnn with pnnx, which converts for it, is installed by `pip install ncnn pnnx`).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from upres.networks.build import GeneratorSettings, build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import load_model

Pixels = NDArray[np.uint8]
Work = Callable[[Pixels], Pixels]


def main() -> None:
    """Print a line a runtime: megapixels a second, times plain float32, largest difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", help="default: compact x4 with random weights")
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    network, settings, scale = _network(arguments.model)
    side = round((arguments.megapixels * 1e6) ** 0.5)
    draws = torch.Generator().manual_seed(0)
    lr = torch.rand(side // 8, side // 8, 3, generator=draws).repeat_interleave(8, 0)
    picture = (lr.repeat_interleave(8, 1) * 255).to(torch.uint8).numpy()
    print(
        f"{settings.kind} x{scale}, {picture.shape[1]}x{picture.shape[0]} px, "
        f"{torch.get_num_threads()} threads"
    )
    with tempfile.TemporaryDirectory() as folder:
        runtimes = dict(_runtimes(network, settings, scale, Path(folder)))
        _compare(runtimes, picture, arguments.rounds)


def _compare(runtimes: dict[str, Work], picture: Pixels, rounds: int) -> None:
    megapixels = picture.shape[0] * picture.shape[1] / 1e6
    expected = runtimes["plain float32"](picture)
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    off = {
        name: int(np.abs(expected - work(picture).astype(int)).max())
        for name, work in runtimes.items()
    }
    for _ in range(rounds):
        for name, work in runtimes.items():
            start = time.perf_counter()
            work(picture)
            seconds[name].append(time.perf_counter() - start)
    plain = min(seconds["plain float32"])
    for name, times in seconds.items():
        print(
            f"{name:24} {megapixels / min(times):7.3f} megapixels/s   "
            f"{plain / min(times):5.2f} times plain   {off[name]:3} levels off"
        )


def _runtimes(
    network: nn.Module, settings: GeneratorSettings, scale: int, folder: Path
) -> Iterator[tuple[str, Work]]:
    radius = receptive_radius(settings, scale)
    yield "plain float32", lambda lr: _levels(_plainly(network, lr))
    auto = Upscaler(network, scale, radius)
    yield f"upres, {auto.precision}", auto.enlarge
    if find_spec("openvino") is not None:
        by_openvino = auto.computed_by("openvino")
        yield f"upres by OpenVINO, {auto.precision}", by_openvino.enlarge
        yield "OpenVINO f32", _openvino(network, folder / "plain.xml")
    if find_spec("onnxruntime") is not None and find_spec("onnxscript") is not None:
        yield "ONNX Runtime", _onnx(network)
    if find_spec("ncnn") is not None and find_spec("pnnx") is not None:
        yield "ncnn", _ncnn(network, folder)


def _network(model: str | None) -> tuple[nn.Module, GeneratorSettings, int]:
    if model is None:
        settings = CompactSettings()
        return build_generator(settings, 4, seed=0).eval(), settings, 4
    found = load_model(model)
    return found.network, found.settings, found.scale


def _plainly(network: nn.Module, lr: Pixels) -> NDArray[np.float32]:
    with torch.inference_mode():
        sr: NDArray[np.float32] = network(torch.from_numpy(_planes(lr))).numpy()
    return sr


def _openvino(network: nn.Module, path: Path) -> Work:
    from upres.export.openvino_files import openvino_run, write_openvino

    write_openvino(path, network, {})
    run = openvino_run(path)
    return lambda lr: _levels(run(_planes(lr)))


def _onnx(network: nn.Module) -> Work:
    from upres.export.onnx_file import onnx_content, onnx_run

    run = onnx_run(onnx_content(network, {}))
    return lambda lr: _levels(run(_planes(lr)))


def _ncnn(network: nn.Module, folder: Path) -> Work:
    """Return ncnn's function of the same weights, in float32, converted by its own pnnx."""
    import ncnn
    import pnnx

    pnnx.export(
        network,
        str(folder / "plain.pt"),
        torch.zeros(1, 3, 64, 64),
        fp16=False,
        inputs2=torch.zeros(1, 3, 96, 80),
    )
    net = ncnn.Net()
    net.opt.num_threads = torch.get_num_threads()
    net.load_param(str(folder / "plain.ncnn.param"))
    net.load_model(str(folder / "plain.ncnn.bin"))

    def work(lr: Pixels) -> Pixels:
        planes = _planes(lr)[0]  # ncnn's Mat looks into it and keeps no hold of it
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(planes).clone())
            return _levels(np.array(extractor.extract("out0")[1])[None])

    return work


def _planes(lr: Pixels) -> NDArray[np.float32]:
    planes: NDArray[np.float32] = np.ascontiguousarray(lr.transpose(2, 0, 1)[None], np.float32)
    return planes / np.float32(255)


def _levels(sr: NDArray[np.float32]) -> Pixels:
    levels: Pixels = (sr[0].clip(0, 1) * 255).round().astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


if __name__ == "__main__":
    main()
