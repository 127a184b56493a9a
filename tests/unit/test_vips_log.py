"""What libvips says to pyvips, whose handler swallows a Ctrl-C."""

import logging

import numpy as np

from upres.images.files import Picture, read_picture, write_picture


def test_nothing_but_warnings_comes_from_libvips(tmp_path, caplog):
    caplog.set_level(logging.INFO, "pyvips")
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    write_picture(tmp_path / "a.png", Picture(pixels=pixels))
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels, pixels)
    assert [record.message for record in caplog.records] == []
