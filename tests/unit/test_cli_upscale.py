"""`upres upscale` from the outside: paths on stdout, the rest on stderr, exit codes by contract."""

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.upscale import upscale
from upres.errors import BadPicture, BadSetting, BadWeights, WorkFailed
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint

app = typer.Typer()
app.command()(upscale)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    settings = CompactSettings(width=4, convs=1)
    tensors = build_generator(settings, 2, seed=0).state_dict()
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_checkpoint(path, tensors, CheckpointHeader(generator=settings, scale=2, upres_version="0"))
    return path


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / name)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_folder_is_enlarged_and_the_results_are_named(photos, model, tmp_path):
    result = run(photos, "-o", tmp_path / "out", "--model", model, "--precision", "bf16")
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"{tmp_path / 'out' / 'a_x2.png'}\n{tmp_path / 'out' / 'b_x2.png'}\n"
    assert result.stderr == "Enlarged 2 pictures x2 in bf16.\n"
    with Image.open(tmp_path / "out" / "a_x2.png") as sr:
        assert sr.size == (14, 10)


def test_quiet_prints_results_only(photos, model):
    result = run(photos / "a.png", "--model", model, "--quiet", "--tile", "4")
    assert result.stdout == f"{photos / 'a_x2.png'}\n"
    assert result.stderr == ""


def test_one_picture_may_get_a_name_and_nothing_is_overwritten(photos, model, tmp_path):
    arguments = (photos / "a.png", "-o", tmp_path / "big.jpg", "--model", model)
    assert run(*arguments).stdout == f"{tmp_path / 'big.jpg'}\n"
    again = run(*arguments)
    assert isinstance(again.exception, BadSetting)
    assert again.stdout == ""
    assert run(*arguments, "--overwrite").exit_code == 0


def test_a_bad_file_among_good_ones_is_a_partial_failure(photos, model, tmp_path):
    (photos / "c.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    result = run(photos, "-o", tmp_path / "out", "--model", model)
    assert isinstance(result.exception, WorkFailed)
    assert result.exception.exit_code == 1
    assert "1 of 3 pictures failed:\n" in str(result.exception)
    assert len(result.stdout.splitlines()) == len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        (["missing.png"], BadPicture, "missing.png does not exist"),
        (["a.png", "--model", "no-such-model"], BadSetting, "'no-such-model' is neither a model"),
        (["a.png", "--model", "a.png"], BadWeights, "a.png"),
        (["a.png", "-o", "a.xyz"], BadPicture, "a.xyz cannot be written"),
        (["a.png", "b.png", "-o", "c.png"], BadSetting, "c.png is a file"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_2(
    photos, model, monkeypatch, arguments, kind, message
):
    monkeypatch.chdir(photos)
    result = run("--model", model, *arguments)
    assert isinstance(result.exception, kind)
    assert result.exception.exit_code == 2
    assert message in str(result.exception)
    assert result.stdout == ""
    assert sorted(path.name for path in photos.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("wrong", [["--tile", "-1"], ["--precision", "fp16"], []])
def test_wrong_options_are_usage_errors(photos, wrong):
    assert run(*([photos / "a.png"] if wrong else []), *wrong).exit_code == 2
