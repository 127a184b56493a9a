"""Rows to be: kernels, networks, finished pictures; what is refused before any work."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from upres.errors import BadPhotos, BadSetting
from upres.evaluation import candidates as candidates_module
from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol
from upres.evaluation.sharing import Hands
from upres.images.resize import enlarge, shrink
from upres.networks.srresnet import SRResNetSettings
from upres.weights.model import Model

FLOAT = get_protocol("sr-y-float")
PIXELS = measures_for(["psnr", "ssim"], FLOAT, {})


def noise(seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (10, 9, 3), np.uint8)
    return enlarge(small, 4)


def save(path: Path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def bicubic(lr):
    return enlarge(lr, 4)


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("a.png", "b.png")):
        save(tmp_path / "set" / name, noise(seed))
    return tmp_path / "set"


def fake_model(name, scale, sha256="ab" * 32):
    class Nearest(nn.Module):
        def forward(self, lr):
            return lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    settings = SRResNetSettings(blocks=1)
    return Model(Nearest().eval(), settings, scale, name, sha256, None)


def test_kernels_take_the_scale_of_the_networks(monkeypatch, folder):
    monkeypatch.setattr(candidates_module, "load_model", lambda name: fake_model(name, 2))
    found, scale = resolve_rows(["nearest", "net"], None)
    assert scale == 2
    pairs = load_pairs(folder, 2, protocol=FLOAT)
    result = compare(found, pairs, FLOAT, scale=2, dataset="set", measures=PIXELS)
    by_kernel, by_network = result.rows
    assert by_kernel.metrics == by_network.metrics  # the network repeats pixels too
    assert (by_kernel.weights_sha256, by_network.weights_sha256) == (None, "ab" * 32)


def test_without_networks_the_scale_is_four():
    assert resolve_rows(["bicubic"], None)[1] == 4
    assert resolve_rows(["bicubic"], 3)[1] == 3


def test_unlike_scales_are_refused(monkeypatch):
    monkeypatch.setattr(
        candidates_module, "load_model", lambda name: fake_model(name, int(name[-1]))
    )
    with pytest.raises(BadSetting, match="net-x2 enlarges x2, but net-x4 x4: models are compared"):
        resolve_rows(["net-x4", "bicubic", "net-x2"], None)
    with pytest.raises(BadSetting, match="net-x4 enlarges x4, but --scale is 2"):
        resolve_rows(["net-x4"], 2)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadSetting, match=r"'bicubik' is no model.*did you mean 'bicubic'"):
        resolve_rows(["bicubik"], None)


def test_finished_pictures_are_judged_by_name(folder, tmp_path):
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    for pair in pairs:
        save(tmp_path / "done" / f"{Path(pair.name).stem}_x4.png", bicubic(pair.lr))
    found, _ = resolve_rows(["bicubic", f"images:{tmp_path / 'done'}"], None)
    seen = []
    result = compare(
        found,
        pairs,
        FLOAT,
        scale=4,
        dataset="set",
        measures=PIXELS,
        seen=lambda *_: seen.append(1),
    )
    assert result.rows[0].metrics == result.rows[1].metrics
    assert len(seen) == 4


@pytest.mark.parametrize("ending", ["_SR", "x4_EDSR-b", "a", "-b"])
def test_what_a_tool_puts_behind_all_names_is_understood(folder, tmp_path, ending):
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    for number, pair in enumerate(pairs):  # not alike, so that none can take another's place
        save(tmp_path / "done" / f"{Path(pair.name).stem}{ending}.png", pair.hr // (number + 1))
    found, _ = resolve_rows([f"images:{tmp_path / 'done'}"], None)
    result = compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)
    assert [s.metrics["ssim_y"] == 1 for s in result.rows[0].per_image] == [True, False]


def test_an_ending_that_not_all_have_is_no_name(folder, tmp_path):
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    for name in ("a_SR", "b_HR"):
        save(tmp_path / "done" / f"{name}.png", noise())
    found, _ = resolve_rows([f"images:{tmp_path / 'done'}"], None)
    with pytest.raises(BadPhotos, match=r"no picture for a\.png; .* one ending, as a_SR\.png"):
        compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)


def test_missing_and_wrong_finished_pictures_are_refused_before_any_work(folder, tmp_path):
    done = tmp_path / "done"
    save(done / "a.png", noise())
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    worked = []

    def run():
        compare(
            resolve_rows(["bicubic", f"images:{done}"], None)[0],
            pairs,
            FLOAT,
            scale=4,
            dataset="s",
            measures=PIXELS,
            seen=lambda *_: worked.append(1),
        )

    with pytest.raises(BadPhotos, match=r"done has no picture for b.png"):
        run()
    save(done / "b.png", noise()[:36])
    with pytest.raises(BadPhotos, match=r"b.png is 36x36, but b.png at scale 4 is judged at 36x40"):
        run()
    assert not worked


def test_a_name_given_twice_is_refused():
    with pytest.raises(BadSetting, match="nearest is given 2 times"):
        resolve_rows(["nearest", "bicubic", "nearest"], None)


def test_a_kernel_that_the_protocol_lacks_is_refused_before_any_work(folder):
    paper_a = get_protocol("paper-a")
    pairs = load_pairs(folder, 4, protocol=paper_a)
    worked = []
    with pytest.raises(BadSetting, match=r"paper-a cannot judge lanczos: .*; ask for bicubic"):
        compare(
            resolve_rows(["bicubic", "lanczos"], None)[0],
            pairs,
            paper_a,
            scale=4,
            dataset="set",
            measures=measures_for(["psnr"], paper_a, {}),
            seen=lambda *_: worked.append(1),
        )
    assert not worked


def test_an_unreadable_finished_picture_is_left_out_for_every_row(folder, tmp_path):
    done = tmp_path / "done"
    save(done / "a.png", noise())
    (done / "b.png").write_bytes(b"\x89PNG cut short")
    found, _ = resolve_rows(["bicubic", f"images:{done}"], None)
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    result = compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)
    assert [[s.image for s in row.per_image] for row in result.rows] == [["a.png"]] * 2
    (failure,) = result.failed
    assert failure.image == "b.png"
    assert str(done / "b.png") in failure.reason


def test_finished_pictures_that_are_all_unreadable_are_refused(folder, tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / "done").mkdir(exist_ok=True)
        (tmp_path / "done" / name).write_bytes(b"\x89PNG cut short")
    found, _ = resolve_rows([f"images:{tmp_path / 'done'}"], None)
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    with pytest.raises(BadPhotos, match=r"none of the pictures can be judged; the first: .*a\.png"):
        compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)


def test_given_lr_are_compared_with_the_protocols(folder):
    given = get_protocol("sr-y+given-lr")
    for seed, name in enumerate(("a.png", "b.png")):
        save(folder / "HR" / name, noise(seed))
        save(folder / "LR_x4" / name, shrink(noise(seed), 4, "pillow"))
    found, _ = resolve_rows(["bicubic"], None)
    pairs = load_pairs(folder, 4, protocol=given)
    result = compare(found, pairs, given, scale=4, dataset="set", measures=PIXELS)
    assert result.given_lr.resizer == "matlab"
    assert result.given_lr.edge.equal < 1  # the two go on beyond the edge in their own ways
    made = compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)
    assert made.given_lr is None


def test_a_process_scores_its_own_pictures_and_returns_all(folder):
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    found, _ = resolve_rows(["bicubic"], None)
    alone = compare(found, pairs, FLOAT, scale=4, dataset="set", measures=PIXELS)

    def collect(mine, count):  # the other process could read its picture, and has its scores
        first = [None] if mine == [None] else alone.rows[0].per_image[:1]
        return [*first, *mine]

    seen = []
    result = compare(
        found,
        pairs,
        FLOAT,
        scale=4,
        dataset="set",
        measures=PIXELS,
        seen=lambda candidate, pair, sr: seen.append(pair.name),
        hands=Hands(lambda numbers: numbers[1::2], collect),
    )
    assert seen == ["b.png"]
    assert result == alone
