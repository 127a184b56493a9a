"""Published networks by name: in every spelling, downloaded once, checked each time."""

import dataclasses
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from file_server import FileServer, serving

from upres.cli.describe import described
from upres.errors import BadWeights, MissingWeights
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights import published, published_models
from upres.weights.model import load_model
from upres.weights.published_models import PUBLISHED_MODELS, published_model

SETTINGS = CompactSettings(width=4, convs=1)
FILE = "realesr-general-x4v3.pth"


def pth(seed: int = 3) -> bytes:
    content = io.BytesIO()
    torch.save({"params": build_generator(SETTINGS, 4, seed=seed).state_dict()}, content)
    return content.getvalue()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)
    return tmp_path / "cache" / "upres"


@pytest.fixture
def server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serves a small network as realesr-general-x4v3."""
    with serving(pth(), FILE) as served:
        real = published_model("realesr-general-x4v3")
        assert real is not None
        sha256 = hashlib.sha256(served.content).hexdigest()
        file = dataclasses.replace(
            real.file, address=served.address, sha256=sha256, bytes=len(served.content)
        )
        fake = dataclasses.replace(real, file=file)
        monkeypatch.setattr(published_models, "PUBLISHED_MODELS", (fake,))
        yield served


def test_every_spelling_is_of_one_model_only():
    names = [name.lower() for model in PUBLISHED_MODELS for name in (model.name, *model.also)]
    assert len(names) == len(set(names))
    assert not set(names) & set(published.PUBLISHED)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("RealESRGAN_x4plus", "RealESRGAN_x4plus"),
        ("realesrgan-x4plus", "RealESRGAN_x4plus"),  # the ncnn program's
        ("realesrgan-x4plus-anime", "RealESRGAN_x4plus_anime_6B"),
        ("x2plus", "RealESRGAN_x2plus"),
        ("anime_6b", "RealESRGAN_x4plus_anime_6B"),
        ("general-x4v3", "realesr-general-x4v3"),
        ("animevideov3", "realesr-animevideov3"),
        ("esrgan", "ESRGAN"),
    ],
)
def test_habits_of_other_programs_are_known(spelling, name):
    found = published_model(spelling)
    assert found is not None
    assert found.name == name


def test_other_names_are_not():
    assert published_model("realesrgan-x8plus") is None


def test_file_has_the_name_that_it_is_published_by():
    names = {model.file.file_name for model in PUBLISHED_MODELS}
    assert {FILE, "ESRGAN_SRx4_DF2KOST_official-ff704c30.pth"} <= names


def test_model_is_downloaded_when_it_is_first_used(server, cache):
    told: list[tuple[int, int]] = []
    first = load_model("general-x4v3", progress=lambda done, total: told.append((done, total)))
    assert (first.settings, first.scale, first.name) == (SETTINGS, 4, "general-x4v3")
    assert first.published is not None
    assert first.published.gan
    assert told[-1] == (len(server.content), len(server.content))
    load_model("realesr-general-x4v3")
    assert server.asked_ranges == [None]
    assert [path.name for path in cache.iterdir()] == [FILE]


def test_lost_connection_is_continued_the_next_time(server, cache):
    server.cut_after = [500, 0]
    with pytest.raises(MissingWeights) as error:
        load_model("realesr-general-x4v3")
    assert str(error.value) == (
        "The pretrained weights realesr-general-x4v3 could not be downloaded (the connection "
        f"ended early, after 500 of {len(server.content)} bytes of {server.address}): check the "
        "connection and run `upres weights get realesr-general-x4v3` again, which continues where "
        f"it stopped, or give the path of a copy of {FILE} as the model."
    )
    assert load_model("realesr-general-x4v3").scale == 4
    assert server.asked_ranges == [None, "bytes=500-", "bytes=500-"]


def test_cut_off_file_in_the_cache_is_refused_with_the_way_out(server, cache):
    load_model("realesr-general-x4v3")
    (cache / FILE).write_bytes(server.content[:-100])
    with pytest.raises(BadWeights) as error:
        load_model("realesr-general-x4v3")
    assert str(error.value).startswith(f"{cache / FILE} has sha256 ")
    assert str(error.value).endswith("delete it and run `upres weights get realesr-general-x4v3`.")


def test_folder_of_the_users_goes_first_under_the_whole_name_only(tmp_path, cache, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("UPRES_WEIGHTS", str(tmp_path / "mine"))
    other = tmp_path / "mine" / "RealESRGAN_x4plus_anime_6B.safetensors"
    other.write_bytes(b"")
    assert published.find("RealESRGAN_x4plus") is None
    found = published.find("anime_6B")
    assert found is not None
    assert (found.path, found.sha256) == (other, None)


@pytest.mark.parametrize("right", [True, False])
def test_first_digits_of_a_checksum_and_a_length_from_the_server_do(
    server, cache, monkeypatch, right
):
    model = published_models.PUBLISHED_MODELS[0]
    digits = hashlib.sha256(server.content if right else b"").hexdigest()[:8]
    file = dataclasses.replace(model.file, sha256=digits, bytes=None)
    fake = dataclasses.replace(model, file=file)
    monkeypatch.setattr(published_models, "PUBLISHED_MODELS", (fake,))
    if right:
        assert load_model(model.name).scale == 4
    else:
        with pytest.raises(BadWeights, match=f"expected {digits}, so it was not kept"):
            load_model(model.name)


def test_server_that_is_not_there_is_said_without_a_length_too(server, monkeypatch):
    model = published_models.PUBLISHED_MODELS[0]
    file = dataclasses.replace(model.file, address="http://127.0.0.1:1/a.pth", bytes=None)
    fake = dataclasses.replace(model, file=file)
    monkeypatch.setattr(published_models, "PUBLISHED_MODELS", (fake,))
    with pytest.raises(MissingWeights, match=r"Connection refused, asking for http://127"):
        load_model(model.name)


def test_description_downloads_too(server):
    name = published_models.PUBLISHED_MODELS[0].name
    (facts,) = described(name)
    assert (facts["network"], facts["scale"]) == ("compact", 4)
