"""The way from one network to another: its rows, the alpha to take, and when there is none."""

import json

import numpy as np
import pytest

from upres.errors import BadSetting, BadWeights
from upres.evaluation.judge import Evaluation, ImageScores, JudgedPair, Row
from upres.evaluation.measures import measures_for
from upres.evaluation.protocols import get_protocol
from upres.evaluation.sweep import ALPHAS, Mixtures, advise, enlarged_by, read_alphas, sweep
from upres.images.resize import enlarge, shrink
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader
from upres.weights.interpolate import interpolated
from upres.weights.model import Model

PROTOCOL = get_protocol("sr-y-float")
SETTINGS = CompactSettings(width=4, convs=1)


def model(name: str, seed: int, recipe: dict | None = None, scale: int = 2) -> Model:
    network = build_generator(SETTINGS, scale, seed=seed).eval()
    header = CheckpointHeader(generator=SETTINGS, scale=scale, recipe=recipe, upres_version="0")
    return Model(network, SETTINGS, scale, name, f"sha256 of {name}", header)


def pair(name: str, seed: int) -> JudgedPair:
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    hr = enlarge(small, 4)
    return JudgedPair(name, shrink(hr, 2, "matlab"), hr)


def rows(psnr: list[float], lpips: list[float], *, trained_on: tuple[str, ...] = ()) -> list[Row]:
    """Two pictures a row, 1 dB and 0.02 apart."""
    return [
        Row(
            model=f"alpha {place}",
            dataset="made",
            metrics={"psnr_y": db, "lpips_alex": distance},
            per_image=[
                ImageScores(
                    image=name,
                    metrics={"psnr_y": db + sign / 2, "lpips_alex": distance + sign / 100},
                )
                for name, sign in (("a", 1), ("b", -1))
            ],
            trained_on=trained_on if place else (),
        )
        for place, (db, distance) in enumerate(zip(psnr, lpips, strict=True))
    ]


FOUR = (0.0, 0.2, 0.6, 1.0)
BENT = ([30.0, 29.9, 29.5, 28.0], [0.40, 0.30, 0.24, 0.20])  # heights .45, .55 above the chord


def test_each_alpha_is_a_row_of_what_its_file_would_score():
    models = (model("a", 1), model("b", 2))
    pairs = [pair("p", 1), pair("q", 2)]
    measures = measures_for(["psnr", "ssim"], PROTOCOL, {})
    seen = []
    found = sweep(
        Mixtures(models, (0.0, 0.5, 1.0)),
        pairs,
        PROTOCOL,
        dataset="made",
        measures=measures,
        seen=lambda: seen.append(1),
    )
    assert [row.model for row in found.evaluation.rows] == ["alpha 0", "alpha 0.5", "alpha 1"]
    assert len(seen) == 6
    shas = [row.weights_sha256 for row in found.evaluation.rows]
    assert shas == [interpolated(*models, alpha).sha256 for alpha in (0.0, 0.5, 1.0)]
    content = json.loads(found.as_json())
    assert content["sweep"]["alphas"] == [0.0, 0.5, 1.0]
    assert Evaluation.model_validate(content) == found.evaluation  # so a report can be made of it


def test_pictures_of_the_ends_are_those_of_the_networks():
    models = (model("a", 1), model("b", 2))
    shown = enlarged_by(Mixtures(models, (0.0, 1.0)), [pair("p", 1)], PROTOCOL)
    assert list(shown[0]) == ["alpha 0", "alpha 1"]
    assert shown[0]["alpha 0"].shape == (32, 32, 3)


def test_unlike_networks_are_refused_before_anything_is_judged():
    with pytest.raises(BadWeights, match="a has scale 2, but b has 4"):
        sweep(
            Mixtures((model("a", 1), model("b", 2, scale=4))),
            [],
            PROTOCOL,
            dataset="made",
            measures=measures_for(["psnr"], PROTOCOL, {}),
        )


def test_the_alpha_at_the_knee_is_advised_with_what_it_costs():
    advice = advise(FOUR, rows(*BENT))
    assert advice.alpha == 0.6
    assert advice.ends == (0.0, 1.0)
    assert (advice.paid, advice.bought) == ("psnr_y", "lpips_alex")
    assert (advice.low, advice.high) == (0.6, 0.6)  # both pictures have the same curve
    assert "LPIPS 0.4000 becomes 0.2400 for 0.50 dB of PSNR-Y" in advice.reason
    assert "0.2000 for 2.00 dB at alpha 1" in advice.reason


def test_a_metric_that_a_network_was_trained_on_does_not_advise():
    advice = advise(FOUR, rows(*BENT, trained_on=("lpips_alex",)))
    assert advice.alpha is None
    assert "was a loss of one of the networks" in advice.reason
    assert advise(FOUR, rows(*BENT, trained_on=("vgg19",))).alpha == 0.6


def test_without_a_bend_or_without_metrics_it_says_why_there_is_no_advice():
    straight = advise((0.0, 0.5, 1.0), rows([30, 29, 28], [0.4, 0.3, 0.2]))
    assert straight.alpha is None
    assert "straight line" in straight.reason
    only = [row.model_copy(update={"metrics": {"psnr_y": 1.0}}) for row in rows(*BENT)]
    assert "no metric of perception was measured; add one of lpips_alex" in (
        advise(FOUR, only).reason
    )
    without = [row.model_copy(update={"metrics": {"lpips_alex": 1.0}}) for row in rows(*BENT)]
    assert advise(FOUR, without).reason.startswith("PSNR was not measured")


def test_a_network_that_is_better_in_both_is_advised_without_a_price():
    advice = advise((0.0, 0.5, 1.0), rows([28, 29, 30], [0.4, 0.3, 0.2]))
    assert advice.alpha == 1.0
    assert "nothing is paid" in advice.reason


def test_alphas_are_read_sorted_and_checked():
    assert read_alphas("1,0.5, 0,0.5") == (0.0, 0.5, 1.0)
    assert ALPHAS == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    for text in ("0,1", "0,0.5,1.5", "0,nan,1", "a,b,c", "", "0,,1"):
        with pytest.raises(BadSetting, match="--alphas"):
            read_alphas(text)
