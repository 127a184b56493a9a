"""The table: what it names, what it marks, what it survives."""

import math

from upres.evaluation.judge import Evaluation, ImageScores, Row, evaluation
from upres.evaluation.protocols import get_protocol
from upres.evaluation.table import table_text


def row(model, psnr, lpips=None, exact=0):
    metrics = {"psnr_y": psnr, "ssim_y": psnr / 40}
    if lpips is not None:
        metrics["lpips_alex"] = lpips
    scores = [ImageScores(image="a.png", metrics=metrics)]
    return Row(model=model, dataset="Set5", metrics=metrics, per_image=scores, exact_images=exact)


def lines_of(*rows):
    return table_text(evaluation(get_protocol("sr-y-float"), 4, list(rows))).splitlines()


def test_the_protocol_stands_in_the_title_and_the_conditions_below():
    lines = lines_of(row("bicubic", 28.4314))
    assert lines[0] == "Set5 x4, protocol sr-y-float"
    assert lines[-1] == "* best; BT.601 luma, not rounded, border 4, LR matlab."


def test_each_model_has_a_line_and_the_best_of_each_column_a_star():
    lines = lines_of(row("bicubic", 28.4314, 0.35), row("gan", 27.0, 0.12))
    (bicubic,) = [line for line in lines if "bicubic" in line]
    (gan,) = [line for line in lines if "gan" in line]
    assert [cell.strip() for cell in bicubic.split("|")[1:-1]] == [
        "bicubic",
        "28.4314*",
        "0.7108*",
        "0.3500",
    ]
    assert gan.count("*") == 1
    assert "0.1200*" in gan
    assert "LPIPS: lower is better" in lines[-1]


def test_values_that_are_missing_or_infinite_have_their_own_signs():
    lines = lines_of(row("a", math.inf, exact=2), row("b", 30.0, 0.2))
    (line,) = [line for line in lines if line.startswith("| a ")]
    assert "inf*" in line
    assert line.rstrip("| ").endswith("-")
    assert lines[-1].endswith("2 pictures restored exactly are left out of the mean PSNR.")


def test_long_and_odd_names_stay_whole():
    name = "runs/" + "very-long-" * 20 + "[bold]x4"
    assert any(name in line for line in lines_of(row(name, 20.0)))


def test_it_is_plain_ascii():
    assert table_text(Evaluation(protocol="sr-y", rows=[row("a", 1.0)])).isascii()
