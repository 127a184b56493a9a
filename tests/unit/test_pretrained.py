"""A model handed on as a folder: it comes back the same, and its card says what is known."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from upres.errors import BadWeights
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights import model as model_module
from upres.weights.checkpoint import CheckpointHeader, Parent, save_checkpoint
from upres.weights.model import Model, load_model
from upres.weights.pretrained import from_pretrained, save_pretrained
from upres.weights.published_models import published_model

SETTINGS = CompactSettings(width=4, convs=1)
HEADER = CheckpointHeader(
    generator=SETTINGS,
    scale=2,
    recipe={"name": "my-recipe"},
    stage="gan",
    step=1200,
    weights="ema",
    metrics={"psnr_y": 27.5},
    protocol="sr-y-float",
    data_hash="abc",
    upres_version="0.1.0",
    licence="Apache-2.0, as upres",
)


def model_with(header: CheckpointHeader | None, **more: object) -> Model:
    network = build_generator(SETTINGS, 2, seed=7).eval()
    return Model(network, SETTINGS, 2, "mine", "0" * 64, header, **more)


def card(folder: Path) -> tuple[dict[str, object], str]:
    _, fields, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(fields), text


def test_folder_gives_the_model_back(tmp_path):
    model = model_with(HEADER)
    save_pretrained(model, tmp_path / "net")
    found = from_pretrained(tmp_path / "net")
    assert (found.header, found.settings, found.scale) == (HEADER, SETTINGS, 2)
    expected = model.network.state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in found.network.state_dict().items())
    facts = json.loads((tmp_path / "net" / "config.json").read_text())
    assert facts["generator"] == {"kind": "compact", "width": 4, "convs": 1, "skip": "nearest"}
    assert facts["scale"] == 2


def test_card_says_what_the_header_knows(tmp_path):
    save_pretrained(model_with(HEADER), tmp_path / "net")
    fields, text = card(tmp_path / "net")
    assert fields == {
        "library_name": "upres",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", "compact", "x2"],
        "license": "apache-2.0",
    }
    for known in (
        "# net\n",
        "2 times as large: `compact` (width 4, convs 1, skip nearest), 712 parameters",
        "Recipe `my-recipe`, stage gan, 1200 steps, averaged weights, by upres 0.1.0",
        "`abc` (hash of the prepared store)",
        "by protocol `sr-y-float`.\n\n| metric | value |\n|---|---|\n| psnr_y | 27.5000 |",
        "## Licence\n\nApache-2.0, as upres\n",
    ):
        assert known in text


def test_card_of_an_interpolated_network_names_both_parents(tmp_path):
    parents = tuple(
        Parent(name=name, sha256=name * 64, share=share, header=None)
        for name, share in (("a", 0.25), ("b", 0.75))
    )
    header = CheckpointHeader(generator=SETTINGS, scale=2, upres_version="0", parents=parents)
    save_pretrained(model_with(header), tmp_path)
    fields, text = card(tmp_path)
    assert f"* 25% of a, sha256 `{'a' * 64}`\n* 75% of b, sha256 `{'b' * 64}`" in text
    assert "None were recorded." in text
    assert fields["license"] == "unknown"


def test_card_of_a_published_network_has_its_licence(tmp_path):
    save_pretrained(model_with(None, published=published_model("x2plus")), tmp_path)
    fields, text = card(tmp_path)
    assert fields["license"] == "bsd-3-clause"
    assert "By another program; its file does not say how." in text
    assert "## Licence\n\nBSD-3-Clause\n" in text


def test_shipped_model_brings_its_own_card_and_its_photos(tmp_path, monkeypatch):
    zoo = tmp_path / "zoo"
    save_checkpoint(zoo / "own-x2.safetensors", model_with(None).network.state_dict(), HEADER)
    (zoo / "own-x2.md").write_text("# own-x2\n\nBy hand.\n")
    (zoo / "photos.md").write_text("# photos\n")
    monkeypatch.setattr(model_module, "_ZOO", zoo)
    save_pretrained(load_model("own-x2"), tmp_path / "net")
    fields, text = card(tmp_path / "net")
    assert fields["license"] == "apache-2.0"
    assert text == "\n# own-x2\n\nBy hand.\n"
    assert (tmp_path / "net" / "photos.md").read_text() == "# photos\n"


def test_weights_are_plain_safetensors_for_other_programs(tmp_path):
    model = model_with(HEADER)
    save_pretrained(model, tmp_path)
    assert load_file(tmp_path / "model.safetensors").keys() == model.network.state_dict().keys()


def test_network_of_spandrel_is_not_saved(tmp_path):
    borrowed = Model(torch.nn.Identity(), "DAT", 4, "dat.pth", "0" * 64, None)
    with pytest.raises(BadWeights, match=r"dat\.pth is a DAT network, which is read by spandrel"):
        save_pretrained(borrowed, tmp_path / "net")
    assert not (tmp_path / "net").exists()
