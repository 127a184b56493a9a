import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.features import (
    FeatureNetwork,
    FeatureNetworkName,
    layer_channels,
    layer_names,
    layer_stride,
)

# The places of layers in torchvision's `features`, which are the numbers in key names.
VGG19_INDEX = {
    "conv1_1": 0,
    "conv2_2": 7,
    "relu2_2": 8,
    "conv3_4": 16,
    "relu3_4": 17,
    "conv4_4": 25,
    "conv5_1": 28,
    "conv5_4": 34,
    "relu5_4": 35,
}


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def vgg() -> FeatureNetwork:
    return FeatureNetwork("vgg19", ("conv3_4", "relu2_2", "conv2_2"))


@pytest.mark.parametrize(("layer", "index"), VGG19_INDEX.items())
def test_vgg19_is_built_up_to_the_layer_and_no_further(layer: str, index: int) -> None:
    with torch.device("meta"):
        features = FeatureNetwork("vgg19", (layer,)).features
    assert len(features) == index + 1
    assert isinstance(features[-1], nn.Conv2d if layer.startswith("conv") else nn.ReLU)


def test_key_names_are_those_of_torchvision() -> None:
    with torch.device("meta"):
        vgg16 = FeatureNetwork("vgg16", ("relu3_3",)).state_dict()
        alexnet = FeatureNetwork("alexnet", ("relu5",)).state_dict()
    places = {"vgg16": (0, 2, 5, 7, 10, 12, 14), "alexnet": (0, 3, 6, 8, 10)}
    for found, name in ((vgg16, "vgg16"), (alexnet, "alexnet")):
        assert set(found) == {f"features.{n}.{w}" for n in places[name] for w in ("weight", "bias")}
    assert alexnet["features.0.weight"].shape == (64, 3, 11, 11)
    assert alexnet["features.3.weight"].shape == (192, 64, 5, 5)


def test_grey_arrives_at_the_first_convolution_normalised_once(vgg: FeatureNetwork) -> None:
    seen = []
    hook = vgg.features[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    vgg(torch.full((1, 3, 16, 16), 0.5))
    hook.remove()
    expected = [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    for channel, value in enumerate(expected):
        torch.testing.assert_close(seen[0][0, channel], torch.full((16, 16), value))


def test_maps_before_the_relu_keep_their_negatives(vgg: FeatureNetwork) -> None:
    found = vgg(noise(1, 3, 16, 16))
    assert found["conv3_4"].min() < 0
    assert found["conv2_2"].min() < 0
    assert torch.equal(found["relu2_2"], found["conv2_2"].clamp(min=0))


def test_asking_for_two_layers_gives_each_what_it_gives_alone(vgg: FeatureNetwork) -> None:
    alone = FeatureNetwork("vgg19", ("conv2_2",))
    alone.load_state_dict(vgg.state_dict(), strict=False)
    picture = noise(1, 3, 16, 16)
    assert torch.equal(alone(picture)["conv2_2"], vgg(picture)["conv2_2"])


def test_vgg_in_plain_arithmetic() -> None:
    vgg16, x = FeatureNetwork("vgg16", ("conv2_1",)), noise(1, 3, 6, 8)
    w = vgg16.state_dict()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (x - mean[:, None, None]) / std[:, None, None]
    for index in (0, 2):
        expected = F.conv2d(
            expected, w[f"features.{index}.weight"], w[f"features.{index}.bias"], padding=1
        ).clamp(min=0)
    expected = F.max_pool2d(expected, 2)
    expected = F.conv2d(expected, w["features.5.weight"], w["features.5.bias"], padding=1)
    torch.testing.assert_close(vgg16(x)["conv2_1"], expected)


def test_gradients_reach_the_picture_and_never_the_weights(vgg: FeatureNetwork) -> None:
    picture = noise(1, 3, 16, 16).requires_grad_()
    vgg(picture)["conv3_4"].square().sum().backward()
    assert picture.grad.any()
    assert all(p.grad is None and not p.requires_grad for p in vgg.parameters())


def test_the_gradient_is_that_of_finite_differences() -> None:
    network = FeatureNetwork("vgg19", ("conv1_2",)).double()
    picture = noise(1, 3, 4, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: network(x)["conv1_2"].square().mean(), picture)


def test_it_never_leaves_eval_mode(vgg: FeatureNetwork) -> None:
    holder = nn.ModuleList([vgg]).train()
    assert holder.training
    assert not any(module.training for module in vgg.modules())


def test_autocast_does_not_lower_its_precision(vgg: FeatureNetwork) -> None:
    picture = noise(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = vgg(picture.bfloat16())
    exact = vgg(picture.bfloat16().float())
    assert mixed["conv3_4"].dtype == torch.float32
    assert torch.equal(mixed["conv3_4"], exact["conv3_4"])


def test_a_network_cast_to_bfloat16_works_in_it_and_normalises_before() -> None:
    network, picture = FeatureNetwork("vgg19", ("conv1_1",)), noise(1, 3, 8, 8)
    exact = network(picture)["conv1_1"]
    rough = network.to(torch.bfloat16)(picture)["conv1_1"]
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("name", "layer", "stride", "channels"),
    [
        ("vgg19", "conv1_1", 1, 64),
        ("vgg19", "relu2_2", 2, 128),
        ("vgg19", "conv3_4", 4, 256),
        ("vgg19", "conv4_1", 8, 512),
        ("vgg19", "conv5_4", 16, 512),
        ("vgg16", "relu5_3", 16, 512),
        ("alexnet", "relu1", 4, 64),
        ("alexnet", "conv2", 8, 192),
        ("alexnet", "relu5", 16, 256),
    ],
)
def test_strides_and_channels_of_layers(
    name: FeatureNetworkName, layer: str, stride: int, channels: int
) -> None:
    assert layer_stride(name, layer) == stride
    assert layer_channels(name, layer) == channels
    side = 64 if name != "alexnet" else 63
    found = FeatureNetwork(name, (layer,))(noise(1, 3, side, side))[layer]
    assert found.shape[1] == channels
    if name != "alexnet":
        assert found.shape[-1] == 64 // stride


def test_layers_are_named_from_the_picture_inwards() -> None:
    names = layer_names("vgg16")
    assert names[:4] == ("conv1_1", "relu1_1", "conv1_2", "relu1_2")
    assert len(names) == 2 * 13
    assert len(layer_names("vgg19")) == 2 * 16
    assert len(layer_names("alexnet")) == 2 * 5


@pytest.mark.parametrize(
    ("name", "layer", "least"), [("vgg19", "conv5_1", 16), ("alexnet", "relu5", 31)]
)
def test_a_picture_that_leaves_nothing_is_refused(
    name: FeatureNetworkName, layer: str, least: int
) -> None:
    network = FeatureNetwork(name, (layer,))
    assert network(noise(1, 3, least, least))[layer].shape[-2:] == (1, 1)
    with pytest.raises(ValueError, match=rf"picture of 40x{least - 1} is too small.*{least}"):
        network(noise(1, 3, least - 1, 40))


def test_unknown_and_missing_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="vgg16 has no layer 'conv3_4'; it has conv1_1"):
        FeatureNetwork("vgg16", ("conv3_4",))
    with pytest.raises(ValueError, match="no layer was asked for"):
        FeatureNetwork("vgg16", ())


def test_building_disturbs_nobody_elses_draws() -> None:
    torch.manual_seed(0)
    expected = torch.rand(4)
    torch.manual_seed(0)
    FeatureNetwork("vgg16", ("conv1_1",))
    assert torch.equal(torch.rand(4), expected)
