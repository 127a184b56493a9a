"""Files of other programs give the pictures that they were trained for.

Synthetic networks are saved under the names and wrappers of those programs, and must enlarge a
picture exactly as before. The names are those of xinntao/ESRGAN (two generations), BasicSR and
Real-ESRGAN.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from upres.errors import BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.weights.model import load_model

State = dict[str, Tensor]


def oldest(key: str, blocks: int, up_convs: int) -> str:
    """BasicSR's name -> ESRGAN's first naming, where everything is a numbered `model`."""
    part, _, kind = key.rpartition(".")
    if found := re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)", part):
        return f"model.1.sub.{found[1]}.RDB{found[2]}.conv{found[3]}.0.{kind}"
    if found := re.fullmatch(r"conv_up(\d)", part):
        return f"model.{3 * int(found[1])}.{kind}"
    place = {
        "conv_first": "0",
        "conv_body": f"1.sub.{blocks}",
        "conv_hr": f"{3 * up_convs + 2}",
        "conv_last": f"{3 * up_convs + 4}",
    }
    return f"model.{place[part]}.{kind}"


def esrgan_repository(key: str, blocks: int, up_convs: int) -> str:
    """BasicSR's name -> that of the ESRGAN repository, BSRGAN and RealSR."""
    for ours, theirs in (
        ("body", "RRDB_trunk"),
        ("conv_body", "trunk_conv"),
        ("conv_up", "upconv"),
        ("conv_hr", "HRconv"),
    ):
        if re.match(rf"{ours}[.\d]", key):
            key = theirs + key[len(ours) :]
            break
    return re.sub(r"\.rdb(\d)\.", r".RDB\1.", key)


def basicsr(key: str, blocks: int, up_convs: int) -> str:
    return key


def state_of(settings: GeneratorSettings, scale: int, seed: int = 3) -> State:
    return dict(build_generator(settings, scale, seed=seed).state_dict())


def enlarged(settings: GeneratorSettings, scale: int, state: State) -> Tensor:
    network = build_generator(settings, scale, seed=0)
    network.load_state_dict(state)
    with torch.inference_mode():
        result: Tensor = network.eval()(picture())
    return result


def picture() -> Tensor:
    return torch.rand((1, 3, 8, 10), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("naming", [oldest, esrgan_repository, basicsr])
@pytest.mark.parametrize(("blocks", "scale"), [(1, 1), (1, 2), (1, 4), (1, 8), (6, 4), (23, 4)])
def test_rrdbnet_is_read_in_every_naming(
    tmp_path: Path, naming: Callable[[str, int, int], str], scale: int, blocks: int
) -> None:
    settings = RRDBNetSettings(blocks=blocks, width=4, growth=2)
    state = state_of(settings, scale)
    up_convs = 3 if scale == 8 else 2
    assert len(state) == 30 * blocks + 8 + 2 * up_convs
    renamed = {naming(key, blocks, up_convs): tensor for key, tensor in state.items()}
    assert len(renamed) == len(state)
    torch.save(renamed, tmp_path / "foreign.pth")
    model = load_model(tmp_path / "foreign.pth")
    assert (model.settings, model.scale, model.header) == (settings, scale, None)
    with torch.inference_mode():
        assert torch.equal(model.network(picture()), enlarged(settings, scale, state))


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        (CompactSettings(width=8, convs=2), 4),
        (CompactSettings(width=8, convs=1), 2),
        (CompactSettings(width=4, convs=3), 3),
        (MSRResNetSettings(blocks=2, width=8), 4),
        (MSRResNetSettings(blocks=1, width=8), 3),
        (MSRResNetSettings(blocks=1, width=4), 2),
        (SRCNNSettings(middle=1), 2),
        (SRCNNSettings(middle=5), 4),
    ],
)
def test_other_networks_are_read(tmp_path: Path, settings: GeneratorSettings, scale: int) -> None:
    state = state_of(settings, scale)
    torch.save({"params": state}, tmp_path / f"net_x{scale}.pth")
    model = load_model(tmp_path / f"net_x{scale}.pth")
    assert (model.settings, model.scale) == (settings, scale)
    with torch.inference_mode():
        assert torch.equal(model.network(picture()), enlarged(settings, scale, state))


