import numpy as np
import pytest

from upres.errors import BadRun, BadSetting
from upres.evaluation.judge import Evaluation, Failure, ImageScores, Row
from upres.report.pictures import ReportPicture, save_pictures
from upres.report.sources import Source, combine, gaps, read_source, require_one_protocol
from upres.report.tables import score_tables


def row(model: str, psnr: float, *, dataset: str = "test", images: str = "ab") -> Row:
    scores = [ImageScores(image=image, metrics={"psnr_y": psnr}) for image in images]
    return Row(model=model, dataset=dataset, metrics={"psnr_y": psnr}, per_image=scores)


def source(label: str, *rows: Row, protocol: str = "sr-y", scale: int = 4) -> Source:
    evaluation = Evaluation(protocol=protocol, rows=list(rows), scale=scale)
    hr = np.zeros((4, 4, 3), np.uint8)
    shown = ReportPicture("a", hr, {r.model: hr for r in rows}, rows[0].dataset)
    return Source(label, evaluation, [shown])


def models(evaluations: list[Evaluation]) -> list[list[str]]:
    return [[row.model for row in evaluation.rows] for evaluation in evaluations]


def test_rows_of_two_runs_on_the_same_pictures_share_a_table():
    evaluations, pictures = combine(
        [
            source("a", row("bicubic", 25.0), row("gan", 27.0)),
            source("b", row("bicubic", 25.00001), row("gan", 28.0)),
        ]
    )
    assert models(evaluations) == [["bicubic", "a/gan", "b/gan"]]
    assert [set(picture.rows) for picture in pictures] == [{"bicubic", "a/gan", "b/gan"}]


def test_sources_of_one_name_are_told_apart():
    evaluations, _ = combine([source("run", row("gan", 27.0)), source("run", row("gan", 28.0))])
    assert models(evaluations) == [["run/gan", "run-2/gan"]]


@pytest.mark.parametrize("other", [{"protocol": "sr-y-float"}, {"scale": 2}])
def test_other_conditions_never_share_a_table(other):
    evaluations, _ = combine([source("a", row("x", 27.0)), source("b", row("y", 28.0), **other)])
    assert models(evaluations) == [["x"], ["y"]]


def test_other_pictures_under_one_name_never_share_a_table():
    evaluations, pictures = combine(
        [source("a", row("x", 27.0, images="ab")), source("b", row("x", 28.0, images="bc"))]
    )
    assert [t.dataset for t in score_tables(evaluations)] == ["test (a)", "test (b)"]
    assert [picture.dataset for picture in pictures] == ["test (a)", "test (b)"]
    assert models(evaluations) == [["x", "x"]]


def test_a_source_given_twice_counts_once():
    evaluations, pictures = combine([source("a", row("x", 27.0)), source("a", row("x", 27.0))])
    assert models(evaluations) == [["x"]] and len(pictures) == 1


def test_an_evaluation_is_read_with_the_pictures_beside_it(tmp_path):
    given = source("scores", row("x", 27.0))
    assert given.evaluation is not None
    (tmp_path / "scores.json").write_text(given.evaluation.model_dump_json(), encoding="utf-8")
    save_pictures(tmp_path / "pictures", given.pictures)
    found = read_source(tmp_path / "scores.json")
    assert (found.label, found.evaluation, found.run) == ("scores", given.evaluation, None)
    assert [picture.name for picture in found.pictures] == ["a"]


def test_a_run_is_read_whole_and_may_lack_an_evaluation(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"event": "run", "recipe": "tiny"}\n')
    (tmp_path / "recipe.yaml").write_text("name: tiny\n")
    found = read_source(tmp_path)
    assert found.run is not None and found.run.recipe == "tiny"
    assert (found.label, found.recipe_yaml, found.evaluation) == (
        tmp_path.name,
        "name: tiny\n",
        None,
    )
    assert combine([found]) == ([], [])


def test_a_file_of_something_else_is_refused(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"rows": 3}')
    with pytest.raises(BadRun) as error:
        read_source(file)
    assert str(error.value) == (
        f"{file} is no evaluation; give a run's folder or a file that "
        "`upres evaluate --json` wrote."
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadRun) as error:
        read_source(tmp_path / "none")
    assert str(error.value) == (
        f"{tmp_path / 'none'} cannot be read (No such file or directory); give a run's folder "
        "or a file that `upres evaluate --json` wrote."
    )


def test_what_failed_is_listed_once_and_keeps_no_rows_apart():
    def given(label: str, model: str, *failed: str) -> Source:
        found = source(label, row(model, 27.0))
        assert found.evaluation is not None
        failures = tuple(Failure(image=name, reason="no picture") for name in failed)
        more = found.evaluation.model_copy(update={"failed": failures})
        return Source(label, more, found.pictures)

    (found,), _ = combine([given("a", "x", "c", "d"), given("b", "y", "c")])
    assert [row.model for row in found.rows] == ["x", "y"]
    assert [failure.image for failure in found.failed] == ["c", "d"]


def test_different_protocols_are_refused_and_both_are_named():
    same = {"a.json": source("a", row("x", 1.0)), "b.json": source("b", row("y", 1.0))}
    require_one_protocol(same)
    other = source("c", row("y", 1.0), protocol="sr-rgb")
    with pytest.raises(BadSetting) as error:
        require_one_protocol({**same, "c.json": other})
    assert str(error.value) == (
        "a.json was measured by protocol sr-y and c.json by sr-rgb, whose numbers do not compare; "
        "make a report of each, or give --mixed, and each row says its own."
    )


def test_an_evaluation_without_rows_is_refused(tmp_path):
    file = tmp_path / "x.json"
    file.write_text(Evaluation(protocol="sr-y", rows=[]).model_dump_json())
    with pytest.raises(BadRun) as error:
        read_source(file)
    assert str(error.value) == (
        f"{file} is an evaluation without rows: nothing was judged; make it again with "
        "`upres evaluate`, which needs at least one model."
    )


def test_a_run_says_what_it_cannot_show(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"event": "run", "recipe": "tiny"}\n')
    name = tmp_path.name
    assert gaps(read_source(tmp_path)) == [
        f"{name} logged no step: there are no curves of its losses.",
        f"{name} logged no validation: there are no curves of its metrics.",
        f"{name} was not judged, as a run is at its end: there are no scores. `upres evaluate` "
        "judges its checkpoints.",
    ]
    with log.open("a") as file:
        file.write('{"event": "step", "stage": "gan", "step": 1, "terms": {"pixel": 0.1}}\n')
        file.write('{"event": "validation", "stage": "gan", "step": 1, "metrics": {"a": 1}}\n')
    assert len(gaps(read_source(tmp_path))) == 1
    evaluation = source("x", row("gan", 27.0)).evaluation
    assert evaluation is not None
    (tmp_path / "evaluation.json").write_text(evaluation.model_dump_json())
    assert gaps(read_source(tmp_path)) == []
    assert gaps(source("scores", row("x", 1.0))) == []
