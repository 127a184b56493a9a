"""Files of other programs: which network they are, told from names and shapes alone.

Read are RRDBNet in its three namings (the oldest, the ESRGAN repository's, BasicSR's), SRVGG
("compact"), MSRResNet and SRCNN. A file that is nearly one of these is refused, never guessed.
Source of names and rules: XPixelGroup/BasicSR, xinntao/ESRGAN, and spandrel's unwrapping order.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from upres.errors import BadWeights
from upres.networks.build import GeneratorSettings
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings

_WRAPPERS = (  # the averaged weights stand before the raw ones
    "model_state_dict",
    "state_dict",
    "params_ema",
    "params-ema",
    "params",
    "model",
    "net",
)
_PREFIXES = ("module.", "netG.")
_KNOWN = "RRDBNet (ESRGAN, Real-ESRGAN), SRVGG, MSRResNet and SRCNN"
_RGB = 3
_RRDBNET_SCALE = {(3, 2): 4, (3, 3): 8, (12, 2): 2, (48, 2): 1}  # (input channels, up convs)
_SRCNN_SHAPES = re.compile(r"64,(1|3),9,9 32,64,(1|3|5),\2 \1,32,5,5")


class UnknownNetwork(BadWeights):
    """The tensors are of no network of ours; another reader may know it."""


class Foreign(NamedTuple):
    """A recognised network of another program, its tensors under our names, float32."""

    settings: GeneratorSettings
    scale: int
    tensors: dict[str, Tensor]


def unwrap(content: object, name: str) -> dict[str, Tensor]:
    """Return the tensors by name, out of the dictionaries that programs wrap them in.

    name: how messages call the file. Raises BadWeights when there are no named tensors.
    """
    while isinstance(content, dict):
        key = next((key for key in _WRAPPERS if isinstance(content.get(key), dict)), None)
        if key is None and len(content) == 1:
            key = next(key for key in content)
        if key is None or not isinstance(content[key], dict):
            break
        content = content[key]
    if not isinstance(content, dict):
        raise BadWeights(
            f"{name} holds a {type(content).__name__}, expected a dictionary of named tensors: "
            "save the network's state_dict."
        )
    tensors = {str(key): value for key, value in content.items() if torch.is_tensor(value)}
    if not tensors:
        keys = ", ".join(sorted(map(str, content))[:4]) or "nothing"
        raise BadWeights(
            f"{name} holds no tensors by name but {keys}, as the state of a training does, "
            "expected a network's weights: give the file of the network that was saved beside it."
        )
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def recognise(state: Mapping[str, Tensor], name: str) -> Foreign:
    """Return settings, scale and renamed tensors of a state_dict in any known naming.

    name: how messages call it. Raises BadWeights for forks and networks that are not read here.
    """
    _refuse_forks(state, name)
    _refuse_discriminator(state, name)
    tensors = {key: tensor.float() for key, tensor in _renamed(state).items()}
    if "conv_first.weight" in tensors and "body.0.rdb1.conv1.weight" in tensors:
        return _rrdbnet(tensors, name)
    if "conv_first.weight" in tensors and "body.0.conv1.weight" in tensors:
        return _msrresnet(tensors, name)
    if "body.0.weight" in tensors and _is_vector(tensors.get("body.1.weight")):
        return _compact(tensors, name)
    if (srcnn := _srcnn(tensors, name)) is not None:
        return srcnn
    raise UnknownNetwork(
        f"{name} holds {len(state)} tensors of an unknown network (the first is "
        f"{min(state)!r}), expected one of {_KNOWN}: convert it, or train that network here."
    )


def _refuse_forks(state: Mapping[str, Tensor], name: str) -> None:
    if any("conv1x1" in key for key in state):
        fork = "ESRGAN+ (its dense blocks have an extra conv1x1)"
    elif any("srdb" in key.lower() for key in state):
        fork = "a fork of ESRGAN (its blocks are named srdb)"
    else:
        return
    raise UnknownNetwork(
        f"{name} is {fork}, which is another network than RRDBNet: expected one of {_KNOWN}, "
        "so use the program that it was made for, or another file."
    )


def _refuse_discriminator(state: Mapping[str, Tensor], name: str) -> None:
    """Real-ESRGAN's lies beside its generator, and the names of the files are alike."""
    if {"conv0.weight", "conv1.weight_orig", "conv9.weight"} <= set(state):
        raise BadWeights(
            f"{name} is the U-Net discriminator of Real-ESRGAN, which judges pictures and makes "
            f"none, expected a generator, one of {_KNOWN}: give the file without netD in its name."
        )


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """BasicSR's names for RRDBNet's two older namings; other names stay."""
    if "model.0.weight" in state and any(key.startswith("model.1.sub.") for key in state):
        table = _oldest_names(state)
    elif any(key.startswith("RRDB_trunk.") for key in state):
        table = _esrgan_names()
    else:
        return dict(state)
    return {_replaced(key, table): tensor for key, tensor in state.items()}


