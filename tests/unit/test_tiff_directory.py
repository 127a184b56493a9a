"""Pages of TIFF files told without their pixels."""

import struct

import numpy as np
import pytest
import tifffile

from upres.images.tiff_directory import Page, read_pages


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_each_page_is_told(tmp_path, order, big):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, byteorder=order, bigtiff=big) as file:
        file.write(np.zeros((8, 9, 3), np.uint16), photometric="rgb")
        file.write(np.zeros((4, 5), np.float32), photometric="minisblack", subfiletype=1)
        file.write(np.zeros((4, 5, 3), np.int8), photometric="cielab")
    assert read_pages(path) == [
        Page(9, 8, 16, "unsigned", 3, lab=False, reduced=False),
        Page(5, 4, 32, "float", 1, lab=False, reduced=True),
        Page(5, 4, 8, "signed", 3, lab=True, reduced=False),
    ]


@pytest.mark.parametrize("data", [b"", b"II*\0", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0\xff"])
def test_other_and_damaged_files_have_none(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert read_pages(tmp_path / "a") == []


def test_a_chain_that_is_a_circle_ends(tmp_path):
    data = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 3, 1, 7)
    (tmp_path / "a.tif").write_bytes(data + struct.pack("<I", 8))
    assert [page.width for page in read_pages(tmp_path / "a.tif")] == [7]
