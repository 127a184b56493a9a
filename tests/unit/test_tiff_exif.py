"""What describes a TIFF, read from any order of bytes, and added without harm to its pages."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from upres.images.tiff_exif import add_exif, read_exif

PAGES = np.random.default_rng(0).integers(0, 256, (3, 40, 50), dtype=np.uint8)


def described():
    exif = Image.Exif()
    exif[271] = "Nikon"
    exif.get_ifd(34665)[0x829D] = 2.8  # f-number
    exif.get_ifd(34853)[1] = "N"
    return exif.tobytes()


def as_exif(block):
    exif = Image.Exif()
    exif.load(block)
    return exif


def write(path, **how):
    tifffile.imwrite(path, PAGES, photometric="minisblack", tile=(16, 16), metadata=None, **how)


@pytest.mark.parametrize("big", [False, True])
def test_a_block_is_added_and_all_pages_stay(tmp_path, big):
    path = tmp_path / "a.tif"
    write(path, byteorder="<", bigtiff=big)
    add_exif(path, described())
    assert np.array_equal(tifffile.imread(path), PAGES)
    found = as_exif(read_exif(path))
    assert found[271] == "Nikon"
    assert found.get_ifd(34665)[0x829D] == pytest.approx(2.8)
    assert found.get_ifd(34853)[1] == "N"
    with Image.open(path) as image:  # another reader's word
        assert image.getexif()[271] == "Nikon"
        assert image.n_frames == 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes_are_read(tmp_path, order):
    tags = [(271, "s", 0, "Nikon", True), (18246, "H", 1, 5, True)]
    write(tmp_path / "a.tif", byteorder=order, extratags=tags)
    found = as_exif(read_exif(tmp_path / "a.tif"))
    assert (found[271], found[18246]) == ("Nikon", 5)


def test_what_describes_nothing_has_no_block(tmp_path):
    Image.fromarray(PAGES[0]).save(tmp_path / "a.png")
    write(tmp_path / "a.tif", software=False)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:9])
    for name in ("a.png", "a.tif", "cut.tif"):
        assert read_exif(tmp_path / name) is None


def test_a_directory_that_points_at_itself_ends(tmp_path):
    entry = struct.pack("<HHII", 34665, 4, 1, 8)
    data = b"II*\0" + struct.pack("<IH", 8, 3) + entry * 3 + struct.pack("<I", 8)
    (tmp_path / "a.tif").write_bytes(data)
    read_exif(tmp_path / "a.tif")
