"""Weights that we write open in spandrel, and what only spandrel knows enlarges here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from spandrel_here import spandrel_or_skip
from torch import Tensor

from upres.errors import BadSetting, BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.model import load_model

RRDBNET = RRDBNetSettings(blocks=2, width=8)  # spandrel knows ESRGAN's growth of 32 only


@pytest.fixture(scope="module")
def spandrel() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        yield spandrel_or_skip(patch)


def picture(height: int = 16, width: int = 20) -> Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        *((CompactSettings(width=8, convs=2), scale) for scale in (1, 2, 3, 4)),
        *((RRDBNET, scale) for scale in (1, 2, 4, 8)),
    ],
)
def test_checkpoints_of_ours_open_there(
    spandrel: Any, tmp_path: Path, settings: GeneratorSettings, scale: int, half: bool
) -> None:
    network = build_generator(settings, scale, seed=3).eval()
    header = CheckpointHeader(generator=settings, scale=scale, upres_version="0.1.0")
    tensors = {key: t.half() if half else t for key, t in network.state_dict().items()}
    path = tmp_path / "ours.safetensors"
    save_checkpoint(path, tensors, header)
    theirs = spandrel.ModelLoader().load_from_file(path)
    assert (theirs.scale, theirs.input_channels) == (scale, 3)
    with torch.inference_mode():
        expected = load_model(path).network(picture())
        found = theirs.model(picture())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)  # sums in another order


def span_file(spandrel: Any, path: Path) -> Any:
    """A small SPAN, an architecture that is not ours, with random weights."""
    torch.manual_seed(0)
    network = spandrel.architectures.SPAN.SPAN(
        num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2
    )
    save_file({key: t.contiguous() for key, t in network.state_dict().items()}, path)
    return spandrel.ModelLoader().load_from_file(path)


def test_networks_that_only_spandrel_knows_enlarge_here(spandrel: Any, tmp_path: Path) -> None:
    theirs = span_file(spandrel, tmp_path / "span.safetensors")
    model = load_model(tmp_path / "span.safetensors")
    assert (model.architecture, model.scale, model.borrowed) == ("SPAN", 2, True)
    both = torch.cat([picture(), picture().flip(3)])
    with torch.inference_mode():
        found = model.network(both)
    torch.testing.assert_close(found[:1], theirs(picture()), atol=1e-6, rtol=0)
    torch.testing.assert_close(found[1:], theirs(picture().flip(3)), atol=1e-6, rtol=0)
    pixels = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
    assert Upscaler.of(model)(pixels).shape == (26, 34, 3)
    with pytest.raises(BadSetting, match=r"a SPAN network, which computes in float32 alone"):
        Upscaler.of(model, UpscaleSettings(precision="bf16"))


def test_what_only_spandrel_knows_is_neither_trained_nor_mixed_here(
    spandrel: Any, tmp_path: Path
) -> None:
    span_file(spandrel, tmp_path / "span.safetensors")
    model = load_model(tmp_path / "span.safetensors")
    with pytest.raises(BadWeights) as error:
        _ = model.settings
    assert str(error.value) == (
        f"{tmp_path / 'span.safetensors'} is a SPAN network, which is read by spandrel and can "
        "only enlarge and be judged, expected a network of this program (`upres describe RECIPE` "
        "shows each): take another model."
    )


def refusal(tensors: dict[str, Tensor], path: Path) -> str:
    save_file(tensors, path)
    with pytest.raises(BadWeights) as error:
        load_model(path)
    return str(error.value)


def test_what_neither_knows_is_one_sentence(spandrel: Any, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    assert refusal({"a.weight": torch.zeros(2)}, path) == (
        f"{path} holds 1 tensors of an unknown network (the first is 'a.weight'), expected one of "
        "RRDBNet (ESRGAN, Real-ESRGAN), SRVGG, MSRResNet and SRCNN: convert it, or train that "
        "network here."
    )


def test_damaged_file_of_a_network_that_it_knows_is_one_sentence(
    spandrel: Any, tmp_path: Path
) -> None:
    path = tmp_path / "span.safetensors"
    tensors = span_file(spandrel, path).model.state_dict()
    del tensors["block_3.c1_r.sk.bias"]
    assert "looks like a network that spandrel reads, but does not fit it (" in refusal(
        {key: t.contiguous() for key, t in tensors.items()}, path
    )


def test_without_spandrel_its_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    text = refusal({"a.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    assert text.endswith("; `pip install 'upres[foreign]'` brings readers of many more networks.")
    assert "unknown network (the first is 'a.weight')" in text