def test_averaged_weights_are_preferred(tmp_path: Path) -> None:
    settings = CompactSettings(width=8, convs=2)
    raw, average = state_of(settings, 4, seed=1), state_of(settings, 4, seed=2)
    torch.save({"params": raw, "params_ema": average}, tmp_path / "both.pth")
    model = load_model(tmp_path / "both.pth")
    with torch.inference_mode():
        assert torch.equal(model.network(picture()), enlarged(settings, 4, average))


@pytest.mark.parametrize("zipped", [True, False])
def test_both_generations_of_torch_files_are_read(tmp_path: Path, zipped: bool) -> None:
    settings = CompactSettings(width=8, convs=2)
    state = state_of(settings, 4)
    path = tmp_path / "net.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    assert load_model(path).settings == settings


def test_foreign_safetensors_are_read_and_half_precision_becomes_float32(tmp_path: Path) -> None:
    settings = CompactSettings(width=8, convs=2)
    half = {key: tensor.half() for key, tensor in state_of(settings, 4).items()}
    save_file(half, tmp_path / "net.safetensors", {"format": "pt"})
    network = load_model(tmp_path / "net.safetensors").network
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    with torch.inference_mode():
        expected = enlarged(settings, 4, {key: tensor.float() for key, tensor in half.items()})
        assert torch.equal(network(picture()), expected)


def refusal(path: Path) -> str:
    with pytest.raises(BadWeights) as error:
        load_model(path)
    return str(error.value)


def test_incomplete_file_counts_what_fits(tmp_path: Path) -> None:
    state = state_of(RRDBNetSettings(blocks=1, width=4, growth=2), 4)
    del state["conv_hr.bias"], state["body.0.rdb2.conv3.weight"]
    path = tmp_path / "f.pth"
    torch.save(state, path)
    assert refusal(path) == (
        f"{path} fits 40 of the 42 tensors of its RRDBNet (missing: body.0.rdb2.conv3.weight and "
        "1 more), expected all of them and no more: the file is incomplete or of a variant of "
        "that network, so use another one."
    )


def test_variant_of_a_network_names_what_is_other(tmp_path: Path) -> None:
    state = state_of(RRDBNetSettings(blocks=1, width=4, growth=2), 4)
    state["conv_hr.weight"] = torch.zeros(5, 4, 3, 3)
    state["attention.weight"] = torch.zeros(1)
    path = tmp_path / "f.pth"
    torch.save(state, path)
    text = refusal(path)
    assert "fits 41 of the 42 tensors" in text
    assert "(unknown: attention.weight; of another shape: conv_hr.weight)" in text


class _Harm:
    """Unpickled without care, this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "f.pth"
    content = {"params": {"a": torch.ones(1)}, "extra": _Harm(tmp_path / "harm")}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert refusal(path) == (
        f"{path} is a pickle that holds more than plain tensors, which could run code, so it was "
        "not opened: ask for a .safetensors file, or save only the network's state_dict."
    )
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_cut_off_file_is_one_sentence(tmp_path: Path, zipped: bool, kept: float) -> None:
    path = tmp_path / "f.pth"
    torch.save({"a": torch.ones(4096)}, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert refusal(path) == (
        f"{path} is a damaged or cut-off torch file, expected a whole one: "
        "copy or download it again."
    )


@pytest.mark.parametrize("content", [b"", b"a text, GLOBAL", b"<!DOCTYPE html>"])
def test_text_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.pth"
    path.write_bytes(content)
    assert refusal(path) == (
        f"{path} is no file of weights that can be read, expected a .safetensors file or a .pth "
        "file saved by torch: check the path, or download it again."
    )


def test_torch_file_of_a_list_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "f.pth"
    torch.save([torch.ones(1)], path)
    assert refusal(path) == (
        f"{path} holds a list, expected a dictionary of named tensors: "
        "save the network's state_dict."
    )


def test_saved_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.pth"
    torch.save(torch.nn.Conv2d(1, 1, 1), path)
    assert "holds more than plain tensors" in refusal(path)
