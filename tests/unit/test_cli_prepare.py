"""`upres prepare`: counts on stdout, the names of what was left out on stderr."""

from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from upres.cli.prepare import prepare
from upres.data.store import open_store
from upres.errors import BadPhotos, BadSetting, WorkFailed


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


def test_verify_says_that_all_is_well_or_names_what_is_damaged(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(photos(tmp_path / "photos", 8), store)
    result = run("--verify", store)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{store}: 8 photos, all as they were prepared\n"
    pixels = np.fromfile(store / "hr.bin", np.uint8)
    pixels[2 * 144 * 160 * 3 + 5] ^= 1  # in the third photo
    pixels.tofile(store / "hr.bin")
    result = run(store, "--verify")
    assert isinstance(result.exception, WorkFailed)  # exit code 1
    assert str(result.exception).startswith(f"{store} is damaged: 1 of its 8 photos or files")
    assert result.stderr == "  2.png: HR\n"


def test_what_verify_and_prepare_need_is_one_sentence(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 8)
    result = run("--verify", folder, tmp_path / "store")
    assert str(result.exception) == (
        "--verify takes the store alone: `upres prepare --verify STORE`."
    )
    result = run(folder)
    assert str(result.exception) == ("give the folder to write too: `upres prepare FOLDER STORE`.")
    result = run("--verify", folder)
    assert isinstance(result.exception, BadPhotos)
    assert "is no prepared store" in str(result.exception)
