"""The table: what it names, what it marks, what it survives."""

import math

from upres.evaluation.given_lr import Agreement, LrDifference
from upres.evaluation.judge import Evaluation, ImageScores, Row, evaluation
from upres.evaluation.protocols import get_protocol
from upres.evaluation.table import table_text


def row(model, psnr, lpips=None, exact=0, trained_on=()):
    metrics = {"psnr_y": psnr, "ssim_y": psnr / 40}
    if lpips is not None:
        metrics["lpips_alex"] = lpips
    scores = [ImageScores(image="a.png", metrics=metrics)]
    return Row(
        model=model,
        dataset="Set5",
        metrics=metrics,
        per_image=scores,
        exact_images=exact,
        trained_on=trained_on,
    )


def lines_of(*rows, **conditions):
    result = evaluation(get_protocol("sr-y-float"), 4, list(rows), **conditions)
    return table_text(result).splitlines()


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


def test_infinite_values_of_other_metrics_are_told_as_such():
    scores = [ImageScores(image=f"{v}", metrics={"lr_psnr": v}) for v in (40.0, math.inf)]
    rows = [Row(model="a", dataset="Set5", metrics={"lr_psnr": 40.0}, per_image=scores)]
    assert lines_of(*rows)[-1].endswith("1 infinite values are left out of the mean LR-PSNR.")
    rows = [Row(model="a", dataset="Set5", metrics={"lr_psnr": math.inf}, per_image=scores[1:])]
    assert "left out" not in lines_of(*rows)[-1]


def test_long_and_odd_names_stay_whole():
    name = "runs/" + "very-long-" * 20 + "[bold]x4"
    assert any(name in line for line in lines_of(row(name, 20.0)))


def test_what_a_model_was_trained_by_is_marked_and_explained():
    lines = lines_of(row("bicubic", 28.0, 0.3), row("ours", 29.0, 0.1, trained_on=("lpips_alex",)))
    bicubic, ours = (next(line for line in lines if name in line) for name in ("bicubic", "ours"))
    assert [cell.strip() for cell in ours.split("|")[2:-1]] == ["29.0000*", "0.7250*", "0.1000+*"]
    assert "+" not in bicubic
    assert [bicubic.index(value) for value in (".0000", ".7000", ".3000")] == [
        ours.index(value) for value in (".0000", ".7250", ".1000")
    ]
    assert "+ the model was trained by this metric, PSNR-Y is fair to all" in lines[-1]


def test_where_every_metric_was_a_loss_no_column_is_fair():
    lines = lines_of(row("ours", 29.0, 0.1, trained_on=("psnr", "ssim", "lpips_alex")))
    assert "no column is fair to all" in lines[-1]


def test_given_lr_have_a_sentence_of_their_own():
    agreement = Agreement(equal=0.9, largest=2)
    difference = LrDifference(resizer="matlab", inside=agreement, edge=agreement)
    lines = lines_of(row("bicubic", 28.0), given_lr=difference)
    assert lines[-1] == (
        "The given LR against those by matlab: inside 90.00 % of samples equal, at most 2 levels "
        "apart; at the outer 4 pixels 90.00 % of samples equal, at most 2 levels apart."
    )


def test_it_is_plain_ascii():
    assert table_text(Evaluation(protocol="sr-y", rows=[row("a", 1.0)])).isascii()
