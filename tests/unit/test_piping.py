"""One picture from standard input to standard output."""

import errno
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from upres.batch.events import Written
from upres.batch.piping import upscale_piped
from upres.errors import BadPicture, NoSpace
from upres.images.opening import open_picture


def picture(form="PNG"):
    held = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(values).save(held, form)
    return held.getvalue()


def doubled(job):
    """Stands for a network: Pillow enlarges."""
    opened = open_picture(job.source)
    with Image.open(job.source) as image:
        image.resize((opened.width * 2, opened.height * 2)).save(job.target)
    return Written(opened.width * 2, opened.height * 2)


@pytest.mark.parametrize(
    "form, ending, expected",
    [
        ("PNG", None, "PNG"),
        ("JPEG", None, "JPEG"),
        ("WEBP", None, "WEBP"),
        ("TIFF", None, "TIFF"),
        ("JPEG", ".png", "PNG"),
    ],
)
def test_bytes_come_in_and_go_out(form, ending, expected):
    out = io.BytesIO()
    written = upscale_piped(io.BytesIO(picture(form)), out, doubled, ending=ending)
    assert (written.width, written.height) == (14, 10)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        assert (image.format, image.size) == (expected, (14, 10))


def test_either_end_may_be_a_file(tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    out = io.BytesIO()
    upscale_piped(tmp_path / "a.png", out, doubled)
    upscale_piped(io.BytesIO(picture()), tmp_path / "b.png", doubled)
    assert (tmp_path / "b.png").read_bytes() == out.getvalue()


class Full(io.RawIOBase):
    """A stream that takes nothing, or gives nothing."""

    def readable(self):
        return True

    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error, expected",
    [
        (OSError(errno.ENOSPC, "No space left on device"), "standard input could not be kept in /"),
        (
            OSError(errno.EROFS, "Read-only file system"),
            r"\(Read-only file system\); make room, or",
        ),
    ],
)
def test_no_room_for_what_comes_in_is_one_sentence(monkeypatch, error, expected):
    def fails(*_):
        raise error

    monkeypatch.setattr(shutil, "copyfileobj", fails)
    with pytest.raises(NoSpace, match=expected):
        upscale_piped(io.BytesIO(picture()), io.BytesIO(), doubled)


def test_no_room_for_what_goes_out_is_one_sentence_and_a_closed_pipe_none(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(picture())
    with pytest.raises(NoSpace, match=r"^standard output could not be written: No space left on d"):
        upscale_piped(tmp_path / "a.png", Full(), doubled)
    closed = OSError(errno.EPIPE, "Broken pipe")
    monkeypatch.setattr(Full, "write", lambda *_: (_ for _ in ()).throw(closed))
    with pytest.raises(BrokenPipeError):
        upscale_piped(tmp_path / "a.png", Full(), doubled)

    def full(job):
        raise NoSpace(f"{job.target} could not be written: the disk is full.")

    with pytest.raises(NoSpace, match=r"^standard output \(kept in /.*\) could not be written"):
        upscale_piped(tmp_path / "a.png", io.BytesIO(), full)


def test_errors_name_the_streams(tmp_path):
    out = io.BytesIO()
    with pytest.raises(BadPicture, match=r"^standard input is empty"):
        upscale_piped(io.BytesIO(), out, doubled)
    with pytest.raises(BadPicture, match=r"^standard input is no picture of a known kind"):
        upscale_piped(io.BytesIO(b"hello, world"), out, doubled)

    def refused(job):
        raise BadPicture(f"{job.target} cannot hold {job.source}.")

    with pytest.raises(BadPicture, match=r"^standard output cannot hold standard input\.$"):
        upscale_piped(io.BytesIO(picture()), out, refused)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(BadPicture, match=r"a\.png is empty"):
        upscale_piped(tmp_path / "a.png", out, doubled)
    assert out.getvalue() == b""
