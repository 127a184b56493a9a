import json
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


def evaluation(model: str, psnr: float) -> str:
    metrics = {"psnr_y": psnr}
    scores = [ImageScores(image="cat", metrics=metrics)]
    row = Row(model=model, dataset="test", metrics=metrics, per_image=scores)
    return Evaluation(protocol="sr-y-float", rows=[row], scale=4).model_dump_json()


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
