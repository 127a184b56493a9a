"""Time, memory and disk before the start: counted by hand, refused where they cannot fit."""

import pytest
import torch
from PIL import Image

from upres.errors import WontFit
from upres.images.opening import open_picture
from upres.images.saving import SaveSettings
from upres.upscaling import estimating
from upres.upscaling.estimating import (
    FINISHING,
    RESAMPLING,
    Estimate,
    Work,
    duration,
    estimate,
    estimate_for,
    refuse_what_cannot_fit,
    timed,
    work_for,
)
from upres.upscaling.memory import resident
from upres.upscaling.sizes import SizePlan
from upres.upscaling.tiles import Tiling
from upres.upscaling.tiling import FILES, bytes_needed
from upres.upscaling.upscaler import Upscaler

WORK = Work(
    height=100, width=200, channels=3, runs=1, frames=1, size=SizePlan(400, 200, 1), value_bytes=1
)
TILING = Tiling(52, 100, 8)


class Nearest(torch.nn.Module):
    def forward(self, lr):
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)


def estimated(work, *tilings, **known):
    return estimate(work, tilings, scale=2, bytes_per_pixel=100, **known)


def test_time_is_that_of_the_pixels_that_are_read_and_of_those_that_are_made():
    # Rows 0..60 and 44..100 are read, columns 0..108 and 92..200.
    read = (60 + 56) * (108 + 108)
    found = estimated(WORK, TILING, seconds_per_pixel=0.5)
    assert found.seconds == pytest.approx(read * 0.5 + 400 * 200 * 3 * FINISHING)


def test_another_size_and_a_slow_encoder_take_time_of_their_own():
    shrunk = Work(**{**vars(WORK), "size": SizePlan(300, 150, 1), "encoding": 1e-6})
    by_hand = 300 * 150 * 3 * (FINISHING + 1e-6) + 400 * 200 * 3 * RESAMPLING
    assert estimated(shrunk, TILING).seconds == pytest.approx(by_hand)


def test_alpha_bands_frames_and_passes_each_take_their_time():
    def seconds(**changes):
        work = Work(**{**vars(WORK), **changes})
        tilings = [TILING] * work.size.passes
        return estimated(work, *tilings, seconds_per_pixel=1).seconds

    once = seconds()
    assert seconds(runs=2) == pytest.approx(2 * once, rel=0.01)
    assert seconds(frames=5) == pytest.approx(5 * once, rel=0.01)
    assert 4.5 < seconds(size=SizePlan(800, 400, 2)) / once < 6  # four times the pixels in the 2nd


def test_memory_is_what_is_held_the_files_rows_and_one_tile():
    needed = bytes_needed(TILING, 200, 3, 2, 100)
    assert estimated(WORK, TILING, held=10**9).memory == 10**9 + FILES + needed
    whole = Work(**{**vars(WORK), "whole": True, "frames": 7})
    assert estimated(whole, TILING).memory == FILES + needed + 7 * 400 * 200 * 3
    shrunk = Work(**{**vars(WORK), "size": SizePlan(300, 150, 1)})
    assert estimated(shrunk, TILING).memory > FILES + needed + 64 * 400 * 3 * 8


def test_disk_is_that_of_the_values_and_less_where_a_format_loses():
    assert estimated(WORK, TILING).disk == 400 * 200 * 3
    deep = Work(**{**vars(WORK), "value_bytes": 2, "frames": 2})
    assert estimated(deep, TILING).disk == 2 * 2 * 400 * 200 * 3
    assert estimated(Work(**{**vars(WORK), "lossy": True}), TILING).disk == 400 * 200


