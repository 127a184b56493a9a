"""`upres describe`: recipes, models and files, as a table and as JSON."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from upres.cli import main
from upres.cli.describe import described
from upres.errors import BadSetting, BadWeights
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.weights.checkpoint import CheckpointHeader, Parent, save_checkpoint


def upres_describe(*arguments: str) -> Result:
    if not main.app.registered_commands:
        main._register()
    return CliRunner().invoke(main.app, ["describe", *arguments])


def test_a_recipe_has_its_generator_and_its_discriminator() -> None:
    generator, discriminator = described("usrgan")
    assert (generator["network"], generator["scale"]) == ("rrdbnet", 4)
    assert generator["parameters"] == 16_697_987
    assert (generator["input"], generator["output"]) == ((3, 32, 32), (3, 128, 128))
    assert (discriminator["network"], discriminator["stage"]) == ("vgg", "gan")
    assert discriminator["parameters"] == 14_496_521
    assert discriminator["input"] == (3, 128, 128)
    assert discriminator["output"] == (1,)


def test_a_recipe_without_a_discriminator_has_a_generator_only() -> None:
    (generator,) = described("srcnn")
    assert generator["role"] == "generator"
    assert generator["flops_per_lr_pixel"] > 0


def test_json_has_every_layer() -> None:
    result = upres_describe("usrgan", "--json")
    assert result.exit_code == 0, result.output
    generator, discriminator = json.loads(result.stdout)
    assert len([layer for layer in generator["layers"] if layer["name"]]) == 351  # convolutions
    assert sum(layer["parameters"] for layer in generator["layers"]) == 16_697_987
    assert discriminator["sides"] == "multiples of 16, at least 16"


def test_the_table_tells_equal_blocks_once_and_the_sizes_below() -> None:
    lines = upres_describe("usrgan").stdout.splitlines()
    (row,) = [line for line in lines if "rdb2.conv5" in line]
    assert "body.*.rdb2.conv5 (x 23)" in row
    assert f"{23 * (192 * 64 * 9 + 64):,}" in row
    assert "parameters that learn: 16,697,987" in lines
    assert "scales: 1, 2, 3, 4, 8" in lines
    assert "batch norm: no" in lines


def test_a_foreign_file_is_described_by_what_it_holds(tmp_path: Path) -> None:
    settings = RRDBNetSettings(blocks=2, width=8, growth=4)
    network = build_generator(settings, 2, seed=0)
    torch.save({"params_ema": network.state_dict()}, tmp_path / "mine.pth")
    (generator,) = described(str(tmp_path / "mine.pth"))
    assert generator["settings"]["blocks"] == 2
    assert generator["output"] == (3, 64, 64)
    assert generator["layers"][0]["kind"] == "pixel unshuffle /2"


def test_a_recipe_file_is_a_recipe(tmp_path: Path) -> None:
    from upres.recipes import RECIPES
    from upres.recipes.text import to_yaml

    (tmp_path / "mine.yaml").write_text(to_yaml(RECIPES["tiny"]))
    assert described(str(tmp_path / "mine.yaml")) == described("tiny")


def test_an_unknown_name_is_answered_with_the_nearest_of_both_kinds() -> None:
    with pytest.raises(BadSetting) as error:
        described("usrgann")
    assert str(error.value) == (
        "'usrgann' is neither a recipe nor a model nor a file or a folder, did you mean 'usrgan'?"
    )


def checkpoint(path: Path, **known: object) -> Path:
    settings = CompactSettings(width=8, convs=1)
    header = CheckpointHeader(generator=settings, scale=4, upres_version="7").model_copy(
        update=known
    )
    save_checkpoint(path, build_generator(settings, 4, seed=0).state_dict(), header)
    return path


def test_a_checkpoint_tells_its_training_its_scores_and_all_of_their_protocol(
    tmp_path: Path,
) -> None:
    conditions = {"name": "own", "explanation": "Luma of squares.", "border": 9, "later": True}
    path = checkpoint(
        tmp_path / "a.safetensors",
        recipe={"name": "tiny"},
        stage="gan",
        step=1200,
        weights="ema",
        metrics={"psnr_y": 27.5, "lpips_alex": 0.125},
        protocol="own",
        conditions=conditions,
    )
    assert upres_describe(str(path)).stdout.splitlines()[-4:-1] == [
        "trained: recipe tiny, stage gan, step 1200, ema weights, upres 7",
        "scored when it was saved: psnr_y 27.5000, lpips_alex 0.1250, by protocol own",
        "that protocol: Luma of squares. (border 9, later True)",
    ]
    (facts,) = json.loads(upres_describe(str(path), "--json").stdout)
    assert facts["checkpoint"]["conditions"] == conditions
    assert facts["checkpoint"]["metrics"] == {"psnr_y": 27.5, "lpips_alex": 0.125}


def test_a_mixture_tells_its_parts_and_an_older_file_what_it_knows(tmp_path: Path) -> None:
    parents = (
        Parent(name="a", sha256="12", share=0.75, header=None),
        Parent(name="b", sha256="34", share=0.25, header=None),
    )
    mixed = upres_describe(str(checkpoint(tmp_path / "m.safetensors", parents=parents)))
    assert mixed.stdout.splitlines()[-3:-1] == [
        "made of: 0.75 of a, sha256 12",
        "made of: 0.25 of b, sha256 34",
    ]
    scored = {"metrics": {"psnr_y": 27.5}, "protocol": "sr-y"}
    older = upres_describe(str(checkpoint(tmp_path / "o.safetensors", **scored)))
    last = "scored when it was saved: psnr_y 27.5000, by protocol sr-y"
    assert older.stdout.splitlines()[-2] == last


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"gone\.pth does not exist"):
        described(str(tmp_path / "gone.pth"))
