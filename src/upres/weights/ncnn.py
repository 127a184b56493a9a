"""Models of the ncnn tools: a `.param` that lists the layers and a `.bin` with their values.

Read are RRDBNet x4 and SRVGG ("compact"), as the pairs of realesrgan-ncnn-vulkan and Upscayl hold
them. The values of a layer stand in the `.bin` where the layer stands in the `.param`: of a
convolution a 32-bit flag (its type), the kernels (out, in, height, width) and the bias; of a
PReLU its slopes. Other layers hold none.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upres.errors import BadWeights
from upres.weights.recognise import Foreign, recognise

_MAGIC = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47
_SIDE = 3  # of every kernel in these networks
_BLOCK = 15  # convolutions of a residual-in-residual dense block
_NO_VALUES = ("Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle", "ReLU")

# Options of layers by ncnn's numbers, as they must be; -23300 - N is a list N, its length first.
_CONVOLUTION = {"1": 3, "11": 3, "2": 1, "3": 1, "4": 1, "5": 1}  # side, dilation, ..., bias
_ACTIVATION = ("9", "-23310")  # of a convolution: 2 is a leaky ReLU, and its slope
_RRDBNET = {  # what may stand in layers without values, alternatives
    "Convolution": ({}, {"9": (2.0,), "-23310": (1.0, 0.2)}),
    "ReLU": ({"0": (0.2,)},),
    "Eltwise": ({"0": (1.0,), "-23301": (2.0, 0.2, 1.0)},),
    "BinaryOp": ({}, {"0": (0.0,)}, {"0": (2.0,), "1": (1.0,), "2": (0.2,)}),
}

Values = tuple[Tensor, ...]  # of a layer: kernels and bias, or slopes


@dataclass(frozen=True)
class _Layer:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[str, str]


def is_ncnn(path: Path) -> bool:
    """Return whether `path` is one of a pair of ncnn files by its name."""
    return path.suffix == ".param" or (
        path.suffix == ".bin" and path.with_suffix(".param").is_file()
    )


def read_ncnn(path: Path) -> Foreign:
    """Return the network in the pair of files of which `path` is one.

    float16 values, which most of these files hold, become float32.
    Raises BadWeights when a file is missing, cut off, or of a network that is not read here.
    """
    layers = _layers(path.with_suffix(".param"))
    tensors = _tensors(layers, path.with_suffix(".bin"))
    kinds = {layer.kind for layer in layers}
    names = _compact_names if "PReLU" in kinds else _rrdbnet_names
    return recognise(names(layers, tensors, path), str(path))


def _layers(path: Path) -> list[_Layer]:
    """The lines of a `.param`: kind, name, numbers of inputs and outputs, their names, options."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise BadWeights(
            f"{path} does not exist, expected an ncnn model's list of layers beside its .bin: "
            "put both files into one folder, under one name."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _no_list(path) from error
    if len(lines) < 3 or lines[0].strip() != _MAGIC:
        raise _no_list(path)
    return [_layer(line.split(), path) for line in lines[2:] if line.strip()]


def _layer(words: list[str], path: Path) -> _Layer:
    try:
        kind, _, n_inputs, n_outputs = words[0], words[1], int(words[2]), int(words[3])
        options = dict(word.split("=") for word in words[4 + n_inputs + n_outputs :])
    except (ValueError, IndexError) as error:
        raise _no_list(path) from error
    inputs = tuple(words[4 : 4 + n_inputs])
    return _Layer(kind, inputs, tuple(words[4 + n_inputs :][:n_outputs]), options)


