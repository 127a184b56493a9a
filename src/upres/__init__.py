"""Super-resolution that you can train, judge and trust.

`upres.Upscaler.load("compact-x4")(image)` enlarges a picture, `upres.upscale_folder` a folder; the
rest is in the rooms below (docs/architecture.md). Importing `upres` alone imports neither torch nor
anything of ours.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upres.batch.folder import FolderSettings as FolderSettings
    from upres.batch.folder import upscale_folder as upscale_folder
    from upres.batch.one_file import upscale_file as upscale_file
    from upres.upscaling.settings import UpscaleSettings as UpscaleSettings
    from upres.upscaling.upscaler import Upscaler as Upscaler

__all__ = [
    "FolderSettings",
    "UpscaleSettings",
    "Upscaler",
    "__version__",
    "upscale_file",
    "upscale_folder",
]
__version__ = version("upres")

_ROOMS = {
    "FolderSettings": "upres.batch.folder",
    "UpscaleSettings": "upres.upscaling.settings",
    "Upscaler": "upres.upscaling.upscaler",
    "upscale_file": "upres.batch.one_file",
    "upscale_folder": "upres.batch.folder",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'upres' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
