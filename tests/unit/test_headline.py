"""The metric that heads a comparison: the first that nobody learnt by."""

import pytest

from upres.evaluation.headline import PREFERENCE, headline, was_trained_on
from upres.evaluation.judge import Row
from upres.metrics.known import get_metric, key_of


def row(*metrics, trained_on=()):
    return Row(
        model="m",
        dataset="d",
        metrics=dict.fromkeys(metrics, 0.5),
        per_image=[],
        trained_on=trained_on,
    )


ALL = ("psnr_y", "ssim_y", "lpips_alex", "dists", "vgg19_conv5_4")


def test_what_people_see_comes_first():
    assert headline([row(*ALL), row(*ALL)]) == "lpips_alex"
    assert headline([row("psnr_rgb", "ssim_rgb")]) == "psnr_rgb"


def test_one_model_that_learnt_by_it_is_enough():
    rows = [row(*ALL), row(*ALL, trained_on=("lpips_alex",))]
    assert headline(rows) == "dists"
    assert headline([*rows, row(*ALL, trained_on=("dists", "psnr"))]) == "ssim_y"


def test_every_row_must_have_it():
    assert headline([row(*ALL), row("psnr_y", "ssim_y")]) == "psnr_y"


def test_without_an_untrained_metric_there_is_none():
    assert headline([]) is None
    assert headline([row("vgg19_conv5_4", "niqe")]) is None
    assert headline([row("psnr_y", "ssim_y", trained_on=("psnr", "ssim"))]) is None


@pytest.mark.parametrize(
    ("learnt", "covered", "free"),
    [
        ("psnr", ("psnr_y", "psnr_rgb"), ("lr_psnr", "ssim_y")),
        ("ssim", ("ssim_y", "ssim_daala_y"), ("ms_ssim_y",)),
        ("ms_ssim", ("ms_ssim_rgb",), ("ssim_rgb",)),
        ("vgg19", ("vgg19_conv5_4", "vgg19_relu1_1"), ("vgg16_conv5_3", "lpips_vgg")),
        ("lpips_vgg", ("lpips_vgg",), ("lpips_alex",)),
        ("dists", ("dists",), ("lpips_alex",)),
        ("vgg1", (), ("vgg19_conv5_4",)),  # no metric, and no start of one
    ],
)
def test_a_loss_covers_its_metrics(learnt, covered, free):
    model = row(trained_on=(learnt,))
    assert all(was_trained_on(model, key) for key in covered)
    assert not any(was_trained_on(model, key) for key in free)


def test_each_preference_is_a_metric_as_rows_name_it():
    for key in PREFERENCE:
        metric = get_metric(key)
        assert key in (key_of(metric, "y"), key_of(metric, "rgb"))