def _tensors(layers: list[_Layer], path: Path) -> list[Values]:
    """The values of each layer that has some, in order."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadWeights(
            f"{path} cannot be read ({error.strerror}), expected an ncnn model's values beside "
            "its .param: put both files into one folder, under one name."
        ) from error
    found: list[Values] = []
    place = 0

    def floats(number: int, kind: str = "<f4") -> Tensor:
        nonlocal place
        size = number * np.dtype(kind).itemsize
        if number < 1 or place + size > len(content):
            raise _other_length(path, len(content))
        values = np.frombuffer(content, kind, number, place)
        place += size + -size % 4  # float16 fills up to whole words
        return torch.from_numpy(values.astype(np.float32))

    for layer in layers:
        if layer.kind == "Convolution":
            found.append(_convolution(layer, floats, path))
        elif layer.kind == "PReLU":
            found.append((floats(_whole(layer, "0", path)),))
        elif layer.kind not in _NO_VALUES:
            raise _unknown(path, f"a layer of kind {layer.kind}")
    if place != len(content):
        raise _other_length(path, len(content))
    return found


def _convolution(layer: _Layer, floats: Callable[..., Tensor], path: Path) -> Values:
    asked = {key: _whole(layer, key, path) for key in _CONVOLUTION if key in layer.options}
    if asked != {key: _CONVOLUTION[key] for key in asked} or not {"1", "4", "5"} <= set(asked):
        raise _unknown(path, "a convolution that is not 3x3 with a bias and padding 1")
    n_outputs, n_values = _whole(layer, "0", path), _whole(layer, "6", path)
    flag = int(floats(1).numpy().view(np.uint32)[0])
    if flag not in (_FLOAT32, _FLOAT16):
        raise _unknown(path, f"values of type {flag:#x}, not float16 or float32,")
    kernels = floats(n_values, "<f2" if flag == _FLOAT16 else "<f4")
    if n_outputs < 1 or n_values % (n_outputs * _SIDE**2):
        raise _unknown(path, "a convolution whose numbers of values do not fit")
    return kernels.reshape(n_outputs, -1, _SIDE, _SIDE), floats(n_outputs)


def _compact_names(layers: list[_Layer], found: list[Values], path: Path) -> dict[str, Tensor]:
    shuffles = [_whole(layer, "0", path) for layer in layers if layer.kind == "PixelShuffle"]
    if _nearest_factors(layers, path) != shuffles or len(shuffles) != 1:
        raise _unknown(path, "another end than a pixel shuffle plus the nearest pixels")
    return _named([f"body.{number}" for number in range(len(found))], found)


def _rrdbnet_names(layers: list[_Layer], found: list[Values], path: Path) -> dict[str, Tensor]:
    ups = _nearest_factors(layers, path)
    blocks, rest = divmod(len(found) - len(ups) - 4, _BLOCK)
    if rest or blocks < 1 or any(up != 2 for up in ups):
        raise _unknown(path, f"{len(found)} convolutions and {len(ups)} enlargements")
    _check_without_values(layers, path)
    names = [
        "conv_first",
        *(
            f"body.{b}.rdb{r}.conv{c}"
            for b in range(blocks)
            for r in (1, 2, 3)
            for c in range(1, 6)
        ),
        "conv_body",
        *(f"conv_up{up}" for up in range(1, len(ups) + 1)),
        *("conv_hr", "conv_last"),
    ]
    return _named(names, found)


def _named(names: list[str], found: list[Values]) -> dict[str, Tensor]:
    return {
        f"{name}.{kind}": tensor
        for name, values in zip(names, found, strict=True)
        for kind, tensor in zip(("weight", "bias"), values, strict=False)
    }


def _check_without_values(layers: list[_Layer], path: Path) -> None:
    """Raise BadWeights where slopes or residuals are not RRDBNet's."""
    for layer in layers:
        options = layer.options
        if layer.kind == "Convolution":
            options = {key: options[key] for key in _ACTIVATION if key in options}
        said = {key: _floats(text, path) for key, text in options.items()}
        if said not in _RRDBNET.get(layer.kind, (said,)):
            raise _unknown(path, f"a layer of kind {layer.kind} with the options {dict(options)}")


def _nearest_factors(layers: list[_Layer], path: Path) -> list[float]:
    """What each resizing enlarges by; refused is what shrinks, as animevideov3's x2 and x3 do."""
    interps = [layer for layer in layers if layer.kind == "Interp"]
    factors = [_floats(layer.options.get("1", "nan"), path)[0] for layer in interps]
    if any(factor < 1 for factor in factors):
        whole = math.prod(factor for factor in factors if factor > 1)
        raise BadWeights(
            f"{path} shrinks the result of an x{whole:g} network by {min(factors):g} afterwards, "
            f"expected the network alone: give the x{whole:g} file, and the size that you want "
            "with --scale."
        )
    if any(layer.options.get("0") != "1" for layer in interps):
        raise _unknown(path, "an enlargement that does not take the nearest pixels")
    return factors


def _floats(text: str, path: Path) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise _no_list(path) from error


def _whole(layer: _Layer, key: str, path: Path) -> int:
    try:
        return int(layer.options[key])
    except (KeyError, ValueError) as error:
        raise _no_list(path) from error


def _no_list(path: Path) -> BadWeights:
    return BadWeights(
        f"{path.with_suffix('.param')} is no list of layers in ncnn's text form (its first line "
        f"is {_MAGIC}), expected one: convert the model again, or give its .pth file."
    )


def _other_length(path: Path, found: int) -> BadWeights:
    return BadWeights(
        f"{path} holds {found} bytes, more or fewer than its .param describes, expected the two "
        "files of one model: copy or download both again."
    )


def _unknown(path: Path, what: str) -> BadWeights:
    return BadWeights(
        f"{path} has {what}, which neither RRDBNet x4 nor SRVGG has, the ncnn networks that are "
        "read here: give the model's .pth or .safetensors file."
    )
