import json
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from upres.cli.report import report
from upres.errors import BadRun, BadSetting
from upres.evaluation.judge import Evaluation, ImageScores, Row
from upres.report.pictures import ReportPicture, save_pictures

app = typer.Typer()
app.command()(report)


def evaluation(model: str, psnr: float, protocol: str = "sr-y-float") -> str:
    metrics = {"psnr_y": psnr}
    scores = [ImageScores(image="cat", metrics=metrics)]
    row = Row(model=model, dataset="test", metrics=metrics, per_image=scores)
    return Evaluation(protocol=protocol, rows=[row], scale=4).model_dump_json()


def make_run(folder: Path, psnr: float) -> Path:
    folder.mkdir()
    events = [
        {"event": "run", "recipe": "tiny", "scale": 4, "stages": {"gan": {"steps": 2}}},
        {"event": "step", "stage": "gan", "step": 1, "terms": {"pixel": 0.1}},
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, events)))
    (folder / "recipe.yaml").write_text("name: tiny\n")
    (folder / "evaluation.json").write_text(evaluation("gan", psnr))
    pixels = np.full((16, 16, 3), int(psnr), np.uint8)
    hr = np.zeros((16, 16, 3), np.uint8)
    save_pictures(folder / "pictures", [ReportPicture("cat", hr, {"gan": pixels}, "test")])
    return folder


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_page_of_a_run_lies_in_the_run_and_its_path_is_printed(tmp_path):
    run = make_run(tmp_path / "one", 27)
    assert call(run) == f"{run / 'report.html'}\n"
    text = (run / "report.html").read_text(encoding="utf-8")
    for word in ("Loss terms", "27.00", "name: tiny", "cat, part a, gan", "<title>one</title>"):
        assert word in text


def test_two_runs_stand_side_by_side(tmp_path):
    runs = [make_run(tmp_path / name, psnr) for name, psnr in (("one", 27), ("two", 28))]
    call(*runs, "-o", tmp_path / "both.html", "--title", "Both")
    text = (tmp_path / "both.html").read_text(encoding="utf-8")
    for word in ("one/gan", "two/gan", "<title>Both</title>", "cat, part a, two/gan"):
        assert word in text


def test_evaluations_alone_go_where_the_user_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("scores.json").write_text(evaluation("bicubic", 25))
    assert call("scores.json") == "report.html\n"
    assert "bicubic" in Path("report.html").read_text(encoding="utf-8")


def test_the_folder_of_an_evaluation_is_a_source_and_gives_its_name(tmp_path):
    folders = [make_run(tmp_path / name, psnr) for name, psnr in (("one", 27), ("two", 28))]
    for folder in folders:
        (folder / "metrics.jsonl").unlink()
        (folder / "recipe.yaml").unlink()
    assert call(folders[0]) == f"{folders[0] / 'report.html'}\n"
    assert "cat, part a, gan" in (folders[0] / "report.html").read_text(encoding="utf-8")
    call(folders[0], folders[1] / "evaluation.json", "-o", tmp_path / "both.html")
    text = (tmp_path / "both.html").read_text(encoding="utf-8")
    for word in ("one/gan", "two/gan", "<title>one, two</title>", "cat, part a, two/gan"):
        assert word in text


def test_a_run_without_its_journal_is_no_mere_evaluation(tmp_path):
    run = make_run(tmp_path / "one", 27)
    (run / "metrics.jsonl").unlink()
    with pytest.raises(BadRun, match=r"holds no readable metrics\.jsonl"):
        call(run)


def test_a_source_is_never_overwritten(tmp_path):
    file = tmp_path / "scores.json"
    file.write_text(evaluation("bicubic", 25))
    with pytest.raises(BadSetting) as error:
        call(file, "-o", file)
    assert str(error.value) == f"{file} is what the report is made from; give -o another name."
    assert file.read_text().startswith("{")


def test_something_else_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadRun, match=r"holds no readable metrics\.jsonl"):
        call(tmp_path, "-o", tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("t.md", "| bicubic | 25.00 |"),
        ("t.tex", r"bicubic & 25.00 \\"),
        ("t.csv", "sr-y-float,4,test,bicubic,(mean),25.0"),
        ("t.HTML", "<td"),
    ],
)
def test_the_ending_decides_what_is_written(tmp_path, name, word):
    (tmp_path / "scores.json").write_text(evaluation("bicubic", 25))
    assert call(tmp_path / "scores.json", "-o", tmp_path / name) == f"{tmp_path / name}\n"
    assert word in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "ending"), [("t.pdf", ".pdf"), ("t", "nothing")])
def test_another_ending_is_refused(tmp_path, name, ending):
    file = tmp_path / "scores.json"
    file.write_text(evaluation("bicubic", 25))
    with pytest.raises(BadSetting) as error:
        call(file, "-o", tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name} ends in {ending}; a report is a page (.html) or a table of the scores "
        "(.md, .csv, .tex), so give -o one of these endings."
    )
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["t.html", "t.md", "t.csv", "t.tex"])
def test_different_protocols_are_refused_unless_mixed(tmp_path, name):
    files = [tmp_path / f"{protocol}.json" for protocol in ("sr-y", "sr-rgb")]
    for file in files:
        file.write_text(evaluation("bicubic", 25, file.stem))
    with pytest.raises(BadSetting, match=r"sr-y\.json was measured by protocol sr-y and .*--mixed"):
        call(*files, "-o", tmp_path / name)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    call(*files, "-o", tmp_path / name, "--mixed")
    text = (tmp_path / name).read_text(encoding="utf-8")
    rows = ("sr-y,4,test", "sr-rgb,4,test") if name == "t.csv" else ("c (sr-y)", "c (sr-rgb)")
    assert all(row in text for row in rows)


def test_a_run_without_scores_has_a_page_and_no_table(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"event": "run", "recipe": "tiny"}\n')
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert result.exit_code == 0 and "logged no validation" in result.stderr
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "logged no step: there are no curves" in text and "there are no scores" in text
    with pytest.raises(BadRun, match="no scores yet, so there is no table to write"):
        call(tmp_path, "-o", tmp_path / "t.md")
    assert not (tmp_path / "t.md").exists()


def test_tables_need_no_package_of_pages(tmp_path, monkeypatch):
    for package in ("matplotlib", "jinja2"):
        monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "scores.json").write_text(evaluation("bicubic", 25))
    call(tmp_path / "scores.json", "-o", tmp_path / "t.md")
    assert "bicubic" in (tmp_path / "t.md").read_text(encoding="utf-8")
