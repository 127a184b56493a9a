"""Network interpolation: each weight lies between those of two networks of one kind.

Source: ESRGAN (Wang et al. 2018), section 3.4: (1 - alpha) times the network trained for PSNR plus
alpha times the one trained on from it against a discriminator.
"""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from itertools import zip_longest

import torch
from torch import Tensor

from upres.errors import BadSetting, BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.weights.checkpoint import CheckpointHeader, Parent, checkpoint_content
from upres.weights.model import Model
from upres.weights.tensors import fill


def interpolate(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float
) -> dict[str, Tensor]:
    """Return (1 - alpha) first + alpha second by name, buffers such as running means too.

    alpha: 0..1; at 0 and 1 the values are exactly those of `first` and `second`. Counters are
    rounded. Tensors keep the type that they have in `first`.
    Raises BadSetting for another alpha, BadWeights that names the first unlike name or shape.
    """
    if not 0 <= alpha <= 1:  # also nan
        raise BadSetting(
            f"alpha is {alpha}, expected 0 (all of the first network) to 1 (all of the second)."
        )
    for name in (*first, *second):
        here, there = _shape(first, name), _shape(second, name)
        if here != there:
            raise BadWeights(
                f"the two networks differ in {name} ({here} and {there}), but only networks of "
                "one architecture can be interpolated: take one that was trained on from the other."
            )
    return {name: _between(tensor, second[name], alpha) for name, tensor in first.items()}


def interpolated(first: Model, second: Model, alpha: float) -> Model:
    """Return the network between two, named by its alpha; its header names both parents.

    sha256 is that of the file that `save_checkpoint` would write.
    Raises BadSetting for an alpha outside 0..1, BadWeights for unlike networks or scales.
    """
    check_alike(first, second)
    tensors = interpolate(first.network.state_dict(), second.network.state_dict(), alpha)
    header = CheckpointHeader(
        generator=first.settings,
        scale=first.scale,
        upres_version=version("upres"),
        licence=_licence(first, second),
        parents=(_parent(first, 1 - alpha), _parent(second, alpha)),
    )
    network = build_generator(first.settings, first.scale, seed=0)
    name = f"alpha {alpha:g}"
    fill(network, tensors, name)
    sha256 = hashlib.sha256(checkpoint_content(tensors, header)).hexdigest()
    return Model(network.eval(), first.settings, first.scale, name, sha256, header)


def likeness(first: Model, second: Model) -> float:
    """Return the cosine between the kernels of two networks, -1..1.

    Near 1 where one was trained on from the other. Near 0 where both were trained from random
    starts of their own: what lies between such two is no useful network. (Starts that pass the
    picture on, as the compact network's do, are alike and stay so.) Raises BadWeights as
    `interpolated`.
    """
    check_alike(first, second)
    one, other = (
        # vectors (biases, slopes of PReLU) start from one constant in every training
        torch.cat([p.detach().flatten() for p in model.network.parameters() if p.ndim > 1])
        for model in (first, second)
    )
    return torch.cosine_similarity(one.double(), other.double(), dim=0).item()


def check_alike(first: Model, second: Model) -> None:
    """Raise BadWeights that names the first thing in which two networks differ."""
    facts = zip_longest(_facts(first), _facts(second), fillvalue=("", ""))
    for (field, here), (other_field, there) in facts:
        if (field, here) != (other_field, there):
            raise BadWeights(
                f"{first.name} has {field or other_field} {here}, but {second.name} has {there}: "
                "only networks of one architecture and scale can be interpolated, so take one "
                "that was trained on from the other."
            )


def _between(first: Tensor, second: Tensor, alpha: float) -> Tensor:
    if first.is_floating_point():
        return torch.lerp(first, second.to(first.dtype), alpha)
    mixed = torch.lerp(first.double(), second.double(), alpha)
    return mixed.round().to(first.dtype)


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    if name not in tensors:
        return "missing"
    return "x".join(map(str, tensors[name].shape)) or "one value"


def _facts(model: Model) -> list[tuple[str, object]]:
    settings: GeneratorSettings = model.settings
    return [*settings.model_dump().items(), ("scale", model.scale)]


def _parent(model: Model, share: float) -> Parent:
    return Parent(name=model.name, sha256=model.sha256, share=share, header=model.header)


def _licence(first: Model, second: Model) -> str:
    notes = {
        model.name: (model.header and model.header.licence) or "not stated"
        for model in (first, second)
    }
    if len(set(notes.values())) == 1:
        return next(iter(notes.values()))
    return "; ".join(f"{name}: {note}" for name, note in notes.items())
