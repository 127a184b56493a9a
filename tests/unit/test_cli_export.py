"""`upres export`: what is written, what is printed, what is refused before and after the work."""

from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from upres.cli.export import export
from upres.errors import BadSetting, NoSpace, WorkFailed
from upres.export import exporting
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.model import load_model
from upres.weights.tensors import file_sha256

LR = np.random.default_rng(0).random((2, 3, 3, 11), dtype=np.float32)
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(export)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    settings = CompactSettings(width=4, convs=1)
    header = CheckpointHeader(generator=settings, scale=2, upres_version="0", licence="mine")
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, build_generator(settings, 2, seed=1).state_dict(), header)
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def expected(model: Path) -> np.ndarray:
    with torch.inference_mode():
        return load_model(model).network(torch.from_numpy(LR)).numpy()


def test_onnx_is_named_for_the_model_and_gives_its_pictures(model, tmp_path, monkeypatch):
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is the extra `export`")
    monkeypatch.chdir(tmp_path)
    result = run(model, "--to", "onnx")
    assert (result.exit_code, result.stdout) == (0, "net.onnx\n"), result.exception
    assert "at most" in result.stderr
    session = runtime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    assert np.abs(session.run(["sr"], {"lr": LR})[0] - expected(model)).max() < 1e-5
    told = session.get_modelmeta().custom_metadata_map
    assert (told["scale"], told["licence"]) == ("2", "mine")
    assert told["source_sha256"] == file_sha256(model)


def test_openvino_has_two_files_and_neither_is_replaced_unasked(model, tmp_path):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is the extra `export`")
    path = tmp_path / "new" / "a.xml"
    result = run(model, "--to", "openvino", "-o", path, "--quiet")
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [str(path), str(path.with_suffix(".bin"))]
    assert result.stderr == ""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", options)
    assert np.abs(compiled(LR)["sr"] - expected(model)).max() < 1e-5
    assert openvino.Core().read_model(path).get_rt_info(["upres", "scale"]).value == "2"
    path.unlink()
    again = run(model, "--to", "openvino", "-o", path)
    assert isinstance(again.exception, BadSetting)
    assert "a.bin exists; give --out another name" in str(again.exception)
    assert run(model, "--to", "openvino", "-o", path, "--overwrite").exit_code == 0


def test_what_cannot_be_is_refused_before_the_work(model, tmp_path, monkeypatch):
    def begun(*_: object) -> None:
        pytest.fail("the model was loaded")

    monkeypatch.setattr("upres.weights.model.load_model", begun)
    (tmp_path / "file").touch()
    ending = run(model, "--to", "onnx", "-o", tmp_path / "a.xml")
    assert "a.xml must end with .onnx for --to onnx" in str(ending.exception)
    below = run(model, "--to", "onnx", "-o", tmp_path / "file" / "a.onnx")
    assert isinstance(below.exception, NoSpace)
    assert "a part of its path is a file" in str(below.exception)


@pytest.mark.parametrize(("target", "name"), [("onnx", "a.onnx"), ("openvino", "a.xml")])
def test_a_file_that_is_not_the_network_is_not_kept(model, tmp_path, monkeypatch, target, name):
    pytest.importorskip("openvino" if target == "openvino" else "onnxruntime")
    monkeypatch.setattr(exporting, "greatest_difference", lambda *_, **__: 0.2)
    result = run(model, "--to", target, "-o", tmp_path / "out" / name)
    assert isinstance(result.exception, WorkFailed)
    assert "differs from the network by 0.2 levels of 255" in str(result.exception)
    assert not (tmp_path / "out").exists()
