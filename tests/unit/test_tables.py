from upres.evaluation.judge import Evaluation, Failure, ImageScores, Row
from upres.report.tables import Mixed, ScoreTable, listed, score_tables


def row(model: str, psnr: float, lpips: float, dataset: str = "test", **more: object) -> Row:
    scores = [
        ImageScores(image=f"{i}.png", metrics={"psnr_y": psnr + i, "lpips_alex": lpips})
        for i in (-1, 1)
    ]
    metrics = {"psnr_y": psnr, "lpips_alex": lpips}
    return Row(model=model, dataset=dataset, metrics=metrics, per_image=scores, **more)


def evaluation(*rows: Row, protocol: str = "sr-y", scale: int = 4, **more: object) -> Evaluation:
    return Evaluation(protocol=protocol, rows=list(rows), scale=scale, **more)


def table(*rows: Row) -> ScoreTable:
    (found,) = score_tables(evaluation(*rows))
    return found


ROWS = (row("bicubic", 28.43, 0.34), row("pixel", 31.14, 0.18), row("gan", 29.4, 0.12))


def test_a_value_stands_with_its_mark_and_interval():
    (_, (psnr, lpips)) = table(*ROWS).lines[1]
    assert (psnr.text, psnr.mark, psnr.interval) == ("31.14", "best", ("30.14", "32.14"))
    assert (lpips.text, lpips.mark, lpips.interval) == ("0.1800", "second", ("0.1800", "0.1800"))


def test_the_headline_comes_first_and_is_never_what_a_row_learnt():
    plain = table(*ROWS)
    assert plain.headline is not None and plain.headline.name == "lpips_alex"
    assert [(f.metric.name, f.headline) for f in plain.findings] == [
        ("lpips_alex", True),
        ("psnr_y", False),
    ]
    trained = table(*ROWS[:2], row("gan", 29.4, 0.12, trained_on=("lpips_alex",)))
    assert trained.headline is not None and trained.headline.name == "psnr_y"
    everything = table(row("a", 1.0, 1.0, trained_on=("psnr", "lpips_alex")))
    assert everything.headline is None


def test_values_of_a_metric_that_was_a_loss_are_told():
    found = table(*ROWS[:2], row("gan", 29.4, 0.12, trained_on=("psnr",)))
    assert found.learnt
    assert [cell.learnt for _, cells in found.lines for cell in cells] == [False] * 4 + [
        True,
        False,
    ]
    (psnr,) = [f for f in found.findings if f.metric.name == "psnr_y"]
    assert not psnr.learnt  # the best was another row
    assert not table(*ROWS).learnt


def test_bicubic_stands_beside_the_best():
    assert [(f.model, f.value, f.bicubic) for f in table(*ROWS).findings] == [
        ("gan", "0.1200", "0.3400"),
        ("pixel", "31.14", "28.43"),
    ]


def test_rows_that_are_printed_alike_are_best_together():
    tied = row("too", 31.141, 0.34)
    found = table(*ROWS, tied).findings
    assert [(f.model, f.bicubic) for f in found] == [("gan", "0.3400"), ("pixel and too", "28.43")]
    three = table(*ROWS, tied, row("three", 31.139, 0.2)).findings
    assert three[1].model == "pixel and 2 others"
    same = table(row("bicubic", 28.43, 0.34), row("x", 28.431, 0.34)).findings
    assert [(f.model, f.bicubic) for f in same] == 2 * [("all rows alike", None)]


def test_other_protocols_scales_and_datasets_have_their_own_tables():
    given = [
        evaluation(row("a", 1.0, 1.0), row("a", 2.0, 1.0, dataset="other")),
        evaluation(row("a", 3.0, 1.0), protocol="sr-rgb"),
        evaluation(row("a", 4.0, 1.0), scale=2),
    ]
    assert [(t.dataset, t.protocol, t.scale) for t in score_tables(given)] == [
        ("test", "sr-y", 4),
        ("other", "sr-y", 4),
        ("test", "sr-rgb", 4),
        ("test", "sr-y", 2),
    ]


def test_mixed_protocols_share_a_table_only_at_one_scale():
    given = Mixed(
        [
            evaluation(row("a", 1.0, 1.0), row("b", 2.0, 1.0)),
            evaluation(row("a", 3.0, 1.0), protocol="sr-rgb"),
            evaluation(row("a", 4.0, 1.0), scale=2),
        ]
    )
    mixed, alone = score_tables(given)
    assert (mixed.protocol, mixed.protocols) == ("mixed", ("sr-y", "sr-y", "sr-rgb"))
    assert [(name, cells[0].mark) for name, cells in mixed.lines] == [
        ("a (sr-y)", ""),
        ("b (sr-y)", "best"),
        ("a (sr-rgb)", ""),
    ]
    assert [c.first for c in mixed.comparisons] == ["b (sr-y)"] and mixed.findings == ()
    assert [name for name, _ in mixed.conditions] == ["sr-y", "sr-rgb"]
    marks = [[cell.mark for cell in cells] for _, cells in mixed.by_picture[0].lines]
    assert marks == [["", "best", ""]] * 2
    assert (alone.protocol, alone.lines[0][0], alone.scale) == ("sr-y", "a", 2)


def test_pictures_that_failed_are_told():
    failed = (Failure(image="x.png", reason="no picture"),)
    (found,) = score_tables(evaluation(*ROWS, failed=failed))
    assert found.failed == (("x.png", "no picture"),)


def test_rows_without_a_picture_make_an_empty_table():
    empty = Row(model="a", dataset="test", metrics={}, per_image=[])
    found = table(empty, empty.model_copy(update={"model": "b"}))
    assert (found.pictures, found.metrics, found.headline) == (0, (), None)
    assert found.lines == (("a", ()), ("b", ()))


def test_what_is_given_is_listed():
    one = evaluation(*ROWS)
    assert listed(None) == [] and listed(one) == [one]
    assert listed([one, one]) == listed(Mixed((one, one))) == [one, one]
