"""Computed rows reach libvips whole, in any type, and no end of the pipe waits for the other."""

import os
from pathlib import Path

import numpy as np
import pytest
import pyvips

from upres.images import fed_image
from upres.images.fed_image import consumed


@pytest.fixture(params=["gathered", "piped"], autouse=True)
def road(request, monkeypatch):
    if request.param == "piped":
        monkeypatch.setattr(fed_image, "GATHERED", 0)
    return request.param


def rows_of(image, kind, into):
    values = np.frombuffer(image.write_to_memory(), kind)
    into.append(values.reshape(image.height, image.width, image.bands))


@pytest.mark.parametrize("bands", [1, 3, 7])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_every_value_arrives(kind, bands):
    picture = (np.random.default_rng(0).random((150, 33, bands)) * 65535).astype(kind)
    found = []
    blocks = (picture[top : top + 64] for top in range(0, 150, 64))
    consumed(blocks, 33, 150, bands, kind, lambda image: rows_of(image, kind, found))
    assert np.array_equal(found[0], picture)


def endless(taken):
    while True:
        taken.append(1)
        yield np.zeros((64, 4000, 3), np.uint8)


def test_a_consumer_that_fails_ends_the_work_and_says_why():
    taken = []

    def fail(image):
        raise pyvips.Error("no encoder")

    with pytest.raises(pyvips.Error, match="no encoder"):
        consumed(endless(taken), 4000, 10**6, 3, np.uint8, fail)
    assert len(taken) < 1000


def test_what_stops_the_rows_is_raised_and_the_consumer_ends(road):
    ended = []

    def interrupted():
        yield np.zeros((8, 4, 1), np.uint8)
        raise KeyboardInterrupt

    def consume(image):
        try:
            image.avg()
        finally:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        consumed(interrupted(), 4, 100, 1, np.uint8, consume)
    assert ended == ([True] if road == "piped" else [])  # where it never began


def test_missing_rows_are_no_picture():
    found = []
    with pytest.raises((ValueError, pyvips.Error)):
        consumed(
            iter([np.zeros((8, 4, 1), np.uint8)]),
            4,
            100,
            1,
            np.uint8,
            lambda image: rows_of(image, np.uint8, found),
        )
    assert found == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts the files of this process")
def test_no_descriptor_is_left_open():
    def once():
        consumed([np.zeros((8, 4, 1), np.uint8)], 4, 8, 1, np.uint8, lambda image: image.avg())

    once()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        once()
    assert len(os.listdir("/proc/self/fd")) <= before + 2
