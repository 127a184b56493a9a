"""ONNX files: what they hold, and what ONNX Runtime makes of them."""

import sys
from pathlib import Path

import pytest
import torch

from upres.errors import MissingExtra
from upres.export.onnx_file import onnx_content, onnx_run
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.srresnet import SRResNetSettings

SETTINGS = CompactSettings(width=6, convs=2)
ABOUT = {"name": "small", "licence": "Apache-2.0, é"}


@pytest.fixture(scope="module")
def onnx():
    pytest.importorskip("onnxscript", reason="ONNX is the extra `export`")
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is the extra `export`")
    return pytest.importorskip("onnx", reason="ONNX is the extra `export`")


@pytest.fixture(scope="module")
def network():
    return build_generator(SETTINGS, 3, seed=0).eval()


@pytest.fixture(scope="module")
def content(onnx, network):
    return onnx_content(network, ABOUT)


def test_any_size_and_batch_gives_what_the_network_gives(content, network):
    run = onnx_run(content)
    for size in [(1, 1, 1), (1, 7, 19), (3, 20, 6)]:
        lr = torch.rand(size[0], 3, *size[1:], generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            expected = network(lr)
        assert torch.allclose(torch.from_numpy(run(lr.numpy())), expected, atol=1e-5), size


def test_the_file_names_its_ends_and_says_what_it_is(content, onnx):
    model = onnx.load_from_string(content)
    assert [(put.name, len(put.type.tensor_type.shape.dim)) for put in model.graph.input] == [
        ("lr", 4)
    ]
    assert [put.name for put in model.graph.output] == ["sr"]
    sides = [
        side.dim_param or side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim
    ]
    assert sides == ["batch", 3, "height", "width"]
    assert {prop.key: prop.value for prop in model.metadata_props} == ABOUT
    assert [opset.version for opset in model.opset_import if not opset.domain] == [18]


def test_the_file_is_the_same_each_time_and_tells_nothing_of_this_machine(content, network):
    assert onnx_content(network, ABOUT) == content
    for told in (str(Path.home()), str(Path(__file__).parents[2]), "site-packages", "forward"):
        assert told.encode() not in content, told


def test_halves_are_between_the_first_and_the_last_convolution(onnx):
    network = build_generator(SRResNetSettings(blocks=1, width=8), 2, seed=0).eval()
    content = onnx_content(network, {}, half=True)
    model = onnx.load_from_string(content)
    kinds = {
        tensor.name: tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 4
    }
    last = list(network.state_dict())[-2]
    assert last in kinds and kinds.pop(last) == onnx.TensorProto.FLOAT
    assert set(kinds.values()) == {onnx.TensorProto.FLOAT16}
    for put in (*model.graph.input, *model.graph.output):
        assert put.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    lr = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(lr)
    # float16 has eleven significant bits, and values are below 1
    assert torch.allclose(torch.from_numpy(onnx_run(content)(lr.numpy())), expected, atol=5e-3)


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch, network, package):
    monkeypatch.setitem(sys.modules, package, None)
    if package == "onnxscript":
        pytest.importorskip("onnx")
    with pytest.raises(MissingExtra, match=rf"needs the package {package}, .*upres\[export\]"):
        onnx_content(network, {})
