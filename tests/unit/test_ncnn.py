"""ncnn's pairs of files: written here by the format's description, read back as the network."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from upres.errors import BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.weights.model import load_model
from upres.weights.ncnn import is_ncnn, read_ncnn

COMPACT = CompactSettings(width=5, convs=1)  # 5 x 3 x 9 values: float16 needs filling up
RRDBNET = RRDBNetSettings(blocks=2, width=3, growth=1)
HEAD = "7767517\n9 9\nInput in 0 1 data\n"
LEAKY = "9=2 -23310=1,2.000000e-01"
RESIDUAL = "0=1 -23301=2,2.000000e-01,1.000000e+00"


def state_of(settings: GeneratorSettings, scale: int = 4) -> dict[str, Tensor]:
    network = build_generator(settings, scale, seed=3)
    for parameter in network.parameters():  # biases start at zero, slopes are all alike
        torch.nn.init.uniform_(parameter, -0.5, 0.5, generator=torch.Generator().manual_seed(1))
    return dict(network.state_dict())


def convolution(kernels: Tensor, bias: Tensor, *, half: bool) -> bytes:
    flag = struct.pack("<I", 0x01306B47 if half else 0)
    values = kernels.numpy().astype("<f2" if half else "<f4").tobytes()
    filled = values + bytes(-len(values) % 4)
    return flag + filled + bias.numpy().astype("<f4").tobytes()


def layer(kernels: Tensor, more: str = "") -> str:
    return f"Convolution c 1 1 a b 0={kernels.shape[0]} 1=3 4=1 5=1 6={kernels.numel()} {more}\n"


def write_compact(path: Path, *, half: bool = True, end: str = "") -> dict[str, Tensor]:
    state, text, content = state_of(COMPACT), HEAD, b""
    for number in range(2 * COMPACT.convs + 3):
        weight = state[f"body.{number}.weight"]
        if weight.ndim == 4:
            text += layer(weight)
            content += convolution(weight, state[f"body.{number}.bias"], half=half)
        else:
            text += f"PReLU p 1 1 a b 0={len(weight)}\n"
            content += weight.numpy().astype("<f4").tobytes()
    text += "PixelShuffle s 1 1 a b 0=4\nInterp i 1 1 a b 0=1 1=4.000000e+00 2=4.000000e+00\n"
    path.with_suffix(".param").write_text(text + "BinaryOp o 2 1 a b c\n" + end)
    path.with_suffix(".bin").write_bytes(content)
    return state


def write_rrdbnet(path: Path, residual: str = RESIDUAL, leaky: str = LEAKY) -> dict[str, Tensor]:
    """In execution order, which is the order of the network's own names."""
    state, text, content = state_of(RRDBNET), HEAD, b""
    for name in [key.removesuffix(".weight") for key in state if key.endswith(".weight")]:
        weight = state[f"{name}.weight"]
        if name.startswith("conv_up"):
            text += "Interp i 1 1 a b 0=1 1=2.000000e+00 2=2.000000e+00\n"
        plain = name in ("conv_first", "conv_body", "conv_last") or name.endswith("conv5")
        text += layer(weight, "" if plain else leaky)
        if name.endswith("conv5"):
            text += f"Eltwise e 2 1 a b c {residual}\n"
        content += convolution(weight, state[f"{name}.bias"], half=False)
    path.with_suffix(".param").write_text(text)
    path.with_suffix(".bin").write_bytes(content)
    return state


def refusal(path: Path) -> str:
    with pytest.raises(BadWeights) as error:
        read_ncnn(path)
    return str(error.value)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("suffix", [".param", ".bin"])
def test_compact_pair_gives_its_network(tmp_path, half, suffix):
    state = write_compact(tmp_path / "net", half=half)
    found = load_model(tmp_path / f"net{suffix}")
    assert (found.settings, found.scale, found.header) == (COMPACT, 4, None)
    for name, tensor in found.network.state_dict().items():
        halved = half and tensor.ndim == 4
        assert torch.equal(tensor, state[name].half().float() if halved else state[name]), name


def test_rrdbnet_pair_gives_its_network(tmp_path):
    state = write_rrdbnet(tmp_path / "net")
    found = load_model(tmp_path / "net.bin")
    assert (found.settings, found.scale) == (RRDBNET, 4)
    assert len(state) == len(found.network.state_dict())
    for name, tensor in found.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_pair_is_known_by_its_names(tmp_path):
    write_compact(tmp_path / "net")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    names = ("net.param", "net.bin", "pytorch_model.bin")
    assert [is_ncnn(tmp_path / name) for name in names] == [True, True, False]