def _oldest_names(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Patterns of `model.N`: N of what follows the trunk depends on the number of up convs."""
    up_convs = (_count(state, r"model\.(\d+)\.") - 5) // 3
    ups = {rf"model\.{3 * up}\.": f"conv_up{up}." for up in range(1, up_convs + 1)}
    return {
        r"model\.0\.": "conv_first.",
        r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.": r"body.\1.rdb\2.conv\3.",
        r"model\.1\.sub\.\d+\.(weight|bias)$": r"conv_body.\1",
        **ups,
        rf"model\.{3 * up_convs + 2}\.": "conv_hr.",
        rf"model\.{3 * up_convs + 4}\.": "conv_last.",
    }


def _esrgan_names() -> dict[str, str]:
    return {
        r"RRDB_trunk\.(\d+)\.RDB(\d)\.": r"body.\1.rdb\2.",
        r"trunk_conv\.": "conv_body.",
        r"upconv(\d)\.": r"conv_up\1.",
        r"HRconv\.": "conv_hr.",
    }


def _replaced(key: str, table: Mapping[str, str]) -> str:
    for pattern, replacement in table.items():
        if re.match(pattern, key):
            return re.sub(pattern, replacement, key, count=1)
    return key


def _rrdbnet(tensors: dict[str, Tensor], name: str) -> Foreign:
    _check_rgb(_outputs(tensors, "conv_last.weight", name), name)
    width, channels_in = tensors["conv_first.weight"].shape[:2]
    up_convs = sum(1 for key in tensors if re.fullmatch(r"conv_up\d+\.weight", key))
    scale = _RRDBNET_SCALE.get((channels_in, up_convs))
    if scale is None:
        raise BadWeights(
            f"{name} is an RRDBNet with {channels_in} input channels and {up_convs} enlarging "
            "convolutions, expected 3 with two (x4) or three (x8), or 12 or 48 with two (x2, x1): "
            "use another file of that model."
        )
    settings = RRDBNetSettings(
        blocks=_count(tensors, r"body\.(\d+)\.rdb1\.conv1\.weight"),
        width=width,
        growth=tensors["body.0.rdb1.conv1.weight"].shape[0],
    )
    return Foreign(settings, scale, tensors)


def _msrresnet(tensors: dict[str, Tensor], name: str) -> Foreign:
    _check_rgb(_outputs(tensors, "conv_last.weight", name), name)
    width = tensors["conv_first.weight"].shape[0]
    up = _outputs(tensors, "upconv1.weight", name)
    scale = 4 if "upconv2.weight" in tensors else {4 * width: 2, 9 * width: 3}.get(up)
    if scale is None:
        raise BadWeights(
            f"{name} is an MSRResNet whose upconv1 has {up} output channels, expected "
            f"{4 * width} (x2) or {9 * width} (x3): use another file of that model."
        )
    blocks = _count(tensors, r"body\.(\d+)\.conv1\.weight")
    return Foreign(MSRResNetSettings(blocks=blocks, width=width), scale, tensors)


def _compact(tensors: dict[str, Tensor], name: str) -> Foreign:
    width, channels_in = tensors["body.0.weight"].shape[:2]
    _check_rgb(channels_in, name)
    last = _count(tensors, r"body\.(\d+)\.weight") - 1
    outputs = _outputs(tensors, f"body.{last}.weight", name)
    scale = math.isqrt(outputs // _RGB)
    if scale * scale * _RGB != outputs:
        raise BadWeights(
            f"{name} is an SRVGG network with {outputs} output channels, expected 3 times the "
            "square of its scale (12, 27 or 48): use another file of that model."
        )
    return Foreign(CompactSettings(width=width, convs=(last - 2) // 2), scale, tensors)


def _srcnn(tensors: dict[str, Tensor], name: str) -> Foreign | None:
    """SRCNN by its shapes, since every program names its layers differently."""
    convs = [key for key, tensor in tensors.items() if tensor.ndim == 4]
    shapes = " ".join(",".join(map(str, tensors[key].shape)) for key in convs)
    found = _SRCNN_SHAPES.fullmatch(shapes)
    if found is None or len(tensors) != 6:
        return None
    scale = re.search(r"x([2348])(?!\d)", Path(name).name.lower())
    if scale is None:
        raise BadWeights(
            f"{name} is an SRCNN, whose file does not say for which scale it was trained, "
            "expected that in its name: rename it so that it contains x2, x3, x4 or x8."
        )
    settings = SRCNNSettings.model_validate({"channels": int(found[1]), "middle": int(found[2])})
    ours = {}
    for number, key in enumerate(convs, start=1):
        bias = key.removesuffix("weight") + "bias"
        ours[f"conv{number}.weight"] = tensors[key]
        if bias in tensors:
            ours[f"conv{number}.bias"] = tensors[bias]
    return Foreign(settings, int(scale[1]), ours)


def _is_vector(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.ndim == 1


def _check_rgb(channels: int, name: str) -> None:
    if channels != _RGB:
        raise BadWeights(
            f"{name} is a network for pictures of {channels} channels, expected {_RGB} (RGB): "
            "use the model's colour version."
        )


def _outputs(tensors: Mapping[str, Tensor], key: str, name: str) -> int:
    if key not in tensors:
        raise BadWeights(
            f"{name} is incomplete, its {key} is missing, expected all of the network's tensors: "
            "download or save it again."
        )
    return tensors[key].shape[0]


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    """One more than the largest number that the pattern finds in the names."""
    return 1 + max(int(found[1]) for key in tensors if (found := re.match(pattern, key)))
