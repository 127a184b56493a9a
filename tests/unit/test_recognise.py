"""Networks of other programs, told from names and shapes; and what is refused."""

import pytest
import torch
from torch import Tensor

from upres.errors import BadWeights
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.weights.recognise import recognise, unwrap

ONE = {"a": torch.ones(1)}


def zeros(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name.replace("__", "."): torch.zeros(shape) for name, shape in shapes.items()}


def rrdbnet(channels_in: int = 3, channels_out: int = 3, up_convs: int = 2) -> dict[str, Tensor]:
    """As many tensors as are looked at."""
    ups = {f"conv_up{u}.weight": torch.zeros(8, 8, 3, 3) for u in range(1, up_convs + 1)}
    return ups | zeros(
        conv_first__weight=(8, channels_in, 3, 3),
        body__0__rdb1__conv1__weight=(4, 8, 3, 3),
        body__1__rdb1__conv1__weight=(4, 8, 3, 3),
        conv_last__weight=(channels_out, 8, 3, 3),
    )


def msrresnet(up: int, **more: tuple[int, ...]) -> dict[str, Tensor]:
    return zeros(
        conv_first__weight=(8, 3, 3, 3),
        body__0__conv1__weight=(8, 8, 3, 3),
        body__1__conv1__weight=(8, 8, 3, 3),
        upconv1__weight=(up, 8, 3, 3),
        conv_last__weight=(3, 8, 3, 3),
        **more,
    )


def compact(outputs: int, channels: int = 3) -> dict[str, Tensor]:
    return zeros(
        body__0__weight=(8, channels, 3, 3),
        body__1__weight=(8,),
        body__2__weight=(8, 8, 3, 3),
        body__3__weight=(8,),
        body__4__weight=(outputs, 8, 3, 3),
    )


def srcnn(middle: int, channels: int) -> dict[str, Tensor]:
    """In the naming of a program that calls its layers by what they do."""
    return zeros(
        features__0__weight=(64, channels, 9, 9),
        features__0__bias=(64,),
        map__0__weight=(32, 64, middle, middle),
        map__0__bias=(32,),
        reconstruction__weight=(channels, 32, 5, 5),
        reconstruction__bias=(channels,),
    )


def refusal(state: dict[str, Tensor], name: str = "f.pth") -> str:
    with pytest.raises(BadWeights) as error:
        recognise(state, name)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ONE, "bare"),
        ({"params": ONE}, "BasicSR"),
        ({"params": {"a": torch.zeros(1)}, "params_ema": ONE}, "BasicSR with an average"),
        ({"state_dict": {"params": {"a": torch.zeros(1)}, "params_ema": ONE}}, "twice"),
        ({"epoch": 3, "model_state_dict": ONE}, "a training script"),
        ({"generator": ONE}, "a dictionary of one"),
        ({"params-ema": ONE, "net": {"a": torch.zeros(1)}}, "spandrel's list"),
        ({"model": {"module.a": torch.ones(1)}}, "data parallel"),
        ({"netG.a": torch.ones(1)}, "a network in a program"),
    ],
)
def test_wrappers_are_taken_off(content, why):
    tensors = unwrap(content, "f.pth")
    assert list(tensors) == ["a"], why
    assert tensors["a"].item() == 1, why


def test_numbers_beside_the_tensors_are_left_out():
    assert list(unwrap({"a": torch.ones(1), "iterations": 5}, "f.pth")) == ["a"]


@pytest.mark.parametrize("content", [[torch.ones(1)], torch.ones(1)])
def test_content_without_names_is_refused(content):
    kind = type(content).__name__
    with pytest.raises(BadWeights) as error:
        unwrap(content, "f.pth")
    assert str(error.value) == (
        f"f.pth holds a {kind}, expected a dictionary of named tensors: "
        "save the network's state_dict."
    )


def test_state_of_a_training_is_refused():
    with pytest.raises(BadWeights) as error:
        unwrap({"epoch": 1, "iter": 9, "optimizers": [], "schedulers": []}, "f.state")
    assert str(error.value) == (
        "f.state holds no tensors by name but epoch, iter, optimizers, schedulers, as the state "
        "of a training does, expected a network's weights: give the file of the network that was "
        "saved beside it."
    )


@pytest.mark.parametrize(
    ("channels_in", "up_convs", "scale"), [(3, 2, 4), (3, 3, 8), (12, 2, 2), (48, 2, 1)]
)
def test_rrdbnet_is_read_from_its_shapes(channels_in, up_convs, scale):
    found = recognise(rrdbnet(channels_in, up_convs=up_convs), "f.pth")
    assert found.settings == RRDBNetSettings(blocks=2, width=8, growth=4)
    assert found.scale == scale


def test_half_precision_becomes_float32():
    half = {name: tensor.half() for name, tensor in rrdbnet().items()}
    found = recognise(half, "f.pth")
    assert {tensor.dtype for tensor in found.tensors.values()} == {torch.float32}


