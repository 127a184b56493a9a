"""The pretrained networks that see as people do: VGG and AlexNet features, LPIPS, DISTS."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from torch import Tensor

from upres.errors import MissingWeights
from upres.networks import dists
from upres.networks.dists import DISTS
from upres.networks.features import FeatureNetwork, FeatureNetworkName
from upres.networks.lpips import LAYERS, LPIPS, LPIPSTrunk
from upres.weights.published import load_tensors, locate
from upres.weights.tensors import fill

LPIPSName = Literal["alex", "vgg"]

TRUNK_OF: dict[LPIPSName, LPIPSTrunk] = {"alex": "alexnet", "vgg": "vgg16"}


def load_features(
    name: FeatureNetworkName, layers: Sequence[str], weights_dir: Path | None = None
) -> FeatureNetwork:
    """Return the pretrained network, built up to the deepest of `layers`.

    Raises MissingWeights when the weights are not on this machine or their file ends before the
    deepest layer, BadWeights when it is damaged, ValueError for a layer that does not exist.
    """
    network = FeatureNetwork(name, layers)
    tensors = load_tensors(name, weights_dir)
    wanted = network.state_dict()
    if any(key not in tensors for key in wanted):
        raise MissingWeights(_ends_early(name, network, tensors, weights_dir))
    held = {key: tensor for key, tensor in tensors.items() if key in wanted}  # deeper ones may stay
    fill(network, held, str(locate(name, weights_dir).path))
    return network


def load_lpips(name: LPIPSName, weights_dir: Path | None = None) -> LPIPS:
    """Return LPIPS 0.1 over AlexNet ("alex") or VGG16 ("vgg") with the published weights.

    Raises MissingWeights when the trunk or the heads are not on this machine, BadWeights when a
    file is damaged.
    """
    trunk = TRUNK_OF[name]
    features = load_features(trunk, LAYERS[trunk], weights_dir)
    heads = load_tensors(f"lpips-{name}", weights_dir)
    network = LPIPS(trunk)
    tensors = {f"trunk.{key}": tensor for key, tensor in features.state_dict().items()}
    fill(network, tensors | heads, str(locate(f"lpips-{name}", weights_dir).path))
    return network


def load_dists(weights_dir: Path | None = None) -> DISTS:
    """Return DISTS with the published weights over the pretrained VGG16.

    Raises MissingWeights when the trunk or the distance's weights are not on this machine,
    BadWeights when a file is damaged.
    """
    features = load_features("vgg16", dists.LAYERS, weights_dir)
    network = DISTS()
    tensors = {f"trunk.{key}": tensor for key, tensor in features.state_dict().items()}
    of_channels = load_tensors("dists", weights_dir)
    fill(network, tensors | of_channels, str(locate("dists", weights_dir).path))
    return network


def _ends_early(
    name: FeatureNetworkName,
    network: FeatureNetwork,
    tensors: Mapping[str, Tensor],
    weights_dir: Path | None,
) -> str:
    first_missing = min(
        int(key.split(".")[1]) for key in network.state_dict() if key not in tensors
    )
    held = [layer.name for layer in network.plan[:first_missing] if layer.kind != "pool"]
    deepest = held[-1] if held else "none"
    return (
        f"{locate(name, weights_dir).path} holds {name} only up to the layer {deepest}, but "
        f"{', '.join(network.layers)} was asked for: run `upres weights get {name}` for all of it "
        "and leave that folder away, or ask for layers that it holds."
    )
