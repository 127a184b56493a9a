"""Every way to name a model leads to the same kind of thing, or to one sentence."""

import hashlib
from pathlib import Path

import pytest
import torch

from upres.errors import BadSetting, BadWeights
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights import model
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.model import load_model, zoo_names

SETTINGS = CompactSettings(width=4, convs=1)
HEADER = CheckpointHeader(generator=SETTINGS, scale=2, upres_version="0.1.0")


def checkpoint(path: Path, *, half: bool = False) -> Path:
    tensors = build_generator(SETTINGS, 2, seed=5).state_dict()
    kept = {key: tensor.half() if half else tensor for key, tensor in tensors.items()}
    save_checkpoint(path, kept, HEADER)
    return path


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with two models in half precision."""
    folder = tmp_path / "zoo"
    checkpoint(folder / "compact-x2.safetensors", half=True)
    checkpoint(folder / "another-x2.safetensors", half=True)
    monkeypatch.setattr(model, "_ZOO", folder)
    return folder


def test_installed_models_are_sorted_by_name(zoo):
    assert zoo_names() == ("another-x2", "compact-x2")


def test_installed_model_is_loaded_by_name_in_float32(zoo):
    loaded = load_model("compact-x2")
    assert (loaded.name, loaded.scale, loaded.settings) == ("compact-x2", 2, SETTINGS)
    assert loaded.header == HEADER
    assert {p.dtype for p in loaded.network.parameters()} == {torch.float32}
    assert not loaded.network.training
    content = (zoo / "compact-x2.safetensors").read_bytes()
    assert loaded.sha256 == hashlib.sha256(content).hexdigest()


def test_checkpoint_gives_the_network_that_was_saved(tmp_path):
    loaded = load_model(checkpoint(tmp_path / "a.safetensors"))
    lr = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    expected = build_generator(SETTINGS, 2, seed=5).eval()
    assert torch.equal(loaded.network(lr), expected(lr))
    assert loaded.name == str(tmp_path / "a.safetensors")


def test_run_and_stage_are_read_by_their_folder(tmp_path):
    checkpoint(tmp_path / "run" / "model.safetensors")
    checkpoint(tmp_path / "run" / "gan" / "model.safetensors")
    assert load_model(tmp_path / "run").scale == 2
    assert load_model(str(tmp_path / "run" / "gan")).name == str(tmp_path / "run" / "gan")


def test_folder_without_a_model_is_one_sentence(tmp_path):
    with pytest.raises(BadWeights) as error:
        load_model(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} is a folder without model.safetensors, expected a run that is finished or one "
        "of its stages: finish the run, or give a checkpoint file inside it."
    )


def test_unknown_name_is_answered_with_the_nearest(zoo):
    with pytest.raises(BadSetting) as error:
        load_model("compakt-x2")
    assert str(error.value) == (
        "'compakt-x2' is neither a model of this program nor a file or a folder, "
        "did you mean 'compact-x2'?"
    )


@pytest.mark.parametrize("name", ["net.pth", "runs/mine"])
def test_path_that_does_not_exist_is_one_sentence(name):
    with pytest.raises(BadWeights) as error:
        load_model(name)
    assert str(error.value) == (
        f"{name} does not exist, expected a file of weights: check the path, "
        "or see the known names with `upres weights list`."
    )


def test_state_of_a_run_is_not_mistaken_for_a_foreign_file(tmp_path):
    from upres.weights.tensors import write_safetensors

    path = tmp_path / "state.safetensors"
    write_safetensors(path, {"a": torch.ones(1)}, {"upres": '{"format": "upres-state-1"}'})
    with pytest.raises(BadWeights, match=r"no checkpoint of a generator \(its format is 'upres-st"):
        load_model(path)


def test_checkpoint_whose_tensors_are_of_another_network_is_refused(tmp_path):
    other = build_generator(CompactSettings(width=4, convs=2), 2, seed=0).state_dict()
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, other, HEADER)
    with pytest.raises(BadWeights, match=r"fits 6 of the 8 tensors of its Compact \(unknown: "):
        load_model(path)


def test_kind_of_a_file_is_told_by_its_content_not_its_name(tmp_path):
    path = checkpoint(tmp_path / "a.safetensors").rename(tmp_path / "a.ckpt")
    assert load_model(path).header == HEADER