@pytest.mark.parametrize(("channels_in", "up_convs"), [(3, 0), (3, 1), (12, 1), (6, 2)])
def test_rrdbnet_of_an_unknown_scale_is_refused(channels_in, up_convs):
    assert refusal(rrdbnet(channels_in, up_convs=up_convs)) == (
        f"f.pth is an RRDBNet with {channels_in} input channels and {up_convs} enlarging "
        "convolutions, expected 3 with two (x4) or three (x8), or 12 or 48 with two (x2, x1): "
        "use another file of that model."
    )


@pytest.mark.parametrize(("channels_in", "channels_out"), [(4, 1), (4, 4), (1, 1)])
def test_grey_and_transparent_models_are_refused(channels_in, channels_out):
    assert refusal(rrdbnet(channels_in, channels_out)) == (
        f"f.pth is a network for pictures of {channels_out} channels, expected 3 (RGB): "
        "use the model's colour version."
    )


@pytest.mark.parametrize(
    ("up", "more", "scale"), [(32, {"upconv2__weight": (32, 8, 3, 3)}, 4), (32, {}, 2), (72, {}, 3)]
)
def test_msrresnet_is_read_from_its_shapes(up, more, scale):
    found = recognise(msrresnet(up, **more), "f.pth")
    assert found.settings == MSRResNetSettings(blocks=2, width=8)
    assert found.scale == scale


def test_msrresnet_of_an_unknown_scale_is_refused():
    assert refusal(msrresnet(40)) == (
        "f.pth is an MSRResNet whose upconv1 has 40 output channels, expected 32 (x2) or 72 (x3): "
        "use another file of that model."
    )


@pytest.mark.parametrize(("outputs", "scale"), [(48, 4), (27, 3), (12, 2), (3, 1)])
def test_compact_is_read_from_its_shapes(outputs, scale):
    found = recognise(compact(outputs), "f.pth")
    assert found.settings == CompactSettings(width=8, convs=1)
    assert found.scale == scale


def test_compact_of_an_unknown_scale_is_refused():
    assert refusal(compact(30)) == (
        "f.pth is an SRVGG network with 30 output channels, expected 3 times the square of its "
        "scale (12, 27 or 48): use another file of that model."
    )


@pytest.mark.parametrize("middle", [1, 3, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_srcnn_is_told_by_its_shapes_and_its_scale_by_the_files_name(middle, channels):
    found = recognise(srcnn(middle, channels), "folder_x2/SRCNN_x3.pth")
    assert found.settings == SRCNNSettings(middle=middle, channels=channels)
    assert found.scale == 3
    assert sorted(found.tensors) == [
        f"conv{number}.{part}" for number in (1, 2, 3) for part in ("bias", "weight")
    ]


def test_srcnn_without_a_scale_in_its_name_is_refused():
    assert refusal(srcnn(5, 3), "srcnn.pth") == (
        "srcnn.pth is an SRCNN, whose file does not say for which scale it was trained, expected "
        "that in its name: rename it so that it contains x2, x3, x4 or x8."
    )


@pytest.mark.parametrize(
    ("key", "fork"),
    [
        (
            "RRDB_trunk.0.RDB1.conv1x1.weight",
            "ESRGAN+ (its dense blocks have an extra conv1x1)",
        ),
        (
            "model.1.sub.0.RDB1.conv1x1.weight",
            "ESRGAN+ (its dense blocks have an extra conv1x1)",
        ),
        ("body.0.srdb1.conv1.weight", "a fork of ESRGAN (its blocks are named srdb)"),
    ],
)
def test_forks_of_esrgan_are_refused_by_name(key, fork):
    assert refusal(rrdbnet() | {key: torch.zeros(1)}) == (
        f"f.pth is {fork}, which is another network than RRDBNet: expected one of RRDBNet "
        "(ESRGAN, Real-ESRGAN), SRVGG, MSRResNet and SRCNN, so use the program that it was made "
        "for, or another file."
    )


def test_the_discriminator_beside_a_generator_is_refused_as_one():
    state = zeros(
        conv0__weight=(64, 3, 3, 3),
        conv1__weight_orig=(128, 64, 4, 4),
        conv9__weight=(1, 64, 3, 3),
    )
    assert refusal(state, "x4plus_netD.pth") == (
        "x4plus_netD.pth is the U-Net discriminator of Real-ESRGAN, which judges pictures and "
        "makes none, expected a generator, one of RRDBNet (ESRGAN, Real-ESRGAN), SRVGG, MSRResNet "
        "and SRCNN: give the file without netD in its name."
    )


def test_unknown_network_is_refused_with_what_is_known():
    state = zeros(conv0_0__weight=(64, 3, 3, 3), bn0_1__weight=(64,))
    assert refusal(state) == (
        "f.pth holds 2 tensors of an unknown network (the first is 'bn0_1.weight'), expected one "
        "of RRDBNet (ESRGAN, Real-ESRGAN), SRVGG, MSRResNet and SRCNN: convert it, or train that "
        "network here."
    )


@pytest.mark.parametrize(
    ("state", "key"),
    [
        (rrdbnet(), "conv_last.weight"),
        (msrresnet(32), "upconv1.weight"),
    ],
)
def test_incomplete_file_is_refused_with_what_is_missing(state, key):
    del state[key]
    assert refusal(state) == (
        f"f.pth is incomplete, its {key} is missing, expected all of the network's tensors: "
        "download or save it again."
    )
