"""`upres metrics` from the outside."""

import json

import pytest
import typer
from typer.testing import CliRunner

from upres.cli.metrics import metrics
from upres.errors import BadSetting
from upres.metrics.known import METRICS

app = typer.Typer()
app.command()(metrics)


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_every_metric_is_listed_with_what_it_does_not_see():
    result = run()
    assert result.exit_code == 0
    heads = [line for line in result.stdout.splitlines() if line and not line.startswith(" ")]
    names = [line.split()[0] for line in heads]
    assert names[: len(METRICS)] == list(METRICS)
    assert result.stdout.count("  blind to") == len(METRICS)
    assert "vgg19_relu5_4" in result.stdout
    assert all(len(line) <= 96 for line in result.stdout.splitlines())


def test_one_is_told_in_full():
    assert run("niqe").stdout == (
        "niqe                NIQE; lower is better; range 0 and more; from 192 pixels a side; "
        "whole RGB\n"
        "                    picture; weights niqe\n"
        "  says              how unlike undamaged photos the statistics of SR's luma are; it sees "
        "no HR\n"
        "  blind to          whether the picture shows what HR shows; colour; noise may please it\n"
        "  source            Mittal et al. 2013, the authors' model, blocks of 96\n"
    )


def test_json_has_every_field_and_null_where_there_is_no_bound():
    listed = json.loads(run("--json").stdout)
    assert [metric["name"] for metric in listed] == list(METRICS)
    psnr = json.loads(run("psnr", "--json").stdout)
    assert psnr["high"] is None and psnr["low"] is None and psnr["unit"] == "dB"
    layer = json.loads(run("vgg19_conv5_4", "--json").stdout)
    assert layer["weights"] == ["vgg19"] and layer["direction"] == "lower is better"
    assert layer["least_side"] == 16 and layer["low"] == 0


def test_an_unknown_metric_is_told():
    with pytest.raises(BadSetting, match="did you mean 'niqe'"):
        raise run("nique").exception
