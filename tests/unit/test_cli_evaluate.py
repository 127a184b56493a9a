"""`upres evaluate` from the outside: what it prints, writes and refuses."""

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.evaluate import evaluate
from upres.errors import BadPhotos, BadSetting, MissingWeights
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
    ],
)
def test_mistakes_are_one_sentence_and_nothing_is_printed(data, arguments, kind, message):
    result = run(*arguments, "--data", data, "--no-lpips")
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert result.stdout == ""


def test_missing_weights_name_the_option_that_avoids_them(data, monkeypatch):
    monkeypatch.setattr("upres.weights.published.find", lambda *_: None)

    def no_connection(*_):
        raise ConnectionError("no route to host")

    monkeypatch.setattr("upres.weights.published._downloaded", no_connection)
    result = run("bicubic", "--data", data)
    assert isinstance(result.exception, MissingWeights)
    assert "--no-lpips" in str(result.exception)


def test_the_source_of_lr_is_made_or_given(data):
    result = run("bicubic", "--data", data, "--lr", "stolen")
    assert result.exit_code == 2
    assert "stolen" in result.stderr
