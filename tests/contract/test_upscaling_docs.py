"""What the documentation says of `upres upscale` is what the command takes."""

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from upres.cli.upscale import CONTEXT, upscale

DOCS = Path(__file__).parents[2] / "docs"
OTHERS = {"--resume", "--batch-size", "--tile-size", "--gpu", "--init"} | {
    *("--photos", "--protocol", "--data")
}  # of waifu2x, and of other commands of ours


def options():
    app = typer.Typer(add_completion=False)
    app.command(context_settings=CONTEXT)(upscale)
    return {
        name
        for parameter in get_command(app).params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


@pytest.mark.parametrize("page", ["concepts/upscaling.md", "migrating.md"])
def test_every_option_that_is_told_of_exists(page):
    told = re.findall(r"(?<![\w-])--[a-z][a-z0-9_-]+", (DOCS / page).read_text(encoding="utf-8"))
    assert len(told) > 20
    assert {name.replace("_", "-") for name in told} - options() - OTHERS == set()


def test_every_option_of_the_command_is_told_of():
    told = (DOCS / "concepts" / "upscaling.md").read_text(encoding="utf-8")
    told += (DOCS / "migrating.md").read_text(encoding="utf-8")
    long = {name for name in options() if name.startswith("--")}
    untold = {name for name in long if name not in told.replace("_", "-")}
    assert untold == set()
