"""One picture from standard input to standard output."""

import io

import numpy as np
import pytest
from PIL import Image

from upres.batch.events import Written
from upres.batch.piping import upscale_piped
from upres.errors import BadPicture
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
