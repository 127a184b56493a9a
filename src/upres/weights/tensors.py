"""Files of tensors: safetensors in and out, torch's own files in without running their code.

And from such a file into a network, all or nothing.
"""

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from upres.atomic import replacing
from upres.errors import BadWeights

_LENGTH_BYTES = 8  # a safetensors file starts with its header's length, then "{"


def file_sha256(path: Path) -> str:
    """Return the checksum of the file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Replace the file at `path`; the same input gives the same bytes when metadata has one key.

    Tensors may be on any device, views, or share memory: each is written as its own copy.
    Raises NoSpace when the file cannot be written.
    """
    # save_file reports a full disk as an error of its own kind; written by Python it is an OSError
    content = safetensors_content(tensors, metadata)
    with replacing(path) as partial:
        partial.write_bytes(content)


def safetensors_content(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of the file that `write_safetensors` writes."""
    return save({name: _own_copy(tensor) for name, tensor in tensors.items()}, dict(metadata))


def read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return the metadata and the tensors (on the CPU, in the file's own types).

    Raises BadWeights when the file is missing, is something else, is damaged or cut off.
    """
    _check_is_file(path)
    if not _looks_like_safetensors(path):
        raise BadWeights(
            f"{path} is not a safetensors file, although weights were expected: "
            "give the path of a .safetensors or .pth file."
        )
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return dict(file.metadata() or {}), tensors
    except SafetensorError as error:
        raise BadWeights(
            f"{path} is a damaged or cut-off safetensors file ({error}), expected a whole one: "
            "copy or download it again."
        ) from error


def read_any(path: Path) -> tuple[dict[str, str], object]:
    """Return metadata and content of a file of weights of either kind, told by its first bytes.

    Only safetensors has metadata, and its content is always tensors by name.
    Raises BadWeights as read_safetensors and read_torch_file do.
    """
    _check_is_file(path)
    if path.suffix == ".safetensors" or _looks_like_safetensors(path):
        return read_safetensors(path)
    return {}, read_torch_file(path)


def read_torch_file(path: Path) -> object:
    """Return what a `.pth` holds: tensors inside plain containers, on the CPU.

    Nothing in the file is executed (`weights_only=True`).
    Raises BadWeights when the file is missing, damaged, no torch file, or holds other objects.
    """
    _check_is_file(path)
    if not _starts_like_torch(path):
        raise BadWeights(
            f"{path} is no file of weights that can be read, expected a .safetensors file "
            "or a .pth file saved by torch: check the path, or download it again."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on unusual pickles; refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadWeights(_holds_more(path)) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        if "TorchScript" in str(error):
            raise BadWeights(_holds_more(path)) from error
        raise BadWeights(
            f"{path} is a damaged or cut-off torch file, expected a whole one: "
            "copy or download it again."
        ) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Put tensors into a network, all of them and nothing else; half precision becomes float32.

    name: how messages call the file. Raises BadWeights that counts what fits and names what not.
    """
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in tensors]
    unknown = [key for key in tensors if key not in wanted]
    other = [k for k, v in tensors.items() if k in wanted and v.shape != wanted[k].shape]
    problems = {"missing": missing, "unknown": unknown, "of another shape": other}
    found = "; ".join(f"{what}: {_listed(keys)}" for what, keys in problems.items() if keys)
    if found:
        fitting = len(wanted) - len(missing) - len(other)
        raise BadWeights(
            f"{name} fits {fitting} of the {len(wanted)} tensors of its {type(network).__name__} "
            f"({found}), expected all of them and no more: the file is incomplete or of a variant "
            "of that network, so use another one."
        )
    network.load_state_dict(dict(tensors))


def _holds_more(path: Path) -> str:
    return (
        f"{path} is a pickle that holds more than plain tensors, which could run code, so it was "
        "not opened: ask for a .safetensors file, or save only the network's state_dict."
    )


def _starts_like_torch(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(2)
    return start[:1] == b"\x80" or start == b"PK"  # a pickle, or a zip with one inside


def _own_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format)


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise BadWeights(
            f"{path} is a folder, expected a file of weights: give the path of the file inside it."
        )
    if not path.is_file():
        raise BadWeights(
            f"{path} does not exist, expected a file of weights: check the path, "
            "or see the known names with `upres weights list`."
        )


def _looks_like_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_LENGTH_BYTES + 1)
    return len(start) == _LENGTH_BYTES + 1 and start[_LENGTH_BYTES:] == b"{"


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{keys[0]}{more}"
