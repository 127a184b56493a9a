"""A network for another scale draws the old one's picture, shrunk by area."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from upres.errors import BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.srcnn import SRCNNSettings
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.model import load_model
from upres.weights.other_scale import at_scale

SMALL = CompactSettings(width=6, convs=2)


def saved(path: Path, scale: int, settings: GeneratorSettings = SMALL) -> str:
    network = build_generator(settings, scale, seed=3)
    with torch.no_grad():
        for value in network.parameters():  # far from its start, biases too
            value += torch.randn(value.shape, generator=torch.Generator().manual_seed(1)) * 0.1
    header = CheckpointHeader(generator=settings, scale=scale, upres_version="0")
    save_checkpoint(path, network.state_dict(), header)
    return str(path)


@pytest.mark.parametrize(("old", "new"), [(4, 2), (4, 3), (2, 4), (3, 2), (4, 1)])
def test_the_new_picture_is_the_old_one_shrunk_by_area(tmp_path: Path, old: int, new: int) -> None:
    source = saved(tmp_path / "old.safetensors", old)
    at_scale(source, new, tmp_path / "new.safetensors")
    lr = torch.rand(1, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = (
            load_model(tmp_path / f"{age}.safetensors").network(lr) for age in ("old", "new")
        )
    finer = before.repeat_interleave(new, dim=2).repeat_interleave(new, dim=3)
    torch.testing.assert_close(after, F.avg_pool2d(finer, old), rtol=0, atol=1e-5)


def test_the_file_says_what_it_was_made_of(tmp_path: Path) -> None:
    source = saved(tmp_path / "old.safetensors", 4)
    at_scale(source, 2, tmp_path / "new.safetensors")
    header = load_model(tmp_path / "new.safetensors").header
    assert header is not None
    assert header.scale == 2
    (parent,) = header.parents
    assert (parent.name, parent.share) == (source, 1)
    assert parent.sha256 == load_model(source).sha256


def test_other_networks_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "srcnn.safetensors", 4, SRCNNSettings())
    with pytest.raises(BadWeights, match="srcnn network, expected a compact one"):
        at_scale(source, 2, tmp_path / "new.safetensors")
    assert not (tmp_path / "new.safetensors").exists()
