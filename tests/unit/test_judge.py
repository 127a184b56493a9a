"""Scores, means and folders of pairs."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upres.errors import BadPhotos
from upres.evaluation.judge import (
    Evaluation,
    ImageScores,
    JudgedPair,
    evaluation,
    judge,
    mean_metrics,
    row,
    score,
)
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import dataset_name, load_pairs
from upres.evaluation.protocols import get_protocol, make_lr
from upres.images.resize import enlarge
from upres.networks.lpips import LPIPS

FLOAT, ROUNDED = get_protocol("sr-y-float"), get_protocol("sr-y")


def scored(sr, pair, protocol, *, scale, lpips=None):
    """The scores of one picture."""
    networks = {} if lpips is None else {"lpips_alex": lpips}
    measures = measures_for(["psnr", "ssim", *networks], protocol, networks)
    (scores,) = score([(pair, sr)], protocol, scale=scale, measures=measures)
    return scores


PIXELS = measures_for(["psnr", "ssim"], FLOAT, {})


def noise(height=40, width=36, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return enlarge(small, 4)


def pair_of(hr, name="a.png", grey=False):
    return JudgedPair(name, make_lr(hr, FLOAT, 4), hr, grey)


def save(path: Path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def bicubic(lr):
    return enlarge(lr, 4)


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("a.png", "b.png")):
        save(tmp_path / "set" / name, noise(seed=seed))
    return tmp_path / "set"


def test_a_constant_error_of_luma_has_its_psnr():
    # 7 levels in each channel are 7 * 219 / 255 = 6.0118 levels of luma, 6 when rounded
    hr = np.full((40, 40, 3), 100, np.uint8)
    float_score = scored(hr + 7, pair_of(hr), FLOAT, scale=4).metrics["psnr_y"]
    rounded_score = scored(hr + 7, pair_of(hr), ROUNDED, scale=4).metrics["psnr_y"]
    assert float_score == pytest.approx(20 * math.log10(255 / (7 * 219 / 255)), abs=1e-9)
    assert rounded_score == pytest.approx(20 * math.log10(255 / 6), abs=1e-9)


def test_a_grey_picture_is_compared_by_its_own_values():
    hr = np.full((40, 40, 3), 100, np.uint8)
    scores = scored(hr + 2, pair_of(hr, grey=True), FLOAT, scale=4)
    assert scores.metrics["psnr_y"] == pytest.approx(42.1102036954, abs=1e-9)


def test_rgb_protocols_compare_the_three_channels():
    rgb = FLOAT.model_copy(update={"space": "rgb"})
    hr = np.full((40, 40, 3), 100, np.uint8)
    scores = scored(hr + np.array([3, 0, 0], np.uint8), pair_of(hr), rgb, scale=4)
    assert scores.metrics["psnr_rgb"] == pytest.approx(10 * math.log10(255**2 / 3))
    assert set(scores.metrics) == {"psnr_rgb", "ssim_rgb"}


def test_the_border_is_the_scale():
    hr = noise()
    spoilt = hr.copy()
    spoilt[:4] = spoilt[-4:] = 0
    spoilt[:, :4] = spoilt[:, -4:] = 0
    assert scored(spoilt, pair_of(hr), FLOAT, scale=4).metrics["psnr_y"] == math.inf
    assert scored(spoilt, pair_of(hr), FLOAT, scale=3).metrics["psnr_y"] < 30


def test_lpips_sees_the_whole_8_bit_picture():
    hr, network = noise(), LPIPS("alexnet")
    spoilt = hr.copy()
    spoilt[:2] = 0
    assert scored(hr, pair_of(hr), FLOAT, scale=4, lpips=network).metrics["lpips_alex"] == 0
    assert scored(spoilt, pair_of(hr), FLOAT, scale=4, lpips=network).metrics["lpips_alex"] > 1e-4


def test_judging_keeps_the_order_and_names_of_the_pairs():
    pairs = [pair_of(noise(seed=1), "b.png"), pair_of(noise(seed=2), "a.png")]
    scores = judge(lambda pair: bicubic(pair.lr), pairs, FLOAT, scale=4, measures=PIXELS)
    assert [s.image for s in scores] == ["b.png", "a.png"]
    assert scores[0] == scored(bicubic(pairs[0].lr), pairs[0], FLOAT, scale=4)


def test_the_mean_leaves_out_what_is_infinite():
    scores = [
        ImageScores(image="a", metrics={"psnr_y": 30.0, "ssim_y": 0.8}),
        ImageScores(image="b", metrics={"psnr_y": math.inf, "ssim_y": 1.0}),
        ImageScores(image="c", metrics={"psnr_y": 20.0, "ssim_y": 0.6}),
    ]
    assert mean_metrics(scores) == pytest.approx({"psnr_y": 25.0, "ssim_y": 0.8})
    assert row("m", "set", scores).exact_images == 1
    assert mean_metrics(scores[1:2])["psnr_y"] == math.inf


def test_only_an_infinite_psnr_is_a_picture_restored_exactly():
    scores = [ImageScores(image="a", metrics={"psnr_y": 30.0, "lr_psnr": math.inf})]
    assert row("m", "set", scores).exact_images == 0


def test_an_evaluation_survives_its_file_and_names_its_conditions():
    hr = noise()
    rows = [row("perfect", "set", [scored(hr, pair_of(hr), ROUNDED, scale=4)])]
    result = evaluation(ROUNDED, 4, rows)
    text = result.model_dump_json()
    assert Evaluation.model_validate_json(text) == result
    content = json.loads(text)
    assert content["rows"][0]["per_image"][0]["metrics"]["psnr_y"] is None  # JSON has no infinity
    expected = {"protocol": "sr-y", "scale": 4, "lr": "matlab", "border": 4, "ssim": "wang"}
    assert {key: content[key] for key in expected} == expected
    assert content["colour"] == "BT.601 luma, rounded"
    assert set(content["rows"][0]) >= {"model", "dataset", "metrics", "per_image"}


def test_sr_of_another_size_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match=r"a.png: sr is \(8, 8, 3\) but hr is \(40, 36, 3\)"):
        scored(np.zeros((8, 8, 3), np.uint8), pair_of(noise()), FLOAT, scale=4)


# --- folders -------------------------------------------------------------------------------------


def test_pairs_are_cropped_and_sorted(folder):
    save(folder / "c.png", noise(44, 40)[:43, :39])
    (folder / "notes.txt").write_text("not a picture")
    pairs = list(load_pairs(folder, 4, protocol=FLOAT))
    assert [pair.name for pair in pairs] == ["a.png", "b.png", "c.png"]
    assert pairs[2].hr.shape == (40, 36, 3)
    assert (pairs[2].lr == make_lr(pairs[2].hr, FLOAT, 4)).all()


def test_large_folders_are_decoded_again(folder, monkeypatch):
    monkeypatch.setattr("upres.evaluation.pairs._KEPT_BYTES", 5000)
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    first, second = list(pairs), list(pairs)
    assert first[0] is second[0]
    assert first[1] is not second[1]
    assert (first[1].hr == second[1].hr).all()


def test_given_lr_are_read_by_name(folder):
    (folder / "HR").mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.png").rename(folder / "HR" / f"{name}.png")
    lr = np.full((10, 9, 3), 7, np.uint8)
    save(folder / "LR_x4" / "a.png", lr)
    save(folder / "LR_x4" / "bx4.png", lr)
    given = get_protocol("sr-y+given-lr")
    for data in (folder, folder / "HR"):
        assert all((pair.lr == 7).all() for pair in load_pairs(data, 4, protocol=given))
        assert dataset_name(data) == "set"
    save(folder / "LR_x4" / "a.png", lr[:5])
    with pytest.raises(
        BadPhotos, match=r"LR_x4/a.png is 9x5, but the LR of an HR of 36x40 .* 9x10"
    ):
        load_pairs(folder, 4, protocol=given)
    (folder / "LR_x4" / "a.png").unlink()
    with pytest.raises(BadPhotos, match=r"LR_x4 has no picture for a.png; add it as a.png or"):
        load_pairs(folder, 4, protocol=given)
    with pytest.raises(BadPhotos, match=r"LR_x2 does not exist; .* drop `--lr given`"):
        load_pairs(folder, 2, protocol=given)


def test_a_grey_file_is_known_as_grey(folder):
    save(folder / "c.png", noise()[..., 0])
    *_, last = load_pairs(folder, 4, protocol=FLOAT)
    assert last.grey
    assert last.hr.shape == (40, 36, 3)


def test_folders_that_cannot_be_judged_are_refused(folder, tmp_path):
    with pytest.raises(BadPhotos, match="nothing is no folder"):
        load_pairs(tmp_path / "nothing", 4, protocol=FLOAT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPhotos, match="empty holds no pictures"):
        load_pairs(tmp_path / "empty", 4, protocol=FLOAT)
    save(folder / "small.png", noise()[:22, :30])
    with pytest.raises(BadPhotos, match=r"small.png is 28x20 after cropping, but LPIPS .* 31"):
        load_pairs(folder, 4, protocol=FLOAT, metrics=("psnr", "lpips_alex"))
    assert len(load_pairs(folder, 4, protocol=FLOAT)) == 3
    save(folder / "small.png", noise()[:19, :30])
    with pytest.raises(BadPhotos, match=r"28x16 .* sr-y-float compares pictures of at least 19"):
        load_pairs(folder, 4, protocol=FLOAT)


def test_an_unreadable_picture_is_named_and_the_others_stay(folder):
    (folder / "a.png").write_bytes(b"\x89PNG cut short")
    pairs = load_pairs(folder, 4, protocol=FLOAT)
    assert [pair.name for pair in pairs] == ["b.png"]
    (failure,) = pairs.failed
    assert failure.image == "a.png"
    assert str(folder / "a.png") in failure.reason


def test_a_folder_of_unreadable_pictures_is_refused(folder):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"\x89PNG cut short")
    with pytest.raises(BadPhotos, match=r"none of the pictures can be read; the first: .*a\.png"):
        load_pairs(folder, 4, protocol=FLOAT)
