"""A network for another scale that begins where a trained one stands.

`python -m upres.weights.other_scale MODEL SCALE TARGET` writes a file for `upres train --init`.
EDSR (Lim et al. 2017) starts its larger scales from the smaller one and finds that
they learn faster and better; here it goes either way.
"""

import argparse
from importlib.metadata import version
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from upres.errors import BadWeights, UpresError
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, Parent, save_checkpoint
from upres.weights.model import load_model


def at_scale(source: str, scale: int, target: Path) -> None:
    """Write the network `source`, made for another scale, to the checkpoint `target`.

    All layers are taken over but the last, whose small pixels are area means of the old ones: for
    the same LR the new network's picture is the old one's, shrunk to its size by area.
    Raises BadWeights for a network that is not a compact one with the plain skip.
    """
    model = load_model(source)
    if not isinstance(model.settings, CompactSettings) or model.settings.skip != "nearest":
        raise BadWeights(
            f"{source} is a {model.settings.kind} network, expected a compact one that adds the "
            "nearest pixel: only of these the last layer alone knows the scale."
        )
    tensors = dict(model.network.state_dict())
    last = list(tensors)[-1].rpartition(".")[0]
    for name in (f"{last}.weight", f"{last}.bias"):
        tensors[name] = _shared_out(tensors[name], model.scale, scale)
    build_generator(model.settings, scale, seed=0).load_state_dict(tensors)
    header = CheckpointHeader(
        generator=model.settings,
        scale=scale,
        upres_version=version("upres"),
        licence=model.header.licence if model.header else None,
        parents=(Parent(name=source, sha256=model.sha256, share=1, header=model.header),),
    )
    save_checkpoint(target, tensors, header)


def _shared_out(channels: Tensor, scale: int, other: int) -> Tensor:
    """Return the channels of a pixel shuffle by `other`, as area means of those by `scale`."""
    mean = _area_mean(scale, other)
    grid = channels.reshape(3, scale, scale, -1)
    shared = torch.einsum("yi,xj,cijk->cyxk", mean, mean, grid)
    return shared.reshape(3 * other**2, *channels.shape[1:])


def _area_mean(old: int, new: int) -> Float[Tensor, "{new} {old}"]:
    """Return the share of each of `old` equal parts of a line in each of `new` equal parts."""
    edges_old, edges_new = (torch.arange(count + 1) / count for count in (old, new))
    ends = torch.minimum(edges_new[1:, None], edges_old[None, 1:])
    begins = torch.maximum(edges_new[:-1, None], edges_old[None, :-1])
    return (ends - begins).clamp(min=0) * new


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model's name or file")
    parser.add_argument("scale", type=int, help="that of the result")
    parser.add_argument("target", type=Path, help="the file that is written")
    arguments = parser.parse_args()
    try:
        at_scale(arguments.model, arguments.scale, arguments.target)
    except UpresError as error:
        parser.error(str(error))
