"""EXIF and XMP of an enlarged picture say what is true of it."""

import struct

import pytest

from upres.images.described import upright_xmp, without_thumbnail


@pytest.mark.parametrize("head", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("order, mark", [("<", b"II"), (">", b"MM")])
def test_the_second_directory_is_cut_off(order, mark, head):
    def block(following):
        entry = struct.pack(order + "HHII", 274, 3, 1, 6)
        body = mark + struct.pack(order + "HIH", 42, 8, 1) + entry
        return head + body + struct.pack(order + "I", following) + b"thumbnail"

    assert without_thumbnail(block(26)) == block(0)


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"nonsense"])
def test_a_damaged_block_stays_as_it_is(block):
    assert without_thumbnail(block) == block


def test_xmp_is_upright_and_has_the_new_size():
    xmp = b"""<x tiff:Orientation="%d" exif:PixelXDimension='%d'><tiff:ImageLength>%d</tiff>"""
    assert upright_xmp(xmp % (6, 36, 24), 48, 72) == xmp % (1, 48, 72)
