"""`upres upscale` from the outside: paths on stdout, the rest on stderr, exit codes by contract."""

import io
import json
import re

import numpy as np
import pytest
import pyvips
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.batch.events import Summary
from upres.cli.upscale import CONTEXT, upscale
from upres.errors import BadPicture, BadSetting, BadWeights, UpresError, WontFit, WorkFailed
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint

app = typer.Typer()
app.command(context_settings=CONTEXT)(upscale)


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


@pytest.fixture(autouse=True)
def plenty_of_memory(monkeypatch):
    """This process holds what many tests left; what is free here must not decide a test."""
    monkeypatch.setattr("upres.upscaling.memory.free_memory", lambda: 64_000_000_000)


def run(*arguments, **how):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **how)


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_a_folder_is_enlarged_and_the_results_are_named(photos, model, tmp_path):
    result = run(photos, "-o", tmp_path / "out", "--model", model, "--precision", "bf16")
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"{tmp_path / 'out' / 'a_x2.png'}\n{tmp_path / 'out' / 'b_x2.png'}\n"
    estimate, last = result.stderr.splitlines()
    assert re.fullmatch(
        rf"2 pictures by {re.escape(str(model))}: about \d+ s, [\d.]+ [MG]B of memory, "
        r"up to 840 bytes on disk\.",
        estimate,
    )  # two pictures of 14x10 pixels of 3 bytes
    assert last.startswith("2 done, 0 skipped, 0 failed; 0.0 megapixels at ")
    assert last.endswith(" a second; 0 of 2 tiles redone in float32.")
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
    assert len(result.stdout.splitlines()) == len(list((tmp_path / "out").glob("*.png"))) == 2


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


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ([], BadPicture, "no picture is given"),
        (["a.png", "-s", "2", "--width", "9"], BadSetting, "not by scale and width at once"),
        (["a.png", "--fit", "9by9"], BadSetting, "--fit is '9by9', expected a size such as"),
        (["a.png", "--tile", "big"], BadSetting, "--tile is 'big', expected a side in pixels"),
        (["a.png", "--ext", "xyz"], BadSetting, "'.xyz'"),
        (["a.png", "--device", "tpu"], BadSetting, "--device tpu is unknown"),
        (["a.png", "--mask", "no.png"], BadPicture, "--mask no.png does not exist"),
        (["a.png", "--memory", "lots"], BadSetting, "--memory 'lots' is no size"),
        (["a.png", "--fidelity", "0.5"], BadSetting, "is one network alone"),
        (["a.png", "-dn", "0.5"], BadSetting, "give --model realesr-general-x4v3"),
        (["a.png", "--face_enhance"], BadSetting, "faces are not restored here"),
        (["a.png", "-"], BadSetting, "- is one picture alone"),
        (["a.png", "--workers", "2"], BadSetting, "--workers 2 are those of a cluster: add --ray"),
        (["a.png", "-o", "s3://b/out"], BadSetting, "s3://b/out is an address, and files of"),
        (["https://b/a.png"], BadSetting, "https://b/a.png is an address"),
        (["n?.png"], BadPicture, "no picture matches n?.png"),
        ([".", "--ray", "-o", "-"], BadSetting, "--ray takes one folder and --output"),
        (["a.png", "--width", "6"], BadSetting, "ask for a larger size"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything(
    photos, model, monkeypatch, arguments, kind, message
):
    monkeypatch.chdir(photos)
    result = run("--model", model, *arguments)
    assert isinstance(result.exception, kind), result.exception
    assert message in str(result.exception)
    assert sorted(path.name for path in photos.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("wrong", [["--tile"], ["--precision", "int8"], ["--fidelity", "2"]])
def test_wrong_options_are_usage_errors(photos, wrong):
    assert run(photos / "a.png", *wrong).exit_code == 2


@pytest.mark.parametrize(
    "wish, name, size",
    [
        (["--scale", "1.5"], "a_x1.5.png", (11, 8)),  # 10.5 and 7.5: halves go up
        (["--outscale", "3"], "a_x3.png", (21, 15)),
        (["--width", "20"], "a_w20.png", (20, 14)),
        (["--height", "10"], "a_h10.png", (14, 10)),
        (["--long-edge", "28"], "a_long28.png", (28, 20)),
        (["--fit", "100x10"], "a_100x10.png", (14, 10)),
    ],
)
def test_any_size_may_be_asked_for_and_the_name_tells_it(photos, model, wish, name, size):
    assert run(photos / "a.png", "--model", model, *wish).exit_code == 0
    assert size_of(photos / name) == size


@pytest.mark.parametrize("wish, taken", [("2", "compact-x2"), ("2.5", "compact-x3")])
def test_without_a_model_the_scale_chooses_and_what_was_chosen_is_told(photos, wish, taken):
    by_itself = run(photos / "a.png", "--scale", wish)
    assert f"1 picture by {taken}: " in by_itself.stderr
    named = run(photos / "a.png", "--scale", wish, "--model", taken, "--suffix", "_named")
    results = [Image.open(result.stdout.strip()) for result in (by_itself, named)]
    assert np.array_equal(*results)
    assert f"All of it by {taken}: " in run(photos, "--scale", wish, "--dry-run").stdout


def test_what_people_type_who_come_from_real_esrgan(photos, model, tmp_path):
    arguments = ["-n", model, "-i", photos / "a.png", "-o", tmp_path / "results", "-s", "2"]
    arguments += ["-t", "4", "--tile_pad", "10", "--pre_pad=0", "--fp32", "--suffix", "out"]
    arguments += ["--ext", "jpg", "-g", "7"]
    result = run(*arguments)
    assert result.stdout == f"{tmp_path / 'results' / 'a_out.jpg'}\n", result.exception
    assert "--tile-pad is ignored: tiles overlap by what the network sees" in result.stderr
    assert "-g 7 is ignored: PyTorch sees " in result.stderr
    assert size_of(tmp_path / "results" / "a_out.jpg") == (14, 10)


def test_what_people_type_who_come_from_ncnn(photos, model, tmp_path):
    arguments = ["-m", model.parent, "-n", "small", "-i", photos, "-o", tmp_path / "out"]
    result = run(*arguments, "-s", "2", "-x", "-f", "webp", "-j", "1:2:2", "-g", "-1")
    assert result.exit_code == 0, result.exception
    assert sorted(p.name for p in (tmp_path / "out").glob("*.webp")) == ["a_x2.webp", "b_x2.webp"]
    assert "-j is ignored" in result.stderr


def test_a_folder_goes_on_where_it_was_and_says_so(photos, model, tmp_path):
    arguments = (photos, "-o", tmp_path / "out", "--model", model)
    assert run(*arguments).stderr.splitlines()[-1].startswith("2 done, 0 skipped")
    (tmp_path / "out" / "b_x2.png").unlink()
    again = run(*arguments)
    assert again.stdout == f"{tmp_path / 'out' / 'b_x2.png'}\n"
    assert again.stderr.splitlines()[-1].startswith("1 done, 1 skipped, 0 failed; ")


def test_other_options_are_another_result(photos, model, tmp_path):
    arguments = (photos, "-o", tmp_path / "out", "--model", model, "--suffix", "_big")
    assert run(*arguments).exit_code == 0
    changed = run(*arguments, "--strength", "0.5")
    assert "was made from another picture, or with other options" in str(changed.exception)


def test_events_are_json_lines(photos, model):
    (photos / "c.png").write_bytes(b"no picture")
    result = run(photos, "--model", model, "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [e["event"] for e in events if e["event"] in ("planned", "finished")] == [
        "planned",
        "finished",
    ]
    assert events[-1]["done"] == 2 and events[-1]["tiles"] == 2
    (failed,) = events[-1]["failures"]
    assert failed["source"] == str(photos / "c.png") and "no picture" in failed["error"]
    assert result.exception.exit_code == 1


def test_a_dry_run_says_what_would_be_done_and_does_nothing(photos, model, tmp_path):
    result = run(photos, "-o", tmp_path / "out", "--model", model, "--scale", "3", "--dry-run")
    lines = result.stdout.splitlines()
    a, b = photos / "a.png", tmp_path / "out" / "a_x3.png"
    assert lines[0] == f"{a} 7x5 -> {b} 21x15, 2 passes"
    assert lines[2].startswith(f"All of it by {model}: about ")
    assert not (tmp_path / "out").exists()
    refused = run(photos, "-o", tmp_path / "out", "--model", model, "--dry-run", "--scale", "0.5")
    assert "2 of 2 pictures cannot be enlarged" in str(refused.exception)


def test_a_dry_run_says_what_stands_already_and_does_not_count_it(photos, model):
    run(photos / "a.png", "--model", model)
    lines = run(photos, "--model", model, "--dry-run").stdout.splitlines()
    assert [line.endswith(", exists") for line in lines[:2]] == [True, False]
    assert lines[2].endswith(" 420 bytes on disk.")
    lines = run(photos, "--model", model, "--dry-run", "--overwrite").stdout.splitlines()
    assert not lines[0].endswith(", exists") and lines[2].endswith(" 840 bytes on disk.")


def test_a_dry_run_tells_machines_what_it_tells_people(photos, model):
    result = run(photos, "--model", model, "--scale", "3", "--dry-run", "--json")
    *pictures, estimate = map(json.loads, result.stdout.splitlines())
    assert pictures[0] == {
        "event": "would",
        "source": str(photos / "a.png"),
        "target": str(photos / "a_x3.png"),
        **{"width": 21, "height": 15, "passes": 2, "exists": False},
    }
    assert [estimate[name] for name in ("event", "model")] == ["estimated", str(model)]
    assert estimate["disk"] == 2 * 21 * 15 * 3 and {"seconds", "memory"} < set(estimate)


def test_a_picture_that_fails_in_a_folder_is_named_whatever_the_error_says(photos, model, tmp_path):
    Image.new("RGB", (90, 60)).save(photos / "large.png")
    for how in ("--dry-run", "--quiet"):
        result = run(photos, "-o", tmp_path / how, "--model", model, "--long-edge", "80", how)
        assert f"  {photos / 'large.png'}: 90x60 would become 0.889 times" in str(result.exception)


def test_a_quality_that_no_format_takes_is_not_passed_over(photos, model):
    how = ("--model", model, "--quality", "80", "--dry-run")
    told = "--quality is ignored: no result is a JPEG, WebP, AVIF or HEIC."
    assert told in run(photos, *how).stderr
    assert "--quality" not in run(photos, *how, "--ext", "webp").stderr


def test_what_has_a_result_is_not_in_the_estimate(photos, model, tmp_path):
    how = ("-o", tmp_path / "out", "--model", model)
    run(photos, *how)
    assert "about" not in run(photos, *how).stderr
    (tmp_path / "out" / "a_x2.png").unlink()
    assert re.search(
        r"2 pictures, 1 of them with a result, by .*420 bytes on disk\.", run(photos, *how).stderr
    )


def test_a_folder_that_its_disk_may_be_too_small_for_is_told_so(photos, model, monkeypatch):
    """Each of the two pictures fits into 500 bytes, both together may not."""
    for where in ("cli.upscale_plan", "upscaling.estimating"):
        monkeypatch.setattr(f"upres.{where}.free_disk", lambda target: 500)
    result = run(photos, "--model", model)
    assert result.exit_code == 0
    assert "up to 840 bytes on disk; its disk has 500 bytes left." in result.stderr


def test_many_pictures_are_judged_by_a_few_of_them(photos, model, monkeypatch):
    monkeypatch.setattr("upres.cli.upscale_plan.LOOKING", 0)
    for copy in "cdefgh":
        (photos / f"{copy}.png").write_bytes((photos / "a.png").read_bytes())
    told = run(photos, "--model", model).stderr.splitlines()[0]
    assert re.fullmatch(r"8 pictures by .* up to 3 kB on disk, judging by 1 of them\.", told)


def test_a_picture_comes_from_standard_input_and_goes_to_standard_output(photos, model):
    picture = (photos / "a.png").read_bytes()
    result = run("-", "--model", model, "--ext", "webp", input=picture)
    assert result.exit_code == 0, result.exception
    with Image.open(io.BytesIO(result.stdout_bytes)) as image:
        assert (image.format, image.size) == ("WEBP", (14, 10))
    before, after = result.stderr.splitlines()
    assert before.startswith(f"1 picture by {model}: about ")
    assert after == "1 done: 14x10; 0 of 1 tiles redone in float32."
    quiet = run("-", "--model", model, "--ext", "webp", "--quiet", input=picture)
    assert (quiet.stdout_bytes, quiet.stderr) == (result.stdout_bytes, "")
    to_file = run("-", "-o", photos / "c.png", "--model", model, input=picture)
    assert to_file.stdout == f"{photos / 'c.png'}\n"
    bad = run("-", "--model", model, input=b"no picture")
    assert isinstance(bad.exception, BadPicture)
    assert "standard input" in str(bad.exception)
    assert bad.stdout == ""


def test_what_seems_not_to_fit_is_refused_with_advice_unless_told_to_try(photos, model):
    arguments = (photos / "a.png", "--model", model, "--memory", "1M")
    refused = run(*arguments)
    assert isinstance(refused.exception, WontFit)
    assert re.search(r"give --memory \d+M, .* or pass --yes to try\.", str(refused.exception))
    assert not (photos / "a_x2.png").exists()
    assert isinstance(run(*arguments, "--dry-run").exception, UpresError)
    assert run(*arguments, "--yes").exit_code == 0
    piped = ("-", *arguments[1:])
    picture = (photos / "a.png").read_bytes()
    refused = run(*piped, input=picture)
    assert isinstance(refused.exception, WontFit) and refused.stdout_bytes == b""
    assert str(refused.exception).startswith("standard output needs about ")
    assert run(*piped, "--yes", input=picture).exit_code == 0


def test_depth_and_mask_and_look_reach_the_picture(photos, model):
    Image.new("L", (7, 5), 255).save(photos / "mask.png")
    look = ["--strength", "0", "--consistent", "--keep-colour", "--depth", "16", "--exact"]
    masked = run(photos / "a.png", "--model", model, "--mask", photos / "mask.png", "--depth", "16")
    assert masked.exit_code == 0, masked.exception
    plain = run(photos / "b.png", "--model", model, *look, "--tile", "auto", "--memory", "8G")
    assert plain.exit_code == 0, plain.exception
    one, other = (pyvips.Image.new_from_file(str(photos / f"{n}_x2.png")) for n in "ab")
    assert one.format == other.format == "ushort"


def test_patterns_are_known_by_more_than_a_star(photos, model, tmp_path):
    result = run(photos / "[ab].pn?", "--model", model, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.exception
    results = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert results == ["a_x2.png", "b_x2.png", "upres-manifest.jsonl"]


def test_a_picture_may_be_called_like_a_pattern(photos, model, tmp_path):
    starred = photos / "a[1]*.png"
    (photos / "a.png").rename(starred)
    result = run(starred, "--model", model, "-o", tmp_path / "one.png")
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "one.png").is_file()


def test_a_cluster_takes_one_folder_and_another(photos, model, tmp_path):
    pytest.importorskip("fsspec", reason="stores are the extra `cluster`")
    arguments = ("--ray", "--model", model, photos)
    assert "--ray takes one folder and --output for another" in str(run(*arguments).exception)
    out = tmp_path / "out"
    masked = run(*arguments, "-o", out, "--mask", photos / "a.png")
    assert "--mask does not go with --ray" in str(masked.exception)
    planned = run(*arguments, "-o", out, "--dry-run", "--scale", "1.5")
    lines = [f"{photos / name}.png -> {out / name}_x1.5.png" for name in "ab"]
    assert planned.stdout.splitlines() == lines, planned.exception
    assert not out.exists()


def test_as_many_pictures_are_in_hand_as_keep_the_machine_busy(
    photos, model, tmp_path, monkeypatch
):
    monkeypatch.setattr("torch.get_num_threads", lambda: 7)
    crowds = []

    def run_jobs(jobs, work, *, crowd, **_):
        crowds.append(crowd.pictures)
        return Summary()

    monkeypatch.setattr("upres.cli.upscale_order.run_jobs", run_jobs)
    assert run(photos, "-o", tmp_path / "out", "--model", model).exit_code == 0
    assert crowds == [8]  # one on each core, and one that is read or written