@pytest.mark.parametrize(
    "mode, name, expected",
    [
        ("RGB", "a.png", (3, 1, False, False)),
        ("RGBA", "a.webp", (4, 2, True, True)),
        ("L", "a.jpg", (1, 1, True, False)),
        ("LA", "a.tif", (2, 2, False, False)),
    ],
)
def test_the_work_is_read_off_the_open_picture(tmp_path, mode, name, expected):
    Image.new(mode, (8, 6)).save(tmp_path / "in.png")
    opened = open_picture(tmp_path / "in.png")
    work = work_for(opened, SizePlan(16, 12, 1), tmp_path / name, SaveSettings())
    assert (work.width, work.height) == (8, 6)
    assert (work.channels, work.runs, work.lossy, work.whole) == expected
    assert work.encoding == 0
    assert work_for(opened, work.size, tmp_path / "a.avif", SaveSettings()).encoding > 1e-7
    deep = work_for(opened, SizePlan(16, 12, 1), tmp_path / "a.tif", SaveSettings(bits=16))
    assert deep.value_bytes == 2


def test_an_upscaler_with_less_memory_takes_less_and_tells_so():
    work = Work(**{**vars(WORK), "width": 9000, "height": 9000, "size": SizePlan(18000, 18000, 1)})
    freely = Upscaler(Nearest(), 2, 34, precision="float32")
    asked = resident() + 300_000_000
    tightly = Upscaler(Nearest(), 2, 34, precision="float32", memory=asked)
    assert estimate_for(freely, work).memory > asked > estimate_for(tightly, work).memory
    assert tightly.tiling(9000, 9000).rows < 256


def test_the_time_of_a_tile_is_measured_on_a_tile(monkeypatch):
    clock = iter(range(0, 1000, 2))  # two seconds between any two looks
    monkeypatch.setattr(estimating.time, "perf_counter", lambda: next(clock))
    upscaler = Upscaler(Nearest(), 2, 34, precision="float32")
    assert timed(upscaler, 900, 900) == 2 / 64**2  # a tile of 324 would take 51 seconds
    assert timed(upscaler, 20, 30) == 2 / 600


def test_the_first_tile_of_a_size_does_not_count(monkeypatch):
    """Four tiles: two small ones, 1 s and 0.01 s, then two of all 200x200, 1 s and 0.4 s."""
    clock = iter([0, 1, 2, 2.01, 3, 4, 5, 5.4])
    monkeypatch.setattr(estimating.time, "perf_counter", lambda: next(clock))
    upscaler = Upscaler(Nearest(), 2, 34, precision="float32")
    assert timed(upscaler, 200, 200) == pytest.approx(0.4 / 200**2)


def test_what_fits_passes_and_what_does_not_is_refused_with_advice(tmp_path):
    target = tmp_path / "not yet" / "a.png"
    refuse_what_cannot_fit(Estimate(1, 10**9, 10), target, 10**9)
    with pytest.raises(WontFit, match=r"a\.png needs about 1\.5 GB of memory, and 1\.0 GB may"):
        refuse_what_cannot_fit(Estimate(1, 1_500_000_000, 10), target, 10**9)
    with pytest.raises(WontFit, match=r"give --memory 1500M, .* pass --yes to try"):
        refuse_what_cannot_fit(Estimate(1, 1_500_000_000, 10), target, 10**9)
    with pytest.raises(WontFit, match=r"a\.png takes up to 1000000 TB, and its disk has .* left"):
        refuse_what_cannot_fit(Estimate(1, 10, 10**18), target, 10**9)


@pytest.mark.parametrize(
    "seconds, told",
    [(0.2, "0 s"), (41, "41 s"), (725, "12 min"), (12600, "3.5 h"), (200_000, "2 days")],
)
def test_durations_are_told_as_people_read_them(seconds, told):
    assert duration(seconds) == told
    assert (
        str(Estimate(seconds, 10**9, 5)) == f"about {told}, 1.0 GB of memory, up to 5 bytes on disk"
    )


def test_the_memory_that_a_refusal_advises_is_enough():
    work = Work(**{**vars(WORK), "width": 9000, "height": 9000, "size": SizePlan(18000, 18000, 1)})
    upscaler = Upscaler(Nearest(), 2, 34, precision="float32")
    upscaler.memory = upscaler.held + 100_000_000
    needed = estimate_for(upscaler, work).memory
    assert needed > upscaler.memory
    upscaler.memory = needed
    assert estimate_for(upscaler, work).memory <= needed
