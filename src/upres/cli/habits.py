"""What people type who come from other upscalers: understood where it means something here.

Real-ESRGAN's Python program and its ncnn twins; their options are hidden in `upres upscale --help`
and explained in docs/migrating.md.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from upres.errors import BadSetting

ENDINGS = (".param", ".pth", ".safetensors")  # of models in a folder
IGNORED: Mapping[str, str] = {
    "--tile-pad": "tiles overlap by what the network sees around a pixel",
    "--pre-pad": "networks see beyond the edge by themselves",
    "--alpha-upsampler": "transparency is enlarged by the model, with the colours",
    "-j": "reading, network and writing overlap by themselves",
    "-v": "what happens is told anyway",
}


def ignored(given: Mapping[str, object]) -> list[str]:
    """Return a sentence for each option that was given and does nothing here."""
    return [f"{flag} is ignored: {IGNORED[flag]}." for flag, value in given.items() if value]


def which_model(model: str | None, name: str | None) -> str | None:
    """Return the model that `-m` and `-n` mean: a name, a file, or a NAME in a folder of models.

    None where neither is given. Raises BadSetting where the folder has no such model, or the two
    contradict each other.
    """
    if model is None or name is None:
        return model or name
    folder = Path(model)
    if folder.is_file():
        return model  # Real-ESRGAN's --model_path: the name told it only the architecture
    if not folder.is_dir():
        raise BadSetting(f"--model {model} and -n {name} are two models; give one of them.")
    for ending in ENDINGS:
        if (folder / f"{name}{ending}").is_file():
            return str(folder / f"{name}{ending}")
    raise BadSetting(
        f"{folder} holds no {name}{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}; give the folder that "
        f"does, or -n {name} alone for a model that is known by its name."
    )


def gpu(identifier: str | None, device: str, cuda_devices: int) -> tuple[str, str | None]:
    """Return the device that `-g` means, and what is to be said of it.

    -1 is the processor, N the Nth CUDA device; what is not there leaves `device` as it is.
    """
    if identifier is None or identifier == "auto":
        return device, None
    if identifier == "-1":
        return "cpu", None
    if identifier.isdigit() and int(identifier) < cuda_devices:
        return f"cuda:{identifier}", None
    seen = f"{cuda_devices} CUDA devices" if cuda_devices else "no CUDA device"
    return device, f"-g {identifier} is ignored: PyTorch sees {seen} here; see --device."


def suffix(given: str | None) -> str | None:
    """Return what stands behind a picture's name; `out` is _out, as Real-ESRGAN has it."""
    return f"_{given}" if given is not None and given[:1].isalnum() else given


def bits(depth: str) -> Literal[8, 16, 32] | None:
    """Return the bits that `--depth` means, None for `auto`."""
    meant: Mapping[str, Literal[8, 16, 32]] = {"8": 8, "16": 16, "32": 32}
    return meant.get(depth)


def ending(given: str | None) -> str | None:
    """Return the ending of the results, None to keep each picture's own."""
    if given is None or given == "auto":
        return None
    return f".{given.lower().lstrip('.')}"


def size(text: str | None) -> tuple[int, int] | None:
    """Return (width, height) that "3840x2160" means. Raises BadSetting."""
    if text is None:
        return None
    sides: Sequence[str] = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
        raise BadSetting(f"--fit is {text!r}, expected a size such as 3840x2160.")
    return int(sides[0]), int(sides[1])


def tile(text: str | None) -> int | None:
    """Return the side of a tile in pixels, None for `auto`. Raises BadSetting."""
    if text is None or text == "auto":
        return None
    if not text.isdigit():
        raise BadSetting(f"--tile is {text!r}, expected a side in pixels, 0 or auto.")
    return int(text)
