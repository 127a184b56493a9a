"""Models on the hub: by name, from the cache, refused in one sentence; and put there."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import Hub, hub_of

from upres.errors import BadSetting, BadWeights, MissingExtra, MissingWeights, UpresError
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights import hub as hub_module
from upres.weights.checkpoint import CheckpointHeader, checkpoint_content
from upres.weights.hub import fetch_from_hub, parse_hub_name
from upres.weights.model import Model, load_model
from upres.weights.pretrained import push_to_hub

SETTINGS = CompactSettings(width=4, convs=1)
HEADER = CheckpointHeader(
    generator=SETTINGS, scale=2, upres_version="0.1.0", licence="Apache-2.0, as upres"
)


def checkpoint(seed: int = 0) -> bytes:
    return checkpoint_content(build_generator(SETTINGS, 2, seed=seed).state_dict(), HEADER)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model, and a client that knows no other and has an empty cache."""
    pytest.importorskip("huggingface_hub", reason="the package huggingface-hub is not installed")
    constants = importlib.import_module("huggingface_hub.constants")
    with hub_of({"me/net": {"README.md": b"", "model.safetensors": checkpoint()}}) as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.address)
        template = served.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        api = importlib.import_module("huggingface_hub.hf_api")
        monkeypatch.setattr(api.api, "endpoint", served.address)
        yield served


def refusal(kind: type[UpresError], name: str) -> str:
    with pytest.raises(kind) as error:
        fetch_from_hub(name)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hf:me/net", ("me/net", None, None)),
        ("hf:me/net-4.x@v1.0", ("me/net-4.x", "v1.0", None)),
        ("hf:me/net/deep/a.pth", ("me/net", None, "deep/a.pth")),
        ("hf:me/net@main/a.pth", ("me/net", "main", "a.pth")),
    ],
)
def test_names_have_parts(name, parts):
    assert parse_hub_name(name) == parts


@pytest.mark.parametrize("name", ["hf:net", "hf:me/", "hf:", "hf:me/net@"])
def test_other_names_are_refused(name):
    with pytest.raises(BadSetting, match="expected hf:owner/name"):
        parse_hub_name(name)


def test_model_is_loaded_by_its_name_there(hub):
    model = load_model("hf:me/net")
    assert (model.header, model.name) == (HEADER, "hf:me/net")
    expected = build_generator(SETTINGS, 2, seed=0).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in model.network.state_dict().items())


def test_what_was_fetched_once_needs_no_connection(hub, tmp_path, monkeypatch):
    first = fetch_from_hub("hf:me/net")
    constants = importlib.import_module("huggingface_hub.constants")
    gone = "http://127.0.0.1:1"
    monkeypatch.setattr(constants, "ENDPOINT", gone)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", gone + "/{repo_id}/resolve/{revision}/{filename}"
    )
    assert fetch_from_hub("hf:me/net/model.safetensors") == first
    assert fetch_from_hub("hf:me/net") == first
    assert "cannot be had" in refusal(MissingWeights, "hf:me/other")


def test_the_only_file_of_weights_is_taken(hub, monkeypatch):
    hub.repositories["me/net"] = {"a.txt": b"", "weights/best.pth": b"x"}
    assert fetch_from_hub("hf:me/net").read_bytes() == b"x"
    hub.status = 503  # then from the cache
    assert fetch_from_hub("hf:me/net").read_bytes() == b"x"


def test_revision_is_asked_for(hub):
    hub.repositories["me/net"] = {"best.pth": b"x"}
    fetch_from_hub("hf:me/net@v1")
    asked = [path for path in hub.asked if "/me/net" in path]
    assert len(asked) >= 3
    assert all("/v1" in path for path in asked), asked


def test_models_own_name_goes_before_other_files_in_the_cache_too(hub):
    hub.repositories["me/net"]["ema.safetensors"] = b"e"
    fetch_from_hub("hf:me/net/ema.safetensors")
    expected = fetch_from_hub("hf:me/net")
    hub.status = 503
    assert fetch_from_hub("hf:me/net") == expected
    assert expected.name == "model.safetensors"


def test_one_of_several_must_be_named(hub):
    hub.repositories["me/net"] = {"b.pth": b"b", "a.pth": b"a"}
    assert refusal(BadSetting, "hf:me/net") == (
        "hf:me/net holds 2 files of weights (a.pth, b.pth), expected one: name it, as in "
        "hf:me/net/a.pth."
    )
    assert fetch_from_hub("hf:me/net/b.pth").read_bytes() == b"b"


def test_repository_without_weights_is_refused(hub):
    hub.repositories["me/net"] = {"README.md": b""}
    assert refusal(BadWeights, "hf:me/net").startswith("hf:me/net holds no file of weights")


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (404, "RepoNotFound", "the hub has no such repository, or it is private): check the name"),
        (404, "RevisionNotFound", "it has no such revision): check what follows the @"),
        (403, "GatedRepo", "its owners ask for consent): give it there"),
        (418, "", "the hub answers 418): log in, or try again later"),
    ],
)
def test_refusals_of_the_hub_are_one_sentence(hub, status, error, reason):
    hub.status, hub.error = status, error
    assert refusal(MissingWeights, "hf:me/net").startswith(
        f"The hub's me/net cannot be had ({reason}"
    )


def test_file_that_is_not_there_is_one_sentence(hub):
    assert refusal(MissingWeights, "hf:me/net/c.pth") == (
        "The hub's me/net/c.pth cannot be had (it has no such file): check the file's name."
    )


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"needs the package huggingface-hub.*upres\[hub\]"):
        hub_module.fetch_from_hub("hf:me/net")


def test_pushed_model_comes_back_with_its_card(hub):
    network = build_generator(SETTINGS, 2, seed=7).eval()
    model = Model(network, SETTINGS, 2, "mine", "0" * 64, HEADER)
    assert push_to_hub(model, "me/another", token="hf_none") == f"{hub.address}/me/another"
    files = hub.repositories["me/another"]
    assert sorted(files) == ["README.md", "config.json", "model.safetensors"]
    assert files["README.md"].startswith(b"---\nlibrary_name: upres\n")
    assert b"\n# another\n" in files["README.md"]
    found = load_model("hf:me/another").network.state_dict()
    assert all(torch.equal(v, found[k]) for k, v in network.state_dict().items())


def test_push_that_is_refused_is_one_sentence(hub):
    hub.status = 401
    model = Model(build_generator(SETTINGS, 2, seed=7), SETTINGS, 2, "mine", "0" * 64, HEADER)
    with pytest.raises(MissingWeights, match="The hub's me/another cannot be had"):
        push_to_hub(model, "me/another", token="hf_none")