@pytest.mark.parametrize("missing", [".param", ".bin"])
def test_half_of_a_pair_is_one_sentence(tmp_path, missing):
    write_compact(tmp_path / "net")
    (tmp_path / f"net{missing}").unlink()
    text = refusal(tmp_path / "net.param")
    assert text.startswith(f"{tmp_path / f'net{missing}'} ")
    assert text.endswith("put both files into one folder, under one name.")


@pytest.mark.parametrize("change", [-1, -40, 4])
def test_other_length_than_described_is_one_sentence(tmp_path, change):
    write_compact(tmp_path / "net")
    path = tmp_path / "net.bin"
    content = path.read_bytes() + bytes(4)
    path.write_bytes(content[: len(content) - 4 + change])
    assert refusal(path) == (
        f"{path} holds {path.stat().st_size} bytes, more or fewer than its .param describes, "
        "expected the two files of one model: copy or download both again."
    )


def test_shrunk_result_names_the_file_to_take(tmp_path):
    write_compact(tmp_path / "net", end="Interp i 1 1 a b 0=3 1=5.000000e-01 2=5.000000e-01\n")
    assert refusal(tmp_path / "net.param") == (
        f"{tmp_path / 'net.param'} shrinks the result of an x4 network by 0.5 afterwards, expected "
        "the network alone: give the x4 file, and the size that you want with --scale."
    )


@pytest.mark.parametrize(
    ("residual", "leaky", "what"),
    [
        (RESIDUAL.replace("2.0", "1.0", 1), LEAKY, "a layer of kind Eltwise with the options"),
        (RESIDUAL, LEAKY.replace("2.0", "1.0"), "a layer of kind Convolution with the options"),
        (RESIDUAL, "", None),  # an unfused activation is a layer of its own
    ],
)
def test_what_has_no_values_is_looked_at_too(tmp_path, residual, leaky, what):
    write_rrdbnet(tmp_path / "net", residual, leaky)
    if what is None:
        assert read_ncnn(tmp_path / "net.param").scale == 4
    else:
        assert what in refusal(tmp_path / "net.param")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("1=3", "1=5", "a convolution that is not 3x3 with a bias and padding 1"),
        ("5=1 ", "", "a convolution that is not 3x3 with a bias and padding 1"),
        ("4=1", "4=1 3=2", "a convolution that is not 3x3 with a bias and padding 1"),
        ("PixelShuffle s", "Reorg s", "a layer of kind Reorg"),
        ("0=1 1=4.0", "0=2 1=4.0", "an enlargement that does not take the nearest pixels"),
        ("a b 0=4\n", "a b 0=2\n", "another end than a pixel shuffle plus the nearest pixels"),
        ("6=135", "6=136", "a convolution whose numbers of values do not fit"),
        ("PReLU p 1 1 a b 0=5", "PReLU p 1 1 a b 0=-5", "more or fewer than its .param"),
        ("0=5 1=3", "0=0 1=3", "a convolution whose numbers of values do not fit"),
        ("7767517", "7767518", "no list of layers in ncnn's text form"),
        ("Input in 0 1", "Input in 0 many", "no list of layers in ncnn's text form"),
        ("a b 0=4\n", "a b 0=four\n", "no list of layers in ncnn's text form"),
    ],
)
def test_other_networks_and_forms_are_refused(tmp_path, old, new, what):
    write_compact(tmp_path / "net", half=False)
    path = tmp_path / "net.param"
    path.write_text(path.read_text().replace(old, new, 1))
    assert what in refusal(path)


def test_compressed_values_are_refused(tmp_path):
    write_compact(tmp_path / "net")
    path = tmp_path / "net.bin"
    path.write_bytes(struct.pack("<I", 0x000D4B38) + path.read_bytes()[4:])
    assert "has values of type 0xd4b38, not float16 or float32" in refusal(path)


def test_binary_list_of_layers_is_refused(tmp_path):
    write_compact(tmp_path / "net")
    (tmp_path / "net.param").write_bytes(np.arange(200, dtype=np.uint8).tobytes())
    assert "no list of layers in ncnn's text form" in refusal(tmp_path / "net.param")
