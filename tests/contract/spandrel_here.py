"""spandrel for tests, also where torchvision is missing or belongs to another torch.

spandrel imports three names of torchvision for two networks (LaMa, RestoreFormer) that no test
here uses; where torchvision cannot be imported, names that do nothing stand in for them.
"""

import importlib
import sys
import types
from typing import Any

import pytest


def spandrel_or_skip(patch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("einops", reason="the package einops, which spandrel needs, is missing")
    try:
        importlib.import_module("torchvision.transforms.functional")
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            patch.delitem(sys.modules, name)
        functional = types.ModuleType("torchvision.transforms.functional")
        for needed in ("InterpolationMode", "rotate", "normalize"):
            setattr(functional, needed, None)
        transforms = types.ModuleType("torchvision.transforms")
        transforms.functional = functional  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
        patch.setitem(sys.modules, "torchvision.transforms", transforms)
        patch.setitem(sys.modules, "torchvision.transforms.functional", functional)
    if not hasattr(sys.modules.get("spandrel"), "architectures"):  # an import that failed halfway
        for name in [name for name in sys.modules if name.partition(".")[0] == "spandrel"]:
            patch.delitem(sys.modules, name)
    return pytest.importorskip("spandrel", reason="the package spandrel is not installed")
