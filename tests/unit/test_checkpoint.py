"""Checkpoints: what is saved comes back, and what is no checkpoint is said in one sentence."""

import json
import math
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from upres.errors import BadWeights
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.weights.checkpoint import CheckpointHeader, read_checkpoint, save_checkpoint
from upres.weights.tensors import write_safetensors

HEADER = CheckpointHeader(
    generator=RRDBNetSettings(blocks=2, width=8, growth=4),
    scale=4,
    recipe={"name": "esrgan", "gan": {"rate": 1e-4, "milestones": [1, 2]}},
    stage="gan",
    step=1200,
    weights="ema",
    metrics={"psnr_y": 27.5, "lpips_alex": 0.125},
    protocol="sr-y-float",
    data_hash="abc",
    upres_version="0.1.0",
    licence="Apache-2.0",
)
TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7)}


def file_with(path: Path, **header: object) -> Path:
    write_safetensors(path, TENSORS, {"upres": json.dumps(header)})
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadWeights) as error:
        read_checkpoint(path)
    return str(error.value)


def test_header_and_tensors_come_back(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, HEADER)
    header, tensors = read_checkpoint(tmp_path / "a.safetensors")
    assert header == HEADER
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == TENSORS[name].dtype
        assert torch.equal(tensor, TENSORS[name])


def test_a_file_from_before_headers_had_the_whole_protocol_is_read(tmp_path):
    fields = HEADER.model_dump(mode="json", exclude={"conditions"})
    header, _ = read_checkpoint(file_with(tmp_path / "a.safetensors", **fields))
    assert (header.protocol, header.conditions) == ("sr-y-float", None)


def test_generator_comes_back_as_its_own_settings(tmp_path):
    header = HEADER.model_copy(update={"generator": CompactSettings(convs=3)})
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, header)
    assert read_checkpoint(tmp_path / "a.safetensors")[0].generator == CompactSettings(convs=3)


def test_header_is_plain_json_that_other_programs_can_read(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, HEADER)
    content = (tmp_path / "a.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["upres"])
    assert header["format"] == "upres-checkpoint-1"
    assert header["generator"]["kind"] == "rrdbnet"
    assert header["recipe"]["gan"]["rate"] == 1e-4
    assert load_file(tmp_path / "a.safetensors").keys() == TENSORS.keys()


def test_same_content_is_the_same_file(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, HEADER)
    save_checkpoint(tmp_path / "b.safetensors", TENSORS, HEADER)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_shared_and_turned_tensors_are_saved_each_for_itself(tmp_path):
    whole = torch.arange(6.0).reshape(2, 3)
    tensors = {"one": whole, "same": whole, "turned": whole.T, "part": whole[:, 1:]}
    save_checkpoint(tmp_path / "a.safetensors", tensors, HEADER)
    _, back = read_checkpoint(tmp_path / "a.safetensors")
    for name, tensor in tensors.items():
        assert torch.equal(back[name], tensor)


def test_channels_last_weights_keep_their_values(tmp_path):
    weight = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "a.safetensors", {"weight": weight}, HEADER)
    assert torch.equal(read_checkpoint(tmp_path / "a.safetensors")[1]["weight"], weight)


def test_infinite_metric_comes_back(tmp_path):
    header = HEADER.model_copy(update={"metrics": {"psnr_y": math.inf, "ssim_y": math.nan}})
    save_checkpoint(tmp_path / "a.safetensors", TENSORS, header)
    metrics = read_checkpoint(tmp_path / "a.safetensors")[0].metrics
    assert metrics["psnr_y"] == math.inf
    assert math.isnan(metrics["ssim_y"])


def test_failed_save_leaves_the_old_checkpoint_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, TENSORS, HEADER)
    before = path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Exception, match=r"could not be written: the disk is full"):
        save_checkpoint(path, {"b": torch.zeros(1)}, HEADER)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_file_is_one_sentence(tmp_path):
    path = tmp_path / "a.safetensors"
    assert refusal(path) == (
        f"{path} does not exist, expected a file of weights: check the path, "
        "or see the known names with `upres weights list`."
    )


def test_folder_is_one_sentence(tmp_path):
    assert refusal(tmp_path) == (
        f"{tmp_path} is a folder, expected a file of weights: give the path of the file inside it."
    )


@pytest.mark.parametrize("content", [b"", b"just a text", b"<html><body>404</body></html>"])
def test_other_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert refusal(path) == (
        f"{path} is not a safetensors file, although weights were expected: "
        "give the path of a .safetensors or .pth file."
    )


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.999])
def test_cut_off_file_is_one_sentence(tmp_path, kept):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, TENSORS, HEADER)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    text = refusal(path)
    assert text.startswith(f"{path} is a damaged or cut-off safetensors file (")
    assert text.endswith("), expected a whole one: copy or download it again.")


def test_safetensors_of_another_program_is_no_checkpoint(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(TENSORS, path, {"format": "pt"})
    assert refusal(path) == (
        f"{path} is a safetensors file but no checkpoint of a generator (it has no upres header), "
        "expected 'upres-checkpoint-1': "
        "give a run's model.safetensors or one of its best-*.safetensors."
    )


def test_state_of_a_run_is_no_checkpoint(tmp_path):
    path = file_with(tmp_path / "state.safetensors", format="upres-state-1")
    assert "(its format is 'upres-state-1')" in refusal(path)


@pytest.mark.parametrize("metadata", ["no json", "[1]", '"text"'])
def test_damaged_header_is_no_checkpoint(tmp_path, metadata):
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TENSORS, {"upres": metadata})
    assert "(it has no upres header)" in refusal(path)


def test_newer_format_names_the_way_out(tmp_path):
    path = file_with(tmp_path / "a.safetensors", format="upres-checkpoint-2")
    assert refusal(path) == (
        f"{path} is a checkpoint of format 'upres-checkpoint-2', "
        "this version reads 'upres-checkpoint-1': install the upres version that wrote it."
    )


def test_header_with_a_wrong_value_names_the_field(tmp_path):
    header = HEADER.model_dump()
    header["generator"]["blocks"] = "many"
    path = file_with(tmp_path / "a.safetensors", **header)
    text = refusal(path)
    assert text.startswith(f"{path} is a checkpoint whose header does not fit (generator.rrdbnet.")
    assert "blocks" in text
    assert text.endswith("install the upres version that wrote it, or save the checkpoint again.")
