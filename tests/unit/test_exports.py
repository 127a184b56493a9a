import csv
import io
import math

from upres.evaluation.judge import Evaluation, Failure, ImageScores, Row
from upres.report.exports import as_csv, as_markdown
from upres.report.tables import Mixed, score_tables


def row(model: str, *psnr: float, dataset: str = "test", **more: object) -> Row:
    scores = [ImageScores(image=f"{i}.png", metrics={"psnr_y": v}) for i, v in enumerate(psnr)]
    metrics = {"psnr_y": sum(psnr) / len(psnr)}
    return Row(model=model, dataset=dataset, metrics=metrics, per_image=scores, **more)


def evaluation(*rows: Row, protocol: str = "sr-y-float", **more: object) -> Evaluation:
    return Evaluation(protocol=protocol, rows=list(rows), scale=4, **more)


def markdown(*rows: Row, **more: object) -> list[str]:
    return as_markdown(score_tables([evaluation(*rows, **more)])).splitlines()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_every_picture_and_means_with_their_intervals():
    lines = read(as_csv([evaluation(row("a", 20.0, 30.0), row("b", 25.123456789))]))
    assert [(line["model"], line["image"], line["psnr_y"]) for line in lines] == [
        ("a", "0.png", "20.0"),
        ("a", "1.png", "30.0"),
        ("a", "(mean)", "25.0"),
        ("b", "0.png", "25.123456789"),
        ("b", "(mean)", "25.123456789"),
    ]
    ends = [(line["psnr_y_low"], line["psnr_y_high"]) for line in lines]
    assert ends == [("", ""), ("", ""), ("20.0", "30.0"), ("", ""), ("", "")]
    assert {(line["protocol"], line["scale"]) for line in lines} == {("sr-y-float", "4")}


def test_csv_survives_names_with_commas_and_values_without_end():
    (picture, mean) = read(as_csv([evaluation(row('x,"y"', math.inf))]))
    assert (picture["model"], picture["psnr_y"], mean["psnr_y"]) == ('x,"y"', "inf", "inf")


def test_csv_and_table_state_the_same_interval():
    scores = [20.0, 22.0, 27.0, 31.0, 24.0]
    (mean,) = (m for m in read(as_csv([evaluation(row("a", *scores))])) if m["image"] == "(mean)")
    low, high = float(mean["psnr_y_low"]), float(mean["psnr_y_high"])
    assert f"[{low:.2f}, {high:.2f}]" in "\n".join(markdown(row("a", *scores), row("b", *scores)))
    assert low < sum(scores) / 5 < high


def test_markdown_marks_the_best_and_says_by_which_protocol():
    lines = markdown(row("a", 20.0, 30.0), row("b", 26.0, 28.0), row("c", 20.0, 20.0))
    assert lines[0] == "## test x4, protocol sr-y-float"
    assert lines[2:7] == [
        "| Method | PSNR-Y (dB) ↑ |",
        "| --- | ---: |",
        "| a | *25.00* [20.00, 30.00] |",
        "| b | **27.00** [26.00, 28.00] |",
        "| c | 20.00 [20.00, 20.00] |",
    ]
    text = "\n".join(lines)
    assert "Protocol sr-y-float: Luma, not rounded" in text and "95 % of 10,000 resamples" in text


def test_markdown_compares_rows_on_the_same_pictures():
    pictures = [20.0 + i for i in range(6)]
    lines = markdown(row("bicubic", *pictures), row("net", *(p + 0.5 for p in pictures)))
    assert "| net - bicubic | +0.50 [+0.50, +0.50], **net in 100 %** |" in lines


def test_of_five_pictures_nothing_is_called_decided():
    lines = markdown(row("bicubic", *[20.0] * 5), row("net", *[20.5] * 5))
    assert "| net - bicubic | +0.50 [+0.50, +0.50], net in 100 % |" in lines
    assert any("intervals are too narrow" in line for line in lines)
    many = markdown(row("bicubic", *[20.0] * 20), row("net", *[20.5] * 20))
    assert not any("too narrow" in line for line in many)


def test_equal_rows_are_a_tie():
    lines = markdown(row("a", 20.0, 30.0), row("b", 20.0, 30.0))
    assert "| b - a | +0.00 [+0.00, +0.00], a tie |" in lines


def test_names_do_not_break_the_table():
    lines = markdown(row("a|b*c_d\n[e]", 20.0))
    assert "| a\\|b\\*c\\_d \\[e\\] | 20.00 |" in lines


def test_what_a_model_learnt_and_what_failed_is_told():
    failed = (Failure(image="broken.png", reason="broken.png is not a picture."),)
    given = evaluation(row("mse", 20.0, 21.0, trained_on=("psnr",), exact_images=1), failed=failed)
    text = as_markdown(score_tables([given]))
    assert "| mse | 20.50† [20.00, 21.00] |" in text
    assert "† The model was trained on this metric" in text
    assert "mse restored 1 picture exactly" in text
    assert "Left out for all rows: broken.png (broken.png is not a picture)." in text


def test_each_dataset_has_its_own_section():
    text = "\n".join(markdown(row("a", 20.0), row("a", 21.0, dataset="other")))
    assert text.count("## ") == 2


def test_mixed_rows_say_their_protocol_and_are_not_ranked_across():
    both = [
        evaluation(row("a", 20.0, 20.0), row("b", 21.0, 21.0)),
        evaluation(row("a", 30.0, 30.0), row("b", 29.0, 29.0), protocol="sr-rgb"),
    ]
    text = as_markdown(score_tables(Mixed(both)))
    assert "## test x4, protocol mixed" in text and text.count("| Method |") == 1
    for line in (
        "| b (sr-y-float) | **21.00** [21.00, 21.00] |",
        "| a (sr-rgb) | **30.00** [30.00, 30.00] |",
        "| b (sr-y-float) - a (sr-y-float) |",
    ):
        assert line in text
    assert "(sr-rgb) - a (sr-y-float)" not in text and "(sr-y-float) - a (sr-rgb)" not in text
    assert "sr-rgb: The three channels" in text and "do not compare" in text


def test_rows_without_a_picture_say_so():
    empty = Row(model="a", dataset="test", metrics={}, per_image=[])
    text = "\n".join(markdown(empty))
    assert "| a |" in text and "Not one picture was judged." in text
