"""Super-resolution that you can train, judge and trust.

`upres.Upscaler.load("compact-x4")(image)` enlarges a picture; the rest is in the rooms below
(docs/architecture.md). Importing `upres` alone imports neither torch nor anything of ours.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upres.upscaling.settings import UpscaleSettings as UpscaleSettings
    from upres.upscaling.upscaler import Upscaler as Upscaler

__all__ = ["UpscaleSettings", "Upscaler", "__version__"]
__version__ = version("upres")


def __getattr__(name: str) -> object:
    if name == "UpscaleSettings":
        from upres.upscaling.settings import UpscaleSettings

        return UpscaleSettings
    if name == "Upscaler":
        from upres.upscaling.upscaler import Upscaler

        return Upscaler
    raise AttributeError(f"module 'upres' has no attribute {name!r}")
