"""Networks that this program does not have, read by spandrel (the extra `foreign`).

They can enlarge and be judged, nothing else: their architecture is spandrel's, so they are neither
trained nor interpolated here. Files are opened by `tensors`, which runs no code in a pickle;
spandrel only sees the tensors.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from upres.errors import BadWeights

_RGB = 3


class Borrowed(NamedTuple):
    """A network of another program, ready to enlarge."""

    network: nn.Module
    scale: int
    architecture: str  # spandrel's name of it


class BorrowedNetwork(nn.Module):
    """spandrel's network with the manners of ours: any number of pictures, of any size.

    Its values are clamped to 0..1, as spandrel does. It computes in float32 alone.
    """

    def __init__(self, described: Any) -> None:
        super().__init__()
        self.inner = described.model
        self._described = described  # knows which sizes the network takes, and fills up to them

    def forward(self, lr: Tensor) -> Tensor:
        """Return the pictures (n 3 h w) enlarged, one after the other: spandrel takes one."""
        return torch.cat([self._described(picture[None]) for picture in lr])


def read_with_spandrel(tensors: Mapping[str, Tensor], name: str, unknown: BadWeights) -> Borrowed:
    """Return the network whose tensors these are, as spandrel recognises it.

    name: how messages call the file. unknown: what is raised where spandrel does not know it too.
    Raises BadWeights also where spandrel is missing, and for networks that do not enlarge RGB.
    """
    spandrel = _spandrel(unknown)
    try:
        described = spandrel.ModelLoader().load_from_state_dict(dict(tensors))
    except spandrel.UnsupportedModelError:
        raise unknown from None
    except (RuntimeError, KeyError, ValueError, TypeError, AssertionError, IndexError) as error:
        reason = f"{error}".partition("\n")[0]
        raise BadWeights(
            f"{name} looks like a network that spandrel reads, but does not fit it ({reason}), "
            "expected a whole file of that network: download it again, or use another one."
        ) from error
    architecture = str(described.architecture.name)
    if described.purpose not in ("SR", "Restoration"):
        raise BadWeights(
            f"{name} is a {architecture} network for {described.purpose}, expected one that "
            "enlarges or mends whole pictures: use the program that it was made for."
        )
    if (described.input_channels, described.output_channels) != (_RGB, _RGB):
        raise BadWeights(
            f"{name} is a {architecture} network from {described.input_channels} to "
            f"{described.output_channels} channels, expected 3 to 3 (RGB): use the model's colour "
            "version."
        )
    return Borrowed(BorrowedNetwork(described.float().eval()), described.scale, architecture)


def _spandrel(unknown: BadWeights) -> Any:
    try:
        import spandrel
    except ImportError as error:
        if error.name == "spandrel":
            advice = "`pip install 'upres[foreign]'` brings readers of many more networks"
            raise BadWeights(f"{f'{unknown}'.removesuffix('.')}; {advice}.") from error
        raise _broken(unknown, error) from error
    except RuntimeError as error:  # torchvision's, where it was made for another torch
        raise _broken(unknown, error) from error
    return spandrel


def _broken(unknown: BadWeights, error: Exception) -> BadWeights:
    return BadWeights(
        f"{f'{unknown}'.removesuffix('.')}; the package spandrel, which reads many more networks, "
        f"cannot be imported ({error}): install the torchvision that belongs to torch "
        f"{torch.__version__} from where torch came from."
    )
