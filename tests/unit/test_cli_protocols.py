"""`upres protocols` and `upres self-check` from the outside: what they print, write and refuse."""

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.protocols import protocols
from upres.cli.self_check import self_check
from upres.errors import BadSetting, WorkFailed
from upres.evaluation.protocols import PROTOCOLS, Protocol

app = typer.Typer()
app.command("protocols")(protocols)
app.command("self-check")(self_check)


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def five(tmp_path):
    """Five pictures of noise, which are not Set5."""
    (tmp_path / "five").mkdir()
    rng = np.random.default_rng(0)
    for name in "abcde":
        noise = rng.integers(0, 256, (24, 36, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "five" / f"{name}.png")
    return tmp_path / "five"


def test_the_list_has_a_line_for_each_protocol():
    result = run("protocols")
    assert result.exit_code == 0
    heads = [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert heads == list(PROTOCOLS)


def test_one_protocol_is_explained():
    result = run("protocols", "sr-y")
    assert result.exit_code == 0
    assert result.stdout.startswith("protocol       sr-y: Luma, rounded to 8 bits;")


def test_json_holds_every_field():
    everything = json.loads(run("protocols", "--json").stdout)
    assert [Protocol.model_validate(fields) for fields in everything] == list(PROTOCOLS.values())
    one = json.loads(run("protocols", "vdsr", "--json").stdout)
    assert Protocol.model_validate(one) == PROTOCOLS["vdsr"]


def test_an_unknown_protocol_is_answered_with_the_nearest():
    error = run("protocols", "srrgb").exception
    assert isinstance(error, BadSetting)
    assert str(error) == "no protocol 'srrgb'; did you mean 'sr-rgb'?"


def test_pictures_that_are_not_the_set_end_with_1_and_every_line_is_printed(five, tmp_path):
    file = tmp_path / "new" / "check.json"
    result = run("self-check", "--data", five, "--scale", 4, "--json", file, "--quiet")
    assert isinstance(result.exception, WorkFailed)
    assert result.exception.exit_code == 1
    assert "does not give the rows of Set5:\n  Set5 x4 by vdsr is " in str(result.exception)
    assert result.stdout.startswith("Set5 x4, bicubic, luma, border 4; papers: 28.42 / 0.8104\n")
    (check,) = json.loads(file.read_text())
    assert check["published"] == {"psnr": 28.42, "ssim": 0.8104}
    assert [chain["protocol"] for chain in check["chains"]][-1] == "sr-y-float"


def test_all_three_scales_are_the_default(five):
    titles = [line for line in run("self-check", "--data", five).stdout.splitlines() if ";" in line]
    assert [title.split(",")[0] for title in titles[::2]] == ["Set5 x2", "Set5 x3", "Set5 x4"]


def test_a_set_that_cannot_be_told_is_asked_for(five):
    (five / "e.png").unlink()
    error = run("self-check", "--data", five).exception
    assert isinstance(error, BadSetting)
    assert str(error).endswith("as no known benchmark does; say which set it is with --set.")
