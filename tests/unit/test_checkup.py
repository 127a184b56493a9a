"""What is measured of a model here: seams where it is short-sighted, and none where it is not."""

import importlib.util
import json

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from upres.cli.doctor import doctor
from upres.upscaling import checkup
from upres.upscaling.checkup import sample_picture, seams, speed, tile_within
from upres.upscaling.tile_network import TileNetwork
from upres.upscaling.tiling import context_of

app = typer.Typer()
app.command()(doctor)

PICTURE = sample_picture(8, 256)


class Blur(torch.nn.Module):
    """The mean of a row of pixels, `reach` to each side; x1."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.weight = torch.nn.Parameter(torch.ones(3, 1, 1, 2 * reach + 1) / (2 * reach + 1))

    def forward(self, lr):
        padding = (0, self.reach)
        return torch.nn.functional.conv2d(lr, self.weight, padding=padding, groups=3)


def found_of(reach, **limit):
    found = seams(TileNetwork(Blur(reach), "float32"), 1, reach, PICTURE, **limit)
    return {(seam.overlap, seam.blend): seam for seam in found}


def test_the_seam_is_nothing_from_the_radius_on_and_something_before():
    found = found_of(14)
    assert list(found) == [(0, 0), (4, 0), (8, 0), (12, 0), (14, 0)]
    assert found[14, 0].largest < 0.001
    assert found[12, 0].largest > 0.01
    assert found[0, 0].largest > found[4, 0].largest > found[8, 0].largest
    assert 0 < found[4, 0].mean < found[4, 0].largest


def test_a_seam_is_told_in_levels_of_255():
    """Half of what a pixel at the seam sees is missing, so half of its value."""
    picture = np.ones((4, 256, 3), np.float32)
    blur = TileNetwork(Blur(100), "float32")
    first = next(iter(seams(blur, 1, 100, picture)))
    assert first.largest == pytest.approx(255 * 100 / 201, rel=0.01)


def test_a_network_that_sees_far_is_judged_with_the_fade_that_is_used():
    found = found_of(100)
    assert {context_of(100), context_of(100, exact=True)} <= set(found)
    assert found[context_of(100)].largest < found[32, 0].largest


def test_a_slow_network_is_judged_at_the_overlaps_that_are_used_alone():
    assert list(found_of(100, seconds=0)) == sorted([context_of(100), context_of(100, exact=True)])


def test_overlaps_are_tried_as_long_as_there_is_time(monkeypatch):
    """The whole picture takes 10 s, so 0 takes 10 s, 32 takes 12.5 s and 16 takes 11.25 s."""
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(checkup.time, "perf_counter", lambda: next(clock))
    tried = found_of(100, seconds=34)
    assert set(tried) - {context_of(100), context_of(100, exact=True)} == {(0, 0), (32, 0), (16, 0)}


def test_overlaps_that_are_not_tried_take_no_time(monkeypatch):
    """Of a network that sees 6 pixels, 0 takes 10 s and 4 takes 10.3 s; no other is tried."""
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(checkup.time, "perf_counter", lambda: next(clock))
    assert set(found_of(6, seconds=21)) == {(0, 0), (4, 0), (6, 0)}


def test_a_slow_network_is_timed_on_a_smaller_tile(monkeypatch):
    """64x64 takes 1 s, so 128x128 would take 4 s."""
    network = TileNetwork(Blur(2), "float32")
    for seconds, side in [(3.9, 64), (4, 128), (16, 256)]:
        clock = iter([0, 1, 1, 5])
        monkeypatch.setattr(checkup.time, "perf_counter", lambda clock=clock: next(clock))
        assert tile_within(network, sample_picture(256, 256), seconds).shape == (side, side, 3)


def test_the_sample_has_edges_and_smooth_ground_and_stays_in_range():
    assert PICTURE.shape == (8, 256, 3) and PICTURE.dtype == np.float32
    assert PICTURE.min() >= 0 and PICTURE.max() <= 1 and PICTURE.std() > 0.1
    assert np.array_equal(PICTURE, sample_picture(8, 256))


def test_speed_and_difference_are_measured_on_the_tile():
    tile = sample_picture(64, 64)
    exactly = TileNetwork(Blur(2), "float32")
    found, sr = speed(exactly, tile, exactly(tile) + np.float32(2 / 255))
    assert np.array_equal(sr, exactly(tile)) and found.side == 64
    assert found.pixels_per_second > 0
    assert found.counted == exactly.bytes_per_pixel + 4 * 3 * 4  # four copies of three floats
    assert found.largest == pytest.approx(2, rel=1e-4)
    assert (found.precision, found.backend) == ("float32", "torch")


def test_the_command_prints_a_table_and_json(monkeypatch, tmp_path):
    monkeypatch.setattr(checkup, "SIDE", 64)
    monkeypatch.setattr(checkup, "SEAM_ROWS", 8)
    told = CliRunner().invoke(app, ["compact-x4"]).stdout
    assert "seam: overlap" in told and "used; used by --exact" in told and "float32" in told
    Image.new("RGB", (70, 64), (9, 9, 9)).save(tmp_path / "a.png")
    asked = ["--picture", str(tmp_path / "a.png"), "--json"]
    facts = json.loads(CliRunner().invoke(app, asked).stdout)
    assert facts["radius"] == 18 and facts["seams"][-1]["overlap"] == 18
    assert facts["speeds"][0]["precision"] == "float32"
    backends = {speed["backend"] for speed in facts["speeds"]}
    assert ("openvino" in backends) == (importlib.util.find_spec("openvino") is not None)
    Image.new("RGB", (63, 40)).save(tmp_path / "a.png")
    refused = CliRunner().invoke(app, asked)
    assert "a.png is 63x40; give a picture of 64x64 pixels at least." in str(refused.exception)
    assert refused.stdout == ""
