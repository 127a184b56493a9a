"""How much memory there is: sizes as people write them, and what this process holds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from upres.errors import BadSetting
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.upscaling import memory
from upres.upscaling.activations import bytes_per_pixel
from upres.upscaling.memory import default_memory, free_memory, human, parse_memory


@pytest.mark.parametrize(
    "text, size",
    [
        ("800M", 800_000_000),
        ("1.5G", 1_500_000_000),
        ("2GiB", 2**31),
        ("1 gb", 10**9),
        (".5k", 500),
        ("4096", 4096),
        ("1T", 10**12),
    ],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "0", "1.2.3G", "2P", "0.0001"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(BadSetting, match=re.escape(f"--memory {text!r} is no size; give one such")):
        parse_memory(text)


@pytest.mark.parametrize(
    "size, told",
    [
        (12, "12 bytes"),
        (350e6, "350 MB"),
        (1.24e9, "1.2 GB"),
        (999.6e6, "1.0 GB"),
        (3e15, "3000 TB"),
    ],
)
def test_sizes_are_told_as_people_read_them(size, told):
    assert human(size) == told


def test_what_a_process_holds_grows_with_what_it_holds():
    # a process of its own: what others freed before would be taken first
    program = (
        "from upres.upscaling.memory import resident\n"
        "before = resident()\n"
        "held = b'x' * 50_000_000\n"
        "print(resident() - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 45e6 < int(ended.stdout) < 80e6


def test_a_quarter_of_what_is_free_is_the_default(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 4_000_000_000)
    monkeypatch.setattr(memory, "resident", lambda: 300_000_000)
    assert default_memory() == 1_300_000_000


def test_the_limit_of_a_container_counts(monkeypatch, tmp_path):
    (tmp_path / "max").write_text("1000000\n")
    (tmp_path / "current").write_text("400000\n")
    missing = (str(tmp_path / "no"), str(tmp_path / "no"))
    here = (str(tmp_path / "max"), str(tmp_path / "current"))
    monkeypatch.setattr(memory, "_CGROUPS", (missing, here))
    assert free_memory() == 600_000
    (tmp_path / "max").write_text("max\n")
    assert free_memory() > 600_000


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the system does not tell")
def test_free_memory_is_less_than_there_is():
    total = int(re.search(r"MemTotal: *(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    assert 0 < free_memory() < total


def test_the_memory_of_a_network_is_that_of_its_tensors():
    """One convolution 3 to 8 and one 8 to 3 without bias: the widest moment, counted by hand."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Conv2d(8, 3, 3, padding=1)
    ).eval()
    # Within the second convolution there are its input of 8 and its output of 3 channels; the
    # picture itself is the caller's and the sequence holds nothing else.
    assert bytes_per_pixel(network) == pytest.approx((8 + 3) * 4, abs=3 * 4)


def test_the_memory_of_compact_is_near_what_was_measured_elsewhere():
    """0.6 kB per LR pixel in float32, by the resident memory of a process; 2 features of 64."""
    found = bytes_per_pixel(build_generator(CompactSettings(), 4, seed=0).eval())
    assert found == pytest.approx(600, rel=0.1)
