"""A folder enlarged by a network, and the identity of what enlarged it."""

import json
import os

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn

import upres
from upres.batch.events import Finished, Progressed
from upres.batch.folder import FolderSettings, crowd_for, upscale_folder
from upres.batch.identity import made_by, network_digest
from upres.batch.jobs import Job, Naming, Shard
from upres.errors import BadPicture
from upres.images.saving import SaveSettings
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.upscaling.finishing import finishes_for
from upres.upscaling.sizes import SizeWish
from upres.upscaling.upscaler import Upscaler


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)


def nearest(**options):
    return Upscaler(Nearest(), 2, 0, precision="float32", **options)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for name in ("a.png", "été/b.jpg", "été/c.webp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / name)
    return folder


def test_a_folder_is_enlarged_once(photos, tmp_path):
    events = []
    settings = FolderSettings(recursive=True)
    summary = upscale_folder(photos, tmp_path / "out", nearest(), settings, on_event=events.append)
    assert (summary.done, summary.tiles, summary.failures) == (3, 3, ())
    for name in ("a_x2.png", "été/b_x2.jpg", "été/c_x2.webp"):
        with Image.open(tmp_path / "out" / name) as image:
            assert image.size == (14, 10)
    assert sum(isinstance(event, Progressed) for event in events) == 3
    assert events[-1] == Finished(summary)
    again = upscale_folder(photos, tmp_path / "out", nearest(), settings)
    assert (again.done, again.skipped) == (0, 3)


def test_paths_may_be_texts_and_names_tell_the_size(photos, tmp_path):
    out = tmp_path / "out"
    assert upscale_folder(str(photos), str(out), nearest(), wish=SizeWish(width=9)).done == 1
    upres.upscale_file(str(photos / "a.png"), str(out / "b.png"), nearest())
    assert sorted(path.name for path in out.glob("*.png")) == ["a_w9.png", "b.png"]
    with pytest.raises(BadPicture, match="none is no folder; give a folder of pictures"):
        upscale_folder(tmp_path / "none", out, nearest())


def test_size_and_form_are_as_asked(photos, tmp_path):
    summary = upscale_folder(
        photos,
        tmp_path / "out",
        nearest(),
        FolderSettings(naming=Naming("_big", ".jpg"), shard=Shard(1, 1)),
        wish=SizeWish(width=21),
        save=SaveSettings(quality=80),
    )
    assert summary.done == 1
    with Image.open(tmp_path / "out" / "a_big.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (21, 15))
    assert (tmp_path / "out" / "upres-manifest.1-of-1.jsonl").exists()


def test_the_package_offers_folders_and_files():
    assert upres.upscale_folder is upscale_folder
    assert upres.upscale_file.__name__ == "upscale_file"


def test_whatever_changes_a_result_changes_its_identity():
    wish, save = SizeWish(), SaveSettings()
    plain = made_by(nearest(), wish, save)
    assert json.loads(json.dumps(plain)) == plain
    assert made_by(nearest(), wish, save) == plain
    others = [
        made_by(nearest(tile=64), wish, save),
        made_by(nearest(exact=True), wish, save),
        made_by(nearest(finishes=finishes_for()), wish, save),
        made_by(nearest(finishes=finishes_for(strength=0.5)), wish, save),
        made_by(nearest(finishes=finishes_for(strength=0.6)), wish, save),
        made_by(Upscaler(Nearest(), 2, 0, precision="bf16"), wish, save),
        made_by(nearest(), SizeWish(scale=1.5), save),
        made_by(nearest(), wish, SaveSettings(bits=16)),
    ]
    keys = {json.dumps(other) for other in [plain, *others]}
    assert len(keys) == len(others) + 1


def test_the_mask_belongs_to_the_identity(photos):
    one = made_by(nearest(), SizeWish(), SaveSettings(), photos / "a.png")
    other = made_by(nearest(), SizeWish(), SaveSettings(), photos / "été" / "b.jpg")
    assert one["mask"] != other["mask"]
    assert len(one["mask"]) == 64


def test_a_network_is_known_by_its_layers_and_weights():
    settings = CompactSettings(width=4, convs=1)
    one, same, other = (build_generator(settings, 2, seed=seed) for seed in (0, 0, 1))
    assert network_digest(one) == network_digest(same)
    assert network_digest(one) != network_digest(other)
    assert network_digest(one) != network_digest(one.half())
    # the same weights between other layers
    assert network_digest(nn.Sequential(nn.ReLU())) != network_digest(nn.Sequential(nn.Sigmoid()))


def test_pictures_are_weighed_by_the_memory_that_they_take(photos, tmp_path):
    large = tmp_path / "large.png"
    Image.new("RGB", (3000, 2000)).save(large)
    crowd = crowd_for(nearest(memory=4 * 10**9), SizeWish(), SaveSettings())
    small, big = (
        crowd.weigh(Job(source, tmp_path / "b.png")) for source in (photos / "a.png", large)
    )
    assert 0 < small < big < crowd.room < 4 * 10**9
    # twice as wide, its rows take twice as much
    twice = crowd_for(nearest(memory=4 * 10**9), SizeWish(scale=4), SaveSettings())
    assert twice.weigh(Job(large, tmp_path / "b.png")) > 1.5 * big
    assert crowd_for(nearest(memory=1), SizeWish(), SaveSettings()).room == 0


def test_any_name_that_a_disk_takes_is_kept(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    names = ["né à 東京 \n[x].png", "100%.png", os.fsdecode(b"caf\xe9.png"), "-o.png"]
    for name in names:
        try:
            Image.new("RGB", (3, 2), (7, 7, 7)).save(folder / "now.png")
            (folder / "now.png").rename(folder / name)
        except OSError:
            pytest.skip("this file system takes Unicode names only")
    summary = upscale_folder(folder, tmp_path / "out", nearest())
    assert (summary.done, summary.failures) == (4, ())
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == sorted(
        name.replace(".png", "_x2.png") for name in names
    )
    assert upscale_folder(folder, tmp_path / "out", nearest()).skipped == 4
