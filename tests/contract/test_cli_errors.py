"""A user's mistake is exit code 2 and one sentence on stderr: no traceback, nothing half-written.

All of it goes through the program's own `main`, as a shell would call it.
"""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from upres.cli import live
from upres.cli.main import main
from upres.errors import MissingWeights
from upres.images.files import Picture, write_picture
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.recipes import RECIPES
from upres.recipes.text import override
from upres.training.train import find_needs
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint

QUICK = {
    "validation.metrics": "[psnr_y]",
    "validation.side": "48",
    "crops.hr_patch": "32",
    "batch": "1",
    "compile": "no",
    "generator.width": "8",
    "generator.convs": "1",
    "stages.pixel.steps": "3",
    "stages.pixel.schedule.warmup_steps": "0",
}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Upres = Callable[..., Ended]


@pytest.fixture
def upres(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Upres]:
    """Call the program; its cache lies in the test's folder and nothing can be downloaded."""

    def no_connection(*_: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("upres.weights.published._downloaded", no_connection)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UPRES_WEIGHTS", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["upres", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ended(code, *capfd.readouterr())

    hook = sys.excepthook
    yield call
    sys.excepthook = hook


def settings(changes: dict[str, str] | None = None) -> list[str]:
    fields = QUICK | (changes or {})
    return [part for field, value in fields.items() for part in ("--set", f"{field}={value}")]


def train(
    photos: Path, out: Path, *more: object, recipe: str = "compact-x4", **changes: str
) -> list[object]:
    """The arguments of a training that takes a second and needs no pretrained weights."""
    dotted = {field.replace("__", "."): value for field, value in changes.items()}
    options = ["--photos", photos, "--out", out, "--no-report", "--quiet"]
    return ["train", recipe, *options, *settings(dotted), *more]


def assert_refused(ended: Ended, *words: str, code: int = 2) -> None:
    """One sentence that begins with "Error: ", names these things, and nothing else is said."""
    assert ended.code == code, ended
    assert ended.out == ""
    assert ended.err.startswith("Error: "), ended.err
    assert ended.err.endswith((".\n", "?\n")), ended.err
    assert ended.err.count("\n") == 1, ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err


def tree(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def checkpoint(path: Path, width: int = 8, convs: int = 1) -> Path:
    generator = CompactSettings(width=width, convs=convs)
    network = build_generator(generator, 4, seed=0)
    header = CheckpointHeader(generator=generator, scale=4, upres_version="1")
    save_checkpoint(path, network.state_dict(), header)
    return path


# --- what works: the mistakes below are one step away from it


def test_the_training_that_the_mistakes_vary_works(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    init = checkpoint(tmp_path / "first.safetensors")
    ended = upres(*train(photo_folder, tmp_path / "run", "--init", init))
    assert ended == Ended(0, f"{tmp_path / 'run' / 'model.safetensors'}\n", "")


# --- recipes and fields


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compact-x5"], ["no recipe 'compact-x5'", "did you mean 'compact-x4'?"]),
        (["mine.yaml"], ["no recipe file 'mine.yaml'"]),
        (["--set", "stages.pixel.stepz=5"], ["stages.pixel.stepz", "did you mean 'steps'?"]),
        (["--set", "stage.pixel.steps=5"], ["did you mean 'stages'?"]),
        (["--set", "batch=many"], ["batch is 'many'", "integer"]),
        (["--set", "batch=0"], ["batch is '0'", "greater than 0"]),
        (["--set", "batch"], ["'batch' is not of the form field=value"]),
        (["--set", "scale=5"], ["scale is '5'"]),
        (["--set", "stages.pixel.best=[lpips_alex]"], ["stages.pixel.best", "lpips_alex"]),
        (["--set", "crops.hr_patch=33"], ["crops.hr_patch 33", "multiple of scale 4"]),
        (["--set", "generator.skip=cubic"], ["generator.skip is 'cubic'"]),
        (["--set", "validation.protocol=sr-z"], ["'sr-z'", "did you mean 'sr-y'"]),
        (["--set", "resizer=pilow"], ["resizer is 'pilow'"]),
    ],
)
def test_a_wrong_recipe_or_field_is_refused_before_anything_is_made(
    upres: Upres, photo_folder: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    command = train(photo_folder, tmp_path / "run")
    if arguments[0] != "--set":
        command[1], arguments = arguments[0], []
    assert_refused(upres(*command, *arguments), *words)
    assert not (tmp_path / "run").exists()


def test_a_recipe_file_that_is_no_recipe_is_refused(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    for text, words in (
        ("- 1\n- 2\n", ["is not a recipe"]),
        ("scale: [4\n", ["is not YAML"]),
        ("scale: 4\nname: mine\n", ["mine.yaml", "source"]),
    ):
        file.write_text(text)
        assert_refused(upres(*train(photo_folder, tmp_path / "run", recipe=str(file))), *words)


# --- photos


def broken(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / "b.jpg").write_bytes(b"")


def words_only(folder: Path) -> None:
    (folder / "notes.txt").write_text("no photo")


def small(folder: Path, side: int = 20) -> None:
    for number in range(7):
        pixels = torch.randint(0, 256, (side, 60, 3), dtype=torch.uint8).numpy()
        write_picture(folder / f"{number}.png", Picture(pixels=pixels))


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda folder: folder.rmdir(), ["is not a folder", "a folder of photos"]),
        (lambda folder: None, ["holds no photos"]),
        (words_only, ["holds no photos"]),
        (broken, ["holds no photo that can be used", "2 cannot be read", "a.png"]),
        (small, ["7 smaller than 32 px", "smaller patch"]),
    ],
)
def test_photos_that_cannot_be_trained_on_are_refused(
    upres: Upres, tmp_path: Path, fill: Callable[[Path], Any], words: list[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    fill(photos)
    assert_refused(upres(*train(photos, tmp_path / "run")), str(photos), *words)
    assert not (tmp_path / "run").exists()
    assert tree(tmp_path / "cache") == {}


def test_a_store_that_was_prepared_for_something_else_is_refused(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    assert upres("prepare", photo_folder, store, "--scale", 2, "--min-side", 32).code == 0
    assert_refused(upres(*train(store, tmp_path / "run")), "prepared for x2", "asks for x4")
    (store / "hr.bin").write_bytes(b"cut off")
    assert_refused(upres(*train(store, tmp_path / "run")), "hr.bin has 7 bytes")
    (store / "store.json").write_text("{")
    assert_refused(upres(*train(store, tmp_path / "run")), "store.json is damaged")
    assert not (tmp_path / "run").exists()


def test_a_store_of_photos_smaller_than_the_patch_is_refused(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    assert upres("prepare", photo_folder, store, "--min-side", 32).code == 0
    ended = upres(*train(store, tmp_path / "run", crops__hr_patch="128"))
    assert_refused(ended, "no train picture has 128 px on its shorter side", "the largest has 72")
    assert not (tmp_path / "run").exists()


def test_photos_too_small_to_be_judged_are_refused(upres: Upres, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    small(tmp_path / "photos", side=18)
    ended = upres(*train(tmp_path / "photos", tmp_path / "run", crops__hr_patch="16"))
    assert_refused(ended, "no validation picture has the 19 px", "larger photos")
    assert not (tmp_path / "run").exists()


# --- the run's folder


def test_another_run_in_the_folder_is_refused_and_stays(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert upres(*train(photo_folder, run)).code == 0
    before = tree(run)
    other = train(photo_folder, run, stages__pixel__optimiser__rate="0.5", seed="3")
    assert_refused(
        upres(*other), "stages.pixel.optimiser.rate was 0.001, now 0.5", "seed was 0, now 3"
    )
    shorter = train(photo_folder, run, stages__pixel__steps="2")
    assert_refused(upres(*shorter), "stages.pixel.steps was 3, now 2")
    assert tree(run) == before


def test_something_else_in_the_place_of_the_run_is_refused_and_stays(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("words")
    assert_refused(upres(*train(photo_folder, tmp_path / "thesis")), "holds no run")
    file = tmp_path / "thesis" / "thesis.txt"
    assert_refused(upres(*train(photo_folder, file)), "a part of its path is a file")
    assert_refused(upres(*train(photo_folder, file / "run")), "a part of its path is a file")
    assert tree(tmp_path / "thesis") == {"thesis.txt": b"words"}


# --- first weights


def truncated(path: Path) -> None:
    checkpoint(path)
    path.write_bytes(path.read_bytes()[:-50])


def a_letter(path: Path) -> None:
    path.write_text("Dear Sir or Madam")


def a_state(path: Path) -> None:
    save_file({"optimiser/0/exp_avg": torch.zeros(3)}, path)


def a_whole_network(path: Path) -> None:
    torch.save(nn.Conv2d(3, 3, 1), path)


def another_size(path: Path) -> None:
    checkpoint(path, width=16)


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("first.safetensors", truncated, ["damaged or cut-off"]),
        ("first.safetensors", a_letter, ["is not a safetensors file"]),
        ("first.pth", a_letter, ["no file of weights"]),
        ("first.safetensors", a_state, ["first.safetensors"]),
        ("first.pth", a_whole_network, ["holds more than plain tensors"]),
        ("first.safetensors", another_size, ["width=16 (recipe: 8)", "--set generator"]),
        ("first.safetensors", lambda path: None, ["does not exist"]),
        ("folder", Path.mkdir, ["is a folder without model.safetensors"]),
    ],
)
def test_first_weights_that_do_not_fit_are_refused(
    upres: Upres,
    photo_folder: Path,
    tmp_path: Path,
    name: str,
    write: Callable[[Path], Any],
    words: list[str],
) -> None:
    first = tmp_path / name
    write(first)
    ended = upres(*train(photo_folder, tmp_path / "run", "--init", first))
    assert_refused(ended, str(first), *words)
    assert not (tmp_path / "run").exists()


# --- models


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One installed model, compact-x4."""
    (tmp_path / "zoo").mkdir()
    checkpoint(tmp_path / "zoo" / "compact-x4.safetensors")
    monkeypatch.setattr("upres.weights.model._ZOO", tmp_path / "zoo")


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("compakt-x4", ["'compakt-x4'", "did you mean 'compact-x4'?"]),
        ("./nowhere/model.safetensors", ["nowhere/model.safetensors does not exist"]),
    ],
)
def test_an_unknown_model_is_refused_by_every_command(
    upres: Upres, photo_folder: Path, tmp_path: Path, model: str, words: list[str]
) -> None:
    judged = ["--data", photo_folder, "--no-lpips", "--quiet", "--json", tmp_path / "all.json"]
    assert_refused(upres("evaluate", "bicubic", model, *judged), *words)
    picture, result = photo_folder / "1.png", tmp_path / "large.png"
    assert_refused(upres("upscale", picture, "-o", result, "--model", model), *words)
    assert_refused(upres(*train(photo_folder, tmp_path / "run", "--init", model)), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["zoo"]


@pytest.mark.usefixtures("zoo")
def test_pictures_that_cannot_be_enlarged_are_refused(upres: Upres, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    result = tmp_path / "large.png"
    assert_refused(upres("upscale", tmp_path / "a.png", "-o", result), "a.png")
    assert_refused(upres("upscale", tmp_path / "b.png", "-o", result), "b.png does not exist")
    assert not result.exists()


def test_an_unknown_protocol_resizer_or_name_of_weights_is_refused(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    data = ["--data", photo_folder, "--no-lpips"]
    assert_refused(upres("evaluate", "bicubic", *data, "--protocol", "sry"), "mean 'sr-y'")
    prepare = ["prepare", photo_folder, tmp_path / "store", "--resizer", "matlap"]
    assert_refused(upres(*prepare), "did you mean 'matlab'?")
    assert_refused(upres("weights", "get", "vgg20"), "did you mean 'vgg")
    assert_refused(upres("recipe", "usrgun"), "did you mean 'usrgan'?")
    assert list(tmp_path.iterdir()) == []


# --- pretrained weights


@pytest.fixture
def nothing_pretrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upres.weights.published.find", lambda *_: None)


@pytest.mark.usefixtures("nothing_pretrained")
def test_missing_pretrained_weights_name_the_need_and_the_ways_out(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    command = ["train", "tiny", "--photos", photo_folder, "--out", tmp_path / "run", "--quiet"]
    without_content = "stages.gan.losses.content.weight=0"
    assert_refused(
        upres(*command),
        "vgg16",
        "the content term of stage gan",
        "upres weights get vgg16",
        "--weights-dir",
        f"--set {without_content}",
    )
    ended = upres(*command, "--set", without_content)
    assert_refused(ended, "alexnet", "LPIPS", "--set validation.metrics=[psnr_y,ssim_y]")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("nothing_pretrained")
def test_the_fields_that_are_named_do_avoid_the_need() -> None:
    recipe = RECIPES["tiny"]
    with pytest.raises(MissingWeights):
        find_needs(recipe, None)
    for setting in (
        "stages.gan.losses.content.weight=0",
        "stages.gan.best=[psnr_y]",
        "validation.metrics=[psnr_y,ssim_y]",
    ):
        recipe = override(recipe, setting)
    needs = find_needs(recipe, None)
    assert needs.lpips is None
    assert not any(perceivers.networks() for perceivers in needs.perceivers.values())


def test_a_folder_of_weights_that_is_none_is_refused(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    command = ["train", "tiny", "--photos", photo_folder, "--out", tmp_path / "run"]
    ended = upres(*command, "--weights-dir", tmp_path / "nowhere")
    assert_refused(ended, "--weights-dir", "nowhere", "no folder")


# --- a full disk


@pytest.mark.parametrize("files_before", [0, 2, 4, 6])
def test_a_full_disk_while_training_leaves_what_was_there(
    upres: Upres,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files_before: int,
) -> None:
    store = tmp_path / "store"
    assert upres("prepare", photo_folder, store, "--min-side", 32).code == 0
    really, synced = os.fsync, 0

    def filling(handle: int) -> None:
        nonlocal synced
        synced += 1
        if synced > files_before:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", filling)
        assert_refused(
            upres(*train(store, tmp_path / "run")), "could not be written: the disk is full"
        )
    assert [name for name in tree(tmp_path / "run") if ".part" in name] == []
    for path in (tmp_path / "run").rglob("*.safetensors"):
        assert load_file(path), path  # whole
    assert upres(*train(store, tmp_path / "run")).code == 0  # with room again, the same command


def test_a_full_disk_at_the_journal_is_refused_too(
    upres: Upres, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.open

    def full(self: Path, mode: str = "r", **options: Any) -> Any:
        if self.name == "metrics.jsonl" and mode == "a":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(self, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        ended = upres(*train(photo_folder, tmp_path / "run"))
    assert_refused(ended, "metrics.jsonl could not be written: no space left on device")
    assert upres(*train(photo_folder, tmp_path / "run")).code == 0


@pytest.mark.usefixtures("zoo")
def test_a_full_disk_leaves_no_half_results(
    upres: Upres, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    results = tmp_path / "results"
    results.mkdir()
    picture = photo_folder / "1.png"
    data = ["--data", photo_folder, "--no-lpips", "--quiet"]
    refused = "could not be written"
    assert_refused(upres("upscale", picture, "-o", results / "a.png", "--quiet"), refused)
    assert_refused(upres("prepare", photo_folder, results / "store", "--min-side", 32), refused)
    ended = upres("evaluate", "bicubic", *data, "--json", results / "all.json")
    assert ended.code == 2
    assert_refused(Ended(2, "", ended.err), refused)  # the table was printed: the work was done
    assert tree(results) == {}


# --- a run that fails while it works


def test_a_run_that_diverges_is_exit_code_1_and_one_sentence(
    upres: Upres, photo_folder: Path, tmp_path: Path
) -> None:
    ended = upres(*train(photo_folder, tmp_path / "run", stages__pixel__optimiser__rate="1e30"))
    words = ["not finite after step 1 of stage pixel", "stages.pixel.optimiser.rate"]
    assert_refused(ended, *words, code=1)


# --- stopped


def press_ctrl_c() -> None:
    """Call what a Ctrl-C would call, without a signal.

    pytest's faulthandler has given its process a stack for signals, and what the first one needs
    of it is more than there is where the processor has AMX.
    """
    pressed = signal.getsignal(signal.SIGINT)
    assert callable(pressed)
    pressed(signal.SIGINT, None)


def test_ctrl_c_saves_says_how_to_go_on_and_is_130(
    upres: Upres, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(self: live.LiveLine, event: dict[str, Any]) -> None:
        if event["event"] == "step":
            press_ctrl_c()

    before = signal.getsignal(signal.SIGINT)
    command = train(photo_folder, tmp_path / "run", log_every="1")
    with monkeypatch.context() as patch:
        patch.setattr(live.LiveLine, "show", press)
        ended = upres(*command)
    assert_refused(ended, "stopped at step 1 of 3 of stage pixel", "same command", code=130)
    assert signal.getsignal(signal.SIGINT) is before
    assert upres(*command).code == 0


def test_a_second_ctrl_c_stops_at_once_without_a_traceback(
    upres: Upres, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_twice(self: live.LiveLine, event: dict[str, Any]) -> None:
        if event["event"] == "step":
            press_ctrl_c()
            press_ctrl_c()

    command = train(photo_folder, tmp_path / "run", log_every="1")
    with monkeypatch.context() as patch:
        patch.setattr(live.LiveLine, "show", press_twice)
        ended = upres(*command)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert upres(*command).code == 0


def test_a_path_that_cannot_be_used_is_one_sentence(upres: Upres, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    write_picture(picture, Picture(pixels=np.zeros((4, 4, 3), np.uint8)))
    name = f"{'a' * 300}.png"
    ended = upres("upscale", picture, "--output", name)
    assert_refused(ended, f"{name} cannot be used: File name too long")


def test_a_full_disk_is_told_of_the_file_that_has_no_room(
    upres: Upres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/upres-1")

    monkeypatch.setattr("upres.batch.piping.tempfile.TemporaryDirectory", full)
    picture = tmp_path / "a.png"
    write_picture(picture, Picture(pixels=np.zeros((4, 4, 3), np.uint8)))
    ended = upres("upscale", picture, "--output", "-")
    assert_refused(ended, "/tmp/upres-1 cannot be used: No space left on device")


def test_from_a_shell_it_is_the_same(photo_folder: Path, tmp_path: Path) -> None:
    run = [sys.executable, "-c", "from upres.cli.main import main; main()", "train"]
    command = [*run, "compact-x5", "--photos", photo_folder, "--out", tmp_path / "run"]
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert_refused(Ended(ended.returncode, ended.stdout, ended.stderr), "did you mean")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
@pytest.mark.parametrize("arguments", [["--help"], ["protocols"], ["recipe", "tiny"]])
def test_an_output_that_takes_no_more_is_one_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "upres", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == "Error: standard output takes no more: its disk is full.\n"
    assert done.returncode == 2
