"""Pictures of a store: planned, enlarged one by one, noted, gone on with."""

import json
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from upres.batch.jobs import NAMED_X4, Naming, Shard
from upres.batch.places import Place, place_of
from upres.batch.stores import Chosen, Notes, enlarge_in_store, planned
from upres.errors import BadPicture, BadSetting, NoSpace
from upres.images.files import Picture, read_picture, write_picture
from upres.upscaling.upscaler import Upscaler

fsspec = pytest.importorskip("fsspec", reason="stores are reached through fsspec")

PIXELS = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return nn.functional.interpolate(lr, scale_factor=4, mode="nearest")


@pytest.fixture
def upscaler() -> Upscaler:
    return Upscaler(Nearest(), 4, 1, precision="float32")


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty folder; its `in` gets two pictures, one of them damaged."""
    address = "memory:///upres" if request.param == "memory" else f"file://{tmp_path}"
    place = place_of(address)
    if place.store.exists(place.path):
        place.store.rm(place.path, recursive=True)
    write_picture(tmp_path / "made.png", Picture(pixels=PIXELS))
    data = (tmp_path / "made.png").read_bytes()
    for folder in ("in/a", "out/a"):
        place.store.makedirs(place.below(folder).path, exist_ok=True)
    place.store.pipe_file(place.below("in/a/ä.png").path, data)
    place.store.pipe_file(place.below("in/b.png").path, data[:60])
    place.store.pipe_file(place.below("in/notes.txt").path, b"no picture")
    return address


def run(
    store: str, upscaler: Upscaler, chosen: Chosen | None = None, naming: Naming = NAMED_X4
) -> list[dict[str, object]]:
    """Do all jobs as one worker would, and note them."""
    target = place_of(f"{store}/out")
    plan = planned(f"{store}/in", f"{store}/out", naming=naming, recursive=True)
    notes = Notes(target)
    notes.add({"state": "run", "strangers": plan.strangers})
    done = [enlarge_in_store(job, upscaler, chosen or Chosen({"model": "n"})) for job in plan.jobs]
    for note in done:
        notes.add(note)
    notes.flush()
    return done


def files(place: Place) -> set[str]:
    found = place.store.find(place.path) if place.store.exists(place.path) else []
    return {name.split("/out/")[1] for name in found if "upres-manifest" not in name}


def test_pictures_of_a_store_are_enlarged_and_damaged_ones_told(
    store: str, upscaler: Upscaler, tmp_path: Path
) -> None:
    good, bad = run(store, upscaler)
    assert (good["state"], bad["state"]) == ("done", "failed")
    assert str(bad["error"]).startswith(f"{store}/in/b.png is damaged or cut short")
    out = place_of(f"{store}/out")
    assert files(out) == {"a/ä_x4.png"}
    out.store.get_file(out.below("a/ä_x4.png").path, str(tmp_path / "back.png"))
    back = read_picture(tmp_path / "back.png").pixels
    assert np.array_equal(back, PIXELS.repeat(4, 0).repeat(4, 1))


def test_a_second_run_does_only_what_is_not_done(store: str, upscaler: Upscaler) -> None:
    run(store, upscaler)
    assert [note["state"] for note in run(store, upscaler)] == ["skipped", "failed"]
    out = place_of(f"{store}/out")
    out.store.rm_file(out.below("a/ä_x4.png").path)
    assert run(store, upscaler)[0]["state"] == "done"


def test_what_stood_there_before_is_not_replaced(store: str, upscaler: Upscaler) -> None:
    out = place_of(f"{store}/out")
    out.store.pipe_file(out.below("a/ä_x4.png").path, b"mine")
    for _ in range(2):
        assert "exists; pass --overwrite" in str(run(store, upscaler)[0]["error"])
    assert out.store.cat_file(out.below("a/ä_x4.png").path) == b"mine"
    assert run(store, upscaler, Chosen({"model": "n"}, overwrite=True))[0]["state"] == "done"
    assert run(store, upscaler)[0]["state"] == "skipped"


def test_the_first_run_knows_files_that_only_a_later_one_would_replace(
    store: str, upscaler: Upscaler
) -> None:
    out = place_of(f"{store}/out")
    out.store.pipe_file(out.below("a/ä_big.png").path, b"mine")
    assert run(store, upscaler)[0]["state"] == "done"
    assert "exists; pass" in str(run(store, upscaler, naming=Naming("_big"))[0]["error"])
    assert out.store.cat_file(out.below("a/ä_big.png").path) == b"mine"


def test_other_options_do_not_replace_a_result(store: str, upscaler: Upscaler) -> None:
    run(store, upscaler)
    other = Chosen({"model": "another"})
    assert "with other options" in str(run(store, upscaler, other)[0]["error"])


def test_a_result_that_was_not_noted_is_made_again(store: str, upscaler: Upscaler) -> None:
    run(store, upscaler)
    out = place_of(f"{store}/out")
    for path in out.store.find(out.below("upres-manifest").path):
        lines = out.store.cat_file(path).splitlines()
        kept = [line for line in lines if json.loads(line)["state"] == "run"]
        out.store.pipe_file(path, b"\n".join(kept))
    assert run(store, upscaler)[0]["state"] == "done"


def test_a_picture_that_vanished_is_told(store: str, upscaler: Upscaler) -> None:
    job = planned(f"{store}/in", f"{store}/out").jobs[0]
    read = place_of(job["source"])
    read.store.rm_file(read.path)
    note = enlarge_in_store(job, upscaler, Chosen({}))
    assert note["state"] == "failed"
    assert str(note["error"]).startswith(f"{job['source']}: FileNotFoundError")


def test_shards_share_all_pictures_out(store: str) -> None:
    read, write = f"{store}/in", f"{store}/out"
    parts = [planned(read, write, recursive=True, shard=Shard(n, 2)).jobs for n in (1, 2)]
    names = sorted(job["name"] for part in parts for job in part)
    assert names == ["a/ä_x4.png", "b_x4.png"]


def test_of_two_pictures_for_one_result_the_first_has_it(store: str, upscaler: Upscaler) -> None:
    read = place_of(f"{store}/in")
    read.store.cp_file(read.below("a/ä.png").path, read.below("a/ä.jpg").path)
    as_png = Naming(ending=".png")
    jobs = planned(f"{store}/in", f"{store}/out", naming=as_png, recursive=True).jobs
    assert [job["taken"] for job in jobs] == ["", "a/ä.jpg", ""]
    parts = [
        planned(
            f"{store}/in", f"{store}/out", naming=as_png, recursive=True, shard=Shard(n, 2)
        ).jobs
        for n in (1, 2)
    ]
    assert sorted(job["taken"] for part in parts for job in part) == ["", "", "a/ä.jpg"]
    told = enlarge_in_store(jobs[1], upscaler, Chosen({}))["error"]
    assert str(told).endswith(f"a/ä.jpg would both be written to {store}/out/a/ä_x4.png.")
    assert files(place_of(f"{store}/out")) == set()


def test_results_of_earlier_runs_are_no_pictures(store: str) -> None:
    read = place_of(f"{store}/in")
    for result in ("a/ä_x2.png", "a/ä_big.png", ".hidden/c.png"):
        read.store.makedirs(read.below(result).path.rpartition("/")[0], exist_ok=True)
        read.store.cp_file(read.below("a/ä.png").path, read.below(result).path)
    jobs = planned(f"{store}/in", f"{store}/out", naming=Naming("_big"), recursive=True).jobs
    assert [job["name"] for job in jobs] == ["a/ä_big.png", "b_big.png"]


def test_a_store_that_does_not_answer_is_told(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("no such key\nand a page of XML")

    out = place_of(f"{store}/out")
    monkeypatch.setattr(type(out.store), "find", refused)
    with pytest.raises(BadSetting, match=r"in cannot be read \(PermissionError: no such key\): "):
        planned(f"{store}/in", f"{store}/out")
    monkeypatch.setattr(type(out.store), "put_file", refused)
    notes = Notes(out)
    notes.add({"state": "run", "strangers": []})
    with pytest.raises(NoSpace, match=r"jsonl could not be written \(PermissionError: no such "):
        notes.flush()


def test_folders_in_each_other_and_empty_ones_are_refused(store: str) -> None:
    with pytest.raises(BadSetting, match="lie in each other"):
        planned(f"{store}/in", f"{store}/in/out")
    with pytest.raises(BadPicture, match="holds no pictures"):
        planned(f"{store}/nothing", f"{store}/out")
