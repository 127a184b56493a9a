"""`upres weights`: what it prints, and where."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch
from file_server import serving
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from upres.cli.weights import app
from upres.errors import BadSetting, MissingWeights
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights import model
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.published import PUBLISHED


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, one installed model, a wide screen."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)
    settings = CompactSettings(width=4, convs=1)
    header = CheckpointHeader(
        generator=settings, scale=4, upres_version="0.1.0", licence="Apache-2.0"
    )
    tensors = build_generator(settings, 4, seed=0).state_dict()
    save_checkpoint(tmp_path / "zoo" / "tiny-x4.safetensors", tensors, header)
    monkeypatch.setattr(model, "_ZOO", tmp_path / "zoo")


def upres_weights(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_list_names_models_and_every_published_file():
    result = upres_weights("list")
    assert result.exit_code == 0
    (model_line,) = [line for line in result.stdout.splitlines() if "tiny-x4" in line]
    assert all(word in model_line for word in ("compact", "x4", "Apache-2.0"))
    (vgg19,) = [line for line in result.stdout.splitlines() if "vgg19" in line]
    assert all(word in vgg19 for word in ("574.67", "BSD-3-Clause", "not on this machine"))
    assert all(name in result.stdout for name in PUBLISHED)


def test_list_says_that_the_checksum_of_the_users_own_file_is_not_known(tmp_path):
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg19.safetensors")
    result = upres_weights("list", "--weights-dir", str(tmp_path))
    assert "given folder, your own file: its checksum is not known" in result.stdout


def test_path_prints_the_file_and_nothing_else(tmp_path):
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg19.safetensors")
    result = upres_weights("path", "vgg19", "--weights-dir", str(tmp_path))
    assert result.stdout == f"{tmp_path / 'vgg19.safetensors'}\n"
    assert result.exit_code == 0


def test_path_of_an_installed_model_is_printed(tmp_path):
    assert upres_weights("path", "tiny-x4").stdout == f"{tmp_path / 'zoo/tiny-x4.safetensors'}\n"


def test_path_of_missing_weights_is_refused():
    result = upres_weights("path", "vgg19")
    assert isinstance(result.exception, MissingWeights)
    assert result.stdout == ""


@pytest.mark.parametrize("quiet", [True, False])
def test_get_downloads_and_prints_where_it_is(tmp_path, monkeypatch, quiet):
    content = bytes(100_000)
    with serving(content, "vgg19-00000000.pth") as server:
        file = dataclasses.replace(
            PUBLISHED["vgg19"],
            address=server.address,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )
        monkeypatch.setitem(PUBLISHED, "vgg19", file)
        result = upres_weights("get", "vgg19", *(["--quiet"] if quiet else []))
    target = tmp_path / "cache" / "upres" / "vgg19-00000000.pth"
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"{target}\n"
    assert target.read_bytes() == content


def test_get_looks_at_all_names_before_it_downloads(monkeypatch):
    with serving(b"", "vgg19-00000000.pth") as server:
        file = dataclasses.replace(PUBLISHED["vgg19"], address=server.address)
        monkeypatch.setitem(PUBLISHED, "vgg19", file)
        result = upres_weights("get", "vgg19", "vgg91")
        assert isinstance(result.exception, BadSetting)
        assert server.asked_ranges == []
