"""Files enlarged: their names, what is kept of them, and what is refused before the work."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms
from torch import Tensor, nn

from upres.errors import BadPicture, BadSetting, UpresError, WorkFailed
from upres.upscaling.files import (
    Failure,
    Job,
    failure,
    find_pictures,
    plan_jobs,
    result_name,
    upscale_file,
    upscale_files,
)
from upres.upscaling.upscaler import Upscaler

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.fixture
def upscaler():
    return Upscaler(Nearest(), 4, 0, precision="float32")


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def save(path, mode="RGB", **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(5, 7, 3)).convert(mode).save(path, **how)
    return path


@pytest.mark.parametrize(
    "name, result",
    [
        ("a.png", "a_x4.png"),
        ("B.JPG", "B_x4.JPG"),
        ("a.b.jpeg", "a.b_x4.jpeg"),
        ("a.tif", "a_x4.tif"),
        ("a.bmp", "a_x4.png"),
        ("a", "a_x4.png"),
    ],
)
def test_results_are_called_after_their_picture(name, result):
    assert result_name(Path(name), 4) == result


def test_one_file_may_get_a_name_or_a_folder_or_stand_beside(tmp_path):
    source = save(tmp_path / "in" / "a.png")
    beside = tmp_path / "in" / "a_x4.png"
    assert plan_jobs([source], None, 4) == [Job(source, beside)]
    named = tmp_path / "big.jpg"
    assert plan_jobs([source], named, 4) == [Job(source, named)]
    new = tmp_path / "out"
    assert plan_jobs([source], new, 4) == [Job(source, new / "a_x4.png")]
    (tmp_path / "v1.5").mkdir()
    assert plan_jobs([source], tmp_path / "v1.5", 4)[0].target == tmp_path / "v1.5" / "a_x4.png"


def test_many_files_need_a_folder(tmp_path):
    sources = [save(tmp_path / "a.png"), save(tmp_path / "b.png")]
    with pytest.raises(BadSetting, match=r"big\.png is a file, but several pictures need a folder"):
        plan_jobs(sources, tmp_path / "big.png", 4)
    assert [job.target.name for job in plan_jobs(sources, tmp_path / "out", 4)] == [
        "a_x4.png",
        "b_x4.png",
    ]


def test_a_folder_is_searched_for_pictures_but_not_for_our_results(tmp_path):
    for name in ("b.PNG", "a.jpg", "a_x4.jpg", "lone_x4.png", ".hidden.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "sub.png").mkdir()
    names = [path.name for path in find_pictures([tmp_path], 4)]
    assert names == ["a.jpg", "b.PNG", "lone_x4.png"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(BadPicture, match="holds no pictures"):
        find_pictures([tmp_path], 4)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_grey_alpha_and_profile_are_kept(tmp_path, upscaler, mode):
    profile = SRGB if "RGB" in mode else SRGB[:16] + b"GRAY" + SRGB[20:]  # PNG looks at the kind
    source = save(tmp_path / "a.png", mode, icc_profile=profile)
    upscale_file(source, tmp_path / "b.png", upscaler)
    with Image.open(source) as image, Image.open(tmp_path / "b.png") as sr:
        assert (sr.mode, sr.size) == (mode, (28, 20))
        assert sr.info["icc_profile"] == profile
        colour = np.asarray(image).reshape(5, 7, -1)[..., 0]
        assert np.array_equal(np.asarray(sr).reshape(20, 28, -1)[..., 0], np.kron(colour, ones(4)))


def ones(side):
    return np.ones((side, side), np.uint8)


def test_sixteen_bits_are_kept(tmp_path, upscaler):
    deep = np.random.default_rng(0).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    image = pyvips.Image.new_from_memory(deep.tobytes(), 7, 5, 3, "ushort")
    image.copy(interpretation="rgb16").write_to_file(str(tmp_path / "a.png"))
    upscale_file(tmp_path / "a.png", tmp_path / "b.png", upscaler)
    again = pyvips.Image.new_from_file(str(tmp_path / "b.png"))
    values = np.frombuffer(again.write_to_memory(), np.uint16).reshape(20, 28, 3)
    assert np.array_equal(values[::4, ::4], deep)


def test_orientation_is_applied(tmp_path, upscaler):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = save(tmp_path / "a.jpg", exif=exif)
    upscale_file(source, tmp_path / "b.jpg", upscaler)
    with Image.open(tmp_path / "b.jpg") as sr:
        assert sr.size == (5 * 4, 7 * 4)
        assert sr.getexif().get(0x0112, 1) == 1


def test_nothing_is_overwritten_unless_asked(tmp_path, upscaler):
    source, target = save(tmp_path / "a.png"), tmp_path / "b.png"
    target.write_text("precious")
    with pytest.raises(BadSetting, match=r"b\.png exists; pass --overwrite"):
        upscale_file(source, target, upscaler)
    assert target.read_text() == "precious"
    upscale_file(source, target, upscaler, overwrite=True)
    with Image.open(target) as sr:
        assert sr.size == (28, 20)


def test_the_input_is_never_overwritten(tmp_path, upscaler):
    source = save(tmp_path / "a.png")
    before = source.read_bytes()
    with pytest.raises(BadSetting, match="is the input itself"):
        upscale_file(source, source, upscaler, overwrite=True)
    other = save(tmp_path / "b.png")
    jobs = [Job(other, source), Job(source, tmp_path / "c.png")]
    (failed,) = upscale_files(jobs, upscaler, overwrite=True)
    assert "a.png is an input of this call" in str(failed.error)
    assert source.read_bytes() == before


def test_two_pictures_never_get_one_name(tmp_path, upscaler):
    jobs = plan_jobs([save(tmp_path / "a.png"), save(tmp_path / "a.bmp")], tmp_path / "out", 4)
    (failed,) = upscale_files(jobs, upscaler, overwrite=True)
    assert failed.source.name == "a.bmp"
    assert "would both be written to" in str(failed.error)


def test_what_the_result_cannot_hold_is_refused_before_the_work(tmp_path, upscaler):
    source = save(tmp_path / "a.png", "RGBA")
    told = []
    with pytest.raises(BadPicture, match="JPEG cannot hold the picture's transparency"):
        upscale_file(source, tmp_path / "b.jpg", upscaler, progress=lambda *x: told.append(x))
    assert told == []
    with pytest.raises(BadPicture, match=r"b\.xyz cannot be written"):
        upscale_file(source, tmp_path / "b.xyz", upscaler)


def test_one_bad_file_does_not_stop_the_others(tmp_path, upscaler):
    for name in ("a.png", "c.png"):
        save(tmp_path / name)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    jobs = plan_jobs([tmp_path], tmp_path / "out", 4)
    started, done = [], []

    def start(job):
        started.append(job)
        return lambda done, total: None

    failures = upscale_files(jobs, upscaler, on_start=start, on_done=done.append)
    assert [failed.source.name for failed in failures] == ["b.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_x4.png", "c_x4.png"]
    assert started == jobs
    assert done == [jobs[0], jobs[2]]
    error = failure(failures, jobs)
    assert isinstance(error, WorkFailed)
    assert str(error).startswith(f"1 of 3 pictures failed:\n  {tmp_path / 'b.png'} is damaged")


def test_the_exit_code_tells_whether_anything_was_begun():
    jobs = [Job(Path("a"), Path("b")), Job(Path("c"), Path("d"))]
    refused = [Failure(job.source, BadPicture("no")) for job in jobs]
    worked = [Failure(job.source, WorkFailed("no")) for job in jobs]
    assert failure(refused, jobs).exit_code == 2
    assert failure(refused[:1], jobs).exit_code == 1
    assert failure([refused[0], worked[1]], jobs).exit_code == 1
    assert failure(refused[:1], jobs[:1]) is refused[0].error


class Stopping(Nearest):
    """Ctrl-C while the second picture is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, lr: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return super().forward(lr)


def test_ctrl_c_leaves_whole_files_only(tmp_path):
    jobs = plan_jobs([save(tmp_path / f"{n}.png") for n in range(3)], tmp_path / "out", 4)
    with pytest.raises(KeyboardInterrupt):
        upscale_files(jobs, Upscaler(Stopping(), 4, 0, precision="float32"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0_x4.png"]
    with Image.open(tmp_path / "out" / "0_x4.png") as sr:
        sr.load()


def test_too_little_memory_is_told_with_the_size(tmp_path):
    class Greedy(Nearest):
        def forward(self, lr: Tensor) -> Tensor:
            raise MemoryError

    source = save(tmp_path / "a.png")
    with pytest.raises(UpresError, match=r"a\.png: there is no memory for 28x20 pixels"):
        upscale_file(source, tmp_path / "b.png", Upscaler(Greedy(), 4, 0, precision="float32"))
