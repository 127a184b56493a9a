"""`upres interpolate` and `upres sweep` from the outside: what they write, print and refuse."""

import json

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.interpolate import interpolate
from upres.cli.sweep import sweep
from upres.errors import BadSetting, BadWeights, MissingWeights, WorkFailed
from upres.images.resize import enlarge
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, read_checkpoint, save_checkpoint

app = typer.Typer()
app.command()(interpolate)
app.command()(sweep)

SETTINGS = CompactSettings(width=4, convs=1)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """a and b, of one architecture; b is a with every weight a little larger."""
    monkeypatch.chdir(tmp_path)
    tensors = build_generator(SETTINGS, 2, seed=1).state_dict()
    header = CheckpointHeader(generator=SETTINGS, scale=2, upres_version="0.1.0")
    save_checkpoint(tmp_path / "a.safetensors", tensors, header)
    larger = {name: tensor * 1.1 for name, tensor in tensors.items()}
    save_checkpoint(tmp_path / "b.safetensors", larger, header)
    return "a.safetensors", "b.safetensors"


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for seed in range(2):
        small = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(enlarge(small, 4)).save(folder / f"{seed}.png")
    return folder


def test_the_file_holds_the_mixture_and_names_both_networks(networks):
    result = run("interpolate", *networks, "--alpha", 0.3, "--out", "new/mixed.safetensors")
    assert result.exit_code == 0, result.exception
    assert result.stdout == "new/mixed.safetensors\n"
    assert result.stderr == "0.7 of a.safetensors and 0.3 of b.safetensors.\n"
    first, second = (read_checkpoint_of(name) for name in networks)
    header, mixed = read_checkpoint_of("new/mixed.safetensors", header=True)
    for name, tensor in mixed.items():
        torch.testing.assert_close(tensor, 0.7 * first[name] + 0.3 * second[name])
    assert [(parent.name, parent.share) for parent in header.parents] == [
        ("a.safetensors", 0.7),
        ("b.safetensors", 0.3),
    ]


def read_checkpoint_of(name, *, header=False):
    from pathlib import Path

    found = read_checkpoint(Path(name))
    return found if header else found[1]


def test_networks_that_were_trained_apart_are_mixed_with_a_warning(networks, tmp_path):
    tensors = read_checkpoint_of("a.safetensors")
    away = {name: -tensor if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}
    save_checkpoint(
        tmp_path / "c.safetensors", away, read_checkpoint_of("a.safetensors", header=True)[0]
    )
    arguments = ("interpolate", "a.safetensors", "c.safetensors", "--alpha", 0.5, "--out")
    result = run(*arguments, "d.safetensors")
    assert result.exit_code == 0
    assert "cosine of -1.00" in result.stderr
    assert run(*arguments, "e.safetensors", "--quiet").stderr == ""


@pytest.mark.parametrize(
    "out, message",
    [
        ("mixed.pth", "must end with .safetensors"),
        ("b.safetensors", "b.safetensors exists; give --out another name"),
    ],
)
def test_mistakes_write_nothing(networks, tmp_path, out, message):
    before = sorted(path.name for path in tmp_path.iterdir())
    result = run("interpolate", *networks, "--alpha", 0.5, "--out", out)
    assert isinstance(result.exception, BadSetting)
    assert message in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("alpha", ["1.5", "-0.1", "nan"])
def test_an_alpha_that_is_no_share_is_a_mistake_of_usage(networks, alpha):
    assert run("interpolate", *networks, "--alpha", alpha, "--out", "c.safetensors").exit_code == 2


def test_overwrite_replaces_a_file(networks):
    arguments = ("interpolate", *networks, "--alpha", 0.5, "--out", "b.safetensors")
    assert run(*arguments, "--overwrite").exit_code == 0
    assert read_checkpoint_of("b.safetensors", header=True)[0].parents


def test_unlike_networks_are_refused(networks, tmp_path):
    header = CheckpointHeader(generator=SETTINGS, scale=4, upres_version="0.1.0")
    tensors = build_generator(SETTINGS, 4, seed=1).state_dict()
    save_checkpoint(tmp_path / "x4.safetensors", tensors, header)
    out = ("--alpha", 0.5, "--out", "c.safetensors")
    for arguments in (("interpolate", *out), ("sweep", "--data", "nowhere")):
        result = run(arguments[0], "a.safetensors", "x4.safetensors", *arguments[1:])
        assert isinstance(result.exception, BadWeights)
        assert "a.safetensors has scale 2, but x4.safetensors has 4" in str(result.exception)


def test_a_sweep_prints_every_alpha_and_writes_what_a_report_reads(networks, data, tmp_path):
    arguments = (
        "--data",
        data,
        "--alphas",
        "0,0.5,1",
        "--metrics",
        "psnr,ssim",
        "--json",
        "s.json",
    )
    result = run("sweep", *networks, *arguments, "-o", "sweep.html")
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    assert lines[0] == "set x2, protocol sr-y-float"
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| alpha")] == [
        "alpha 0",
        "alpha 0.5",
        "alpha 1",
    ]
    assert "No alpha is advised: no metric of perception was measured" in result.stdout
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["sweep"]["advice"]["alpha"] is None
    page = (tmp_path / "sweep.html").read_text()
    assert "PSNR-Y by alpha" in page
    assert "From a.safetensors to b.safetensors" in page
    assert page.count("data:image") > 4  # pictures of three alphas


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--alphas", "0,1"], "--alphas 0,1: expected 3 or more"),
        (["--metrics", "psnr,ssimm"], "no metric 'ssimm'"),
        (["--protocol", "vdsr", "--metrics", "psnr"], "enlarges luma alone, which alpha 0 cannot"),
        (["-o", "sweep.pdf"], "must end with .html"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_mistakes_of_a_sweep_are_one_sentence(networks, data, arguments, message):
    result = run("sweep", *networks, "--data", data, "--metrics", "psnr", *arguments)
    assert isinstance(result.exception, BadSetting)
    assert message in str(result.exception)
    assert result.stdout == ""


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_judged(networks, data):
    (data / "broken.png").write_bytes(b"no picture")
    result = run("sweep", *networks, "--data", data, "--metrics", "psnr", "--alphas", "0,0.5,1")
    assert isinstance(result.exception, WorkFailed)
    assert "broken.png" in str(result.exception)
    assert "| alpha 0.5" in result.stdout


def test_a_metric_without_weights_is_named_and_the_others_printed(networks, data, monkeypatch):
    def nowhere(*_, **__):
        raise MissingWeights("LPIPS needs weights; get them.")

    monkeypatch.setattr("upres.evaluation.networks.require", nowhere)
    result = run("sweep", *networks, "--data", data, "--alphas", "0,0.5,1")
    assert isinstance(result.exception, WorkFailed)
    assert "LPIPS needs weights; get them." in str(result.exception)
    assert "PSNR-Y" in result.stdout
    assert "| LPIPS" not in result.stdout
