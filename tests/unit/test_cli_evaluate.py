"""`upres evaluate` from the outside: what it prints, writes and refuses."""

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.evaluate import evaluate
from upres.errors import BadPhotos, BadSetting, MissingWeights, WorkFailed
from upres.images.resize import enlarge, shrink

app = typer.Typer()
app.command()(evaluate)


@pytest.fixture
def data(tmp_path):
    small = np.random.default_rng(0).integers(0, 256, (10, 9, 3), dtype=np.uint8)
    hr = enlarge(small, 4)
    (tmp_path / "set" / "HR").mkdir(parents=True)
    (tmp_path / "set" / "LR_x4").mkdir()
    Image.fromarray(hr).save(tmp_path / "set" / "HR" / "a.png")
    Image.fromarray(shrink(hr, 4, "pillow")).save(tmp_path / "set" / "LR_x4" / "a.png")
    return tmp_path / "set"


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_it_prints_a_table_and_writes_every_number(data, tmp_path):
    file = tmp_path / "new" / "result.json"
    result = run("nearest", "bicubic", "--data", data, "--no-lpips", "--quiet", "--json", file)
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith("set x4, protocol sr-y-float\n")
    assert result.stderr == ""
    content = json.loads(file.read_text())
    assert [row["model"] for row in content["rows"]] == ["nearest", "bicubic"]
    assert content["rows"][0]["dataset"] == "set"
    assert [score["image"] for score in content["rows"][1]["per_image"]] == ["a.png"]
    assert content["lr"] == "matlab"
    assert [path.name for path in file.parent.iterdir()] == ["result.json"]


def test_given_lr_change_the_numbers_and_the_protocols_name(data, tmp_path):
    made, given = tmp_path / "made.json", tmp_path / "given.json"
    run("bicubic", "--data", data, "--no-lpips", "--json", made)
    result = run("bicubic", "--data", data, "--no-lpips", "--json", given, "--lr", "given")
    assert "protocol sr-y-float+given-lr" in result.stdout
    contents = [json.loads(file.read_text()) for file in (made, given)]
    assert contents[1]["lr"] == "given"
    assert contents[0]["rows"][0]["metrics"] != contents[1]["rows"][0]["metrics"]


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        (["bicubik"], BadSetting, "did you mean 'bicubic'"),
        (["bicubic", "--protocol", "sry"], BadSetting, "did you mean 'sr-y'"),
        (["bicubic", "--scale", "8", "--lr", "given"], BadPhotos, "LR_x8 does not exist"),
        (["bicubic", "images:nowhere"], BadPhotos, "nowhere is no folder"),
        (["bicubic", "bicubic"], BadSetting, "bicubic is given 2 times"),
        (["bicubic", "--metrics", "psnr,sim"], BadSetting, "did you mean 'ssim'"),
        (["bicubic", "--metrics", "psnr_rgb"], BadSetting, "ask for psnr"),
        (["bicubic", "--metrics", "lpips_alex"], BadSetting, "leaves nothing to measure"),
        (["bicubic", "--metrics", " ,"], BadSetting, "leaves nothing to measure"),
    ],
)
def test_mistakes_are_one_sentence_and_nothing_is_printed(data, arguments, kind, message):
    result = run(*arguments, "--data", data, "--no-lpips")
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert result.stdout == ""


def test_given_lr_say_how_they_differ_from_the_protocols(data, tmp_path):
    file = tmp_path / "given.json"
    result = run("bicubic", "--data", data, "--no-lpips", "--json", file, "--lr", "given")
    assert "The given LR against those by matlab: inside " in result.stdout
    content = json.loads(file.read_text())["given_lr"]
    assert content["resizer"] == "matlab"
    assert set(content["inside"]) == set(content["edge"]) == {"equal", "largest"}
    assert 0 < content["edge"]["equal"] < 1


