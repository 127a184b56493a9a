import math

import pytest

from upres.evaluation.judge import Evaluation, ImageScores, Row
from upres.report.latex import as_latex, escaped
from upres.report.tables import score_tables


def row(model: str, *psnr: float, trained_on: tuple[str, ...] = ()) -> Row:
    scores = [ImageScores(image=f"{i}.png", metrics={"psnr_y": v}) for i, v in enumerate(psnr)]
    mean = sum(psnr) / len(psnr)
    return Row(
        model=model,
        dataset="Set_5",
        metrics={"psnr_y": mean},
        per_image=scores,
        trained_on=trained_on,
    )


def latex(*rows: Row) -> str:
    evaluation = Evaluation(protocol="sr-y-float", rows=list(rows), scale=4, lr="matlab")
    return as_latex(score_tables([evaluation]))


def body(text: str) -> list[str]:
    return text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]


def test_best_is_bold_and_second_best_underlined_with_intervals_below():
    assert body(latex(row("a", 20.0, 30.0), row("b", 26.0, 28.0), row("c", 20.0, 20.0))) == [
        r"a & \underline{25.00} \\",
        r" & {\scriptsize [20.00, 30.00]} \\",
        r"b & \textbf{27.00} \\",
        r" & {\scriptsize [26.00, 28.00]} \\",
        r"c & 20.00 \\",
        r" & {\scriptsize [20.00, 20.00]} \\",
    ]


def test_one_picture_has_no_line_of_intervals():
    assert body(latex(row("a", 20.0))) == [r"a & 20.00 \\"]


def test_the_caption_names_protocol_and_interval():
    text = latex(row("a", 20.0, 30.0))
    (caption,) = [line for line in text.splitlines() if line.startswith(r"\caption")]
    for part in (
        r"Set\_5 x4, protocol sr-y-float.",
        r"95 \% of 10,000 resamples",
        "Protocol sr-y-float: Luma, not rounded;",
        "made from HR by the bicubic resizer matlab.",
    ):
        assert part in caption


def test_a_metric_that_was_a_loss_has_a_dagger():
    (line,) = body(latex(row("mse", 20.0, trained_on=("psnr",))))
    assert line == r"mse & 20.00$^\dagger$ \\"


def test_values_without_digits_have_their_signs():
    lines = body(latex(row("a", math.inf), row("b", -3.5)))
    assert lines == [r"a & \textbf{$\infty$} \\", r"b & $-$3.50 \\"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100%_#1 & more", r"100\%\_\#1 \& more"),
        ("a\\b{c}$d", r"a\textbackslash{}b\{c\}\$d"),
        ("~x^2", r"\textasciitilde{}x\textasciicircum{}2"),
        ("[x]*", "{[}x]{*}"),
        ("two\nlines", "two lines"),
    ],
)
def test_names_are_printed_as_they_are(text, expected):
    assert escaped(text) == expected


def test_every_environment_that_begins_ends():
    text = latex(row("a", 20.0), row("b", 30.0))
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert text.startswith(r"% needs \usepackage{booktabs}")
