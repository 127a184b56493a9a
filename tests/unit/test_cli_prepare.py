"""`upres prepare`: counts on stdout, the names of what was left out on stderr."""

from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from upres.cli.prepare import prepare
from upres.data.store import open_store
from upres.errors import BadPhotos, BadSetting


def photos(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        cells = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(cells.repeat(9, 0).repeat(10, 1)).save(folder / f"{number}.png")
    return folder


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(prepare)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_counts_go_to_stdout_and_names_to_stderr(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 10)
    Image.open(folder / "4.png").save(folder / "twin [4].tif")
    Image.open(folder / "5.png").convert("L").save(folder / "grey 5.png")
    (folder / "broken.png").write_text("")
    result = run(folder, tmp_path / "store")
    assert result.exit_code == 0
    assert result.stdout == (
        "11 photos of 0.3 MP, parted whole: 7 train, 2 validation, 2 test; "
        "left out: 1 unreadable, 1 duplicate\n"
    )
    assert result.stderr.splitlines() == [
        "left out, unreadable (1):",
        "  broken.png: is empty; a picture was expected.",
        "left out, duplicate (1):",
        "  twin [4].tif: same pixels as 4.png",
        "near duplicates, each group on one side (1):",
        "  5.png, grey 5.png",
    ]
    assert open_store(tmp_path / "store").scale == 4


def test_a_long_list_of_names_is_shortened(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 7)
    for number in range(23):
        (folder / f"note{number:02}.txt").write_text("")
    lines = run(folder, tmp_path / "store").stderr.splitlines()
    assert lines[0] == "left out, no picture (23):"
    assert lines[20] == "  note19.txt: .txt ending"
    assert lines[21:] == ["  and 3 more (see store.json)"]


def test_options_reach_the_store_and_quiet_is_quiet(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 7)
    (folder / "broken.png").write_text("")
    options = ("--scale", "2", "--resizer", "pillow", "--min-side", "96", "--quiet")
    result = run(folder, tmp_path / "store", *options)
    assert result.stderr == ""
    record = open_store(tmp_path / "store").record
    assert (record.scale, record.resizer, record.min_side) == (2, "pillow", 96)


def test_a_wrong_resizer_and_a_missing_folder_are_one_sentence(tmp_path: Path) -> None:
    result = run(tmp_path, tmp_path / "store", "--resizer", "pilow")
    assert isinstance(result.exception, BadSetting)
    assert str(result.exception) == "'pilow' is no resizer; did you mean 'pillow'?"
    result = run(tmp_path / "nothing", tmp_path / "store")
    assert isinstance(result.exception, BadPhotos)
    assert str(result.exception).endswith("nothing does not exist; give a folder of photos.")


@pytest.mark.parametrize("option", ["--scale", "--min-side"])
def test_a_size_of_zero_is_a_usage_error(tmp_path: Path, option: str) -> None:
    assert run(tmp_path, tmp_path / "store", option, "0").exit_code == 2