@pytest.fixture
def no_weights(monkeypatch):
    def no_connection(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr("upres.weights.published.find", lambda *_: None)
    monkeypatch.setattr("upres.weights.published._downloaded", no_connection)


def test_a_metric_without_its_weights_is_named_and_the_others_are_printed(data, no_weights):
    result = run("bicubic", "--data", data)
    assert isinstance(result.exception, WorkFailed)
    assert result.exception.exit_code == 1
    told = str(result.exception)
    assert told.startswith("1 metric could not be measured, the rest is above:\n  ")
    assert "`upres weights get alexnet`" in told
    assert "| PSNR-Y (dB) |" in result.stdout and "LPIPS" not in result.stdout


def test_without_any_weights_nothing_is_started(data, no_weights):
    result = run("bicubic", "--data", data, "--metrics", "lpips_alex")
    assert isinstance(result.exception, MissingWeights)
    assert result.stdout == ""


def test_unreadable_pictures_are_named_and_the_rest_is_judged(data, tmp_path):
    picture = (data / "HR" / "a.png").read_bytes()
    for name in ("b.png", "c.png", "d.png"):
        (data / "HR" / name).write_bytes(picture)
        (data / "LR_x4" / name).write_bytes((data / "LR_x4" / "a.png").read_bytes())
    done = tmp_path / "done"
    done.mkdir()
    for name in "abcd":
        (done / f"{name}.png").write_bytes(picture)
    damaged = [data / "HR" / "b.png", data / "LR_x4" / "c.png", done / "d.png"]
    for path in damaged:
        path.write_bytes(b"no picture")
    arguments = ["bicubic", f"images:{done}", "--data", data, "--lr", "given", "--no-lpips"]
    result = run(*arguments, "--json", tmp_path / "scores.json")
    assert isinstance(result.exception, WorkFailed)
    told = str(result.exception)
    assert told.startswith("3 pictures could not be judged, the rest is above:\n")
    assert all(str(path) in told for path in damaged)
    content = json.loads((tmp_path / "scores.json").read_text())
    assert [failure["image"] for failure in content["failed"]] == ["b.png", "c.png", "d.png"]
    for row in content["rows"]:
        assert [score["image"] for score in row["per_image"]] == ["a.png"]


def test_luma_that_was_enlarged_alone_is_measured_without_lpips(data):
    result = run("bicubic", "--data", data, "--protocol", "vdsr")
    assert result.exit_code == 0, result.exception
    assert "PSNR-Y" in result.stdout and "LPIPS" not in result.stdout


def test_metrics_are_those_asked_for_in_that_order(data, tmp_path):
    file = tmp_path / "scores.json"
    asked = "ssim, psnr_y,lr_psnr,psnr"
    result = run("bicubic", "--data", data, "--metrics", asked, "--json", file)
    assert result.exit_code == 0, result.exception
    assert list(json.loads(file.read_text())["rows"][0]["metrics"]) == [
        "ssim_y",
        "psnr_y",
        "lr_psnr",
    ]


def test_saved_pictures_are_what_was_judged(data, tmp_path):
    folder = tmp_path / "kept"
    arguments = ["nearest", "bicubic", "--data", data, "--no-lpips", "--save", folder]
    assert run(*arguments).exit_code == 0
    hr, lr, nearest, bicubic = (
        np.asarray(Image.open(folder / "pictures" / "set" / side / "a.png"))
        for side in ("HR", "LR", "nearest", "bicubic")
    )
    assert (hr == np.asarray(Image.open(data / "HR" / "a.png"))).all()
    assert (lr == shrink(hr, 4, "matlab")).all()
    assert (nearest == lr.repeat(4, 0).repeat(4, 1)).all()
    assert (bicubic == enlarge(lr, 4)).all()
    content = json.loads((folder / "evaluation.json").read_text())
    assert [row["model"] for row in content["rows"]] == ["nearest", "bicubic"]
    again = run(f"images:{folder / 'pictures' / 'set' / 'bicubic'}", "--data", data, "--no-lpips")
    assert again.exit_code == 0, again.exception
    assert run(*arguments).exit_code == 0  # the same rows are written again


def test_a_folder_with_another_evaluation_is_left_alone(data, tmp_path):
    folder = tmp_path / "kept"
    run("bicubic", "--data", data, "--no-lpips", "--save", folder)
    before = (folder / "evaluation.json").read_bytes()
    others = [["nearest"], ["bicubic", "--protocol", "sr-y"], ["bicubic", "--scale", "2"]]
    for other in others:
        result = run(*other, "--data", data, "--no-lpips", "--save", folder)
        assert isinstance(result.exception, BadSetting)
        assert "kept holds an evaluation of bicubic by sr-y-float x4" in str(result.exception)
    assert (folder / "evaluation.json").read_bytes() == before


def test_a_device_that_is_not_here_is_refused(data):
    result = run("bicubic", "--data", data, "--no-lpips", "--device", "tpu")
    assert isinstance(result.exception, BadSetting)
    assert "'tpu' is unknown" in str(result.exception)


def test_the_source_of_lr_is_made_or_given(data):
    result = run("bicubic", "--data", data, "--lr", "stolen")
    assert result.exit_code == 2
    assert "stolen" in result.stderr
