"""Which metrics a recipe's losses are: they must not praise the model."""

import pytest

from upres.recipes import RECIPES
from upres.recipes.learnt import metrics_learnt
from upres.recipes.text import changed


def learnt(name="tiny", **changes):
    """What a recipe teaches; dots of the fields are written __."""
    fields = {key.replace("__", "."): value for key, value in changes.items()}
    return metrics_learnt(changed(RECIPES[name], fields).model_dump(mode="json"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("srcnn", ("psnr",)),  # mean squared error
        ("paper-a-srgan", ("psnr", "vgg19")),  # MSE first, then VGG19's features (A 2.2.2)
        ("paper-a-esrgan", ("vgg19",)),  # L1 and VGG19's features (A 2.3.3)
        ("usrgan", ("vgg19",)),  # L1 and VGG19's features (B 4)
    ],
)
def test_the_papers_networks_learnt_these(name, expected):
    assert metrics_learnt(RECIPES[name].model_dump(mode="json")) == expected


def test_only_a_squared_error_is_psnr():
    assert "psnr" in learnt(stages__pixel__losses__pixel__form="mse")
    assert "psnr" not in learnt(stages__pixel__losses__pixel__form="l1")
    assert "psnr" not in learnt(stages__pixel__losses__pixel__form="charbonnier")


@pytest.mark.parametrize(
    ("term", "value", "metric"),
    [
        ("structure", {"form": "ssim"}, "ssim"),
        ("structure", {"form": "ms-ssim"}, "ms_ssim"),
        ("lpips", {"trunk": "alex"}, "lpips_alex"),
        ("lpips", {"trunk": "vgg"}, "lpips_vgg"),
        ("dists", {}, "dists"),
    ],
)
def test_a_term_that_is_a_metric_counts_in_any_stage(term, value, metric):
    for stage in ("pixel", "gan"):
        field = f"stages__{stage}__losses__{term}"
        changes = {"crops__hr_patch": 176}  # MS-SSIM needs it
        assert metric in learnt(**changes, **{field: {**value, "weight": 0.5}})
        assert metric not in learnt(**changes, **{field: {**value, "weight": 0.0}})


def test_a_weight_that_rises_from_nothing_counts():
    later = {"kind": "steps", "at": [0.5], "values": [0.0, 1.0], "unit": "share"}
    assert "dists" in learnt(stages__gan__losses__dists={"weight": later})


def test_the_content_network_is_named_for_all_of_its_layers():
    off = {
        "stages__gan__losses__content__network": "vgg19",
        "stages__gan__losses__content__layers": {"conv5_4": 1.0},
        "stages__gan__losses__content__weight": 0.0,
    }
    assert "vgg16" in learnt(
        stages__gan__losses__content__network="vgg16",
        stages__gan__losses__content__layers={"conv5_3": 1.0},
    )
    assert "vgg19" not in learnt(**off)
    style = {"weight": 1.0, "layers": {"conv3_4": 1.0}}
    assert "vgg19" in learnt(**off, stages__gan__losses__style=style)


def test_what_is_no_recipe_teaches_nothing_that_is_known():
    assert metrics_learnt({}) == ()
    assert metrics_learnt({"stages": {"pixel": {"losses": {"pixel": {"form": "mse"}}}}}) == ()
