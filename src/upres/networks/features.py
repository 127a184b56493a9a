"""The feature layers of VGG19, VGG16 and AlexNet, before or after any ReLU.

Layers are named as papers do: conv5_4 is the fourth convolution of VGG's fifth level before its
ReLU, relu5_4 the same after it; AlexNet has conv1..conv5 and relu1..relu5. Key names are
torchvision's (`features.N.weight`), whose files also give the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

FeatureNetworkName = Literal["vgg19", "vgg16", "alexnet"]

# Of ImageNet, for RGB in 0..1; LPIPS's own shift and scale for -1..1 are the same numbers.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class _Layer:
    name: str
    kind: Literal["conv", "relu", "pool"]
    channels: int = 0  # that come out of a convolution
    kernel: int = 1
    stride: int = 1
    padding: int = 0


class FeatureNetwork(nn.Module):
    """A picture's feature maps at the asked layers; built only up to the deepest of them.

    Frozen and always in eval mode: gradients pass through to the picture, never to the weights.
    Random until weights are loaded (`weights.perceptual.load_features` does both).
    It works in the type of its weights, also under autocast: float32, unless someone casts it.
    Raises ValueError for a layer that the network does not have, or for none at all.
    """

    def __init__(self, name: FeatureNetworkName, layers: Sequence[str]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.plan = _plan_up_to(name, self.layers)
        with torch.random.fork_rng(devices=[]):  # nobody else's draws are disturbed
            torch.default_generator.manual_seed(0)
            self.features = nn.Sequential(*_modules(self.plan))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FeatureNetwork":
        """Stay in eval mode."""
        return super().train(False)

    def forward(self, picture: Float[Tensor, "n 3 h w"]) -> dict[str, Float[Tensor, "n _ _ _"]]:
        """Return the asked feature maps by name.

        picture: RGB in 0..1; ImageNet's mean and deviation are applied here and nowhere else.
        For a target, call it under `torch.no_grad()`.
        Raises ValueError for a picture that leaves nothing at the deepest layer.
        """
        least = _least_side(self.plan)
        if min(picture.shape[-2:]) < least:
            h, w = picture.shape[-2:]
            raise ValueError(f"a picture of {w}x{h} is too small: these features need {least}")
        with torch.autocast(picture.device.type, enabled=False):
            x = picture.to(torch.promote_types(picture.dtype, torch.float32))
            x = (x - x.new_tensor(MEAN).view(3, 1, 1)) / x.new_tensor(STD).view(3, 1, 1)
            x = x.to(next(self.parameters()).dtype)
            found = {}
            for layer, module in zip(self.plan, self.features, strict=True):
                x = module(x)
                if layer.name in self.layers:
                    found[layer.name] = x
        return {name: found[name] for name in self.layers}


def layer_names(name: FeatureNetworkName) -> tuple[str, ...]:
    """Return the names of the layers that can be asked for, from the picture inwards."""
    return tuple(layer.name for layer in _plan(name) if layer.kind != "pool")


def least_side(name: FeatureNetworkName, layer: str) -> int:
    """Return the fewest pixels a side that a picture needs to leave anything at a layer."""
    return _least_side(_plan_up_to(name, (layer,)))


def layer_stride(name: FeatureNetworkName, layer: str) -> int:
    """Return how many pixels of the picture lie between two neighbours of a feature map."""
    stride = 1
    for step in _plan_up_to(name, (layer,)):
        stride *= step.stride
    return stride


def layer_channels(name: FeatureNetworkName, layer: str) -> int:
    """Return how many channels a feature map has."""
    return [step.channels for step in _plan_up_to(name, (layer,)) if step.kind == "conv"][-1]


def _plan_up_to(name: FeatureNetworkName, layers: Sequence[str]) -> tuple[_Layer, ...]:
    known = layer_names(name)
    if not layers:
        raise ValueError(f"no layer was asked for; {name} has {', '.join(known)}")
    for layer in layers:
        if layer not in known:
            raise ValueError(f"{name} has no layer {layer!r}; it has {', '.join(known)}")
    plan = _plan(name)
    deepest = max(index for index, step in enumerate(plan) if step.name in layers)
    return plan[: deepest + 1]


def _plan(name: FeatureNetworkName) -> tuple[_Layer, ...]:
    match name:
        case "vgg19":
            return _vgg(2, 2, 4, 4, 4)
        case "vgg16":
            return _vgg(2, 2, 3, 3, 3)
        case "alexnet":
            return _alexnet()


def _vgg(*convolutions_of_levels: int) -> tuple[_Layer, ...]:
    """Simonyan and Zisserman 2015, configurations D (16) and E (19)."""
    plan = []
    for level, convolutions in enumerate(convolutions_of_levels, start=1):
        channels = 64 * min(2 ** (level - 1), 8)
        for number in range(1, convolutions + 1):
            plan.append(_Layer(f"conv{level}_{number}", "conv", channels, kernel=3, padding=1))
            plan.append(_Layer(f"relu{level}_{number}", "relu"))
        plan.append(_Layer(f"pool{level}", "pool", kernel=2, stride=2))
    return tuple(plan)


def _alexnet() -> tuple[_Layer, ...]:
    """Krizhevsky 2014 (the single-column variant that torchvision has)."""
    return (
        _Layer("conv1", "conv", 64, kernel=11, stride=4, padding=2),
        _Layer("relu1", "relu"),
        _Layer("pool1", "pool", kernel=3, stride=2),
        _Layer("conv2", "conv", 192, kernel=5, padding=2),
        _Layer("relu2", "relu"),
        _Layer("pool2", "pool", kernel=3, stride=2),
        _Layer("conv3", "conv", 384, kernel=3, padding=1),
        _Layer("relu3", "relu"),
        _Layer("conv4", "conv", 256, kernel=3, padding=1),
        _Layer("relu4", "relu"),
        _Layer("conv5", "conv", 256, kernel=3, padding=1),
        _Layer("relu5", "relu"),
    )


def _modules(plan: Sequence[_Layer]) -> list[nn.Module]:
    modules: list[nn.Module] = []
    channels = 3
    for layer in plan:
        match layer.kind:
            case "conv":
                modules.append(
                    nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, layer.padding)
                )
                channels = layer.channels
            case "relu":
                modules.append(nn.ReLU())  # in place it would overwrite the map before it
            case "pool":
                modules.append(nn.MaxPool2d(layer.kernel, layer.stride))
    return modules


def _least_side(plan: Sequence[_Layer]) -> int:
    side = 1
    for layer in reversed(plan):
        side = max(1, (side - 1) * layer.stride + layer.kernel - 2 * layer.padding)
    return side
