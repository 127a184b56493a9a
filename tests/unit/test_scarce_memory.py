"""A process that really gets no more memory: tiles are halved, and the picture is the same."""

import os
import subprocess
import sys

import pytest

CHILD = """
import resource

import numpy as np

from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.upscaling.upscaler import Upscaler

network = build_generator(CompactSettings(width=64, convs=1), 4, seed=0).eval()
picture = np.random.default_rng(0).integers(0, 256, (128, 800, 3), dtype=np.uint8)
whole = Upscaler(network, 4, 3, precision="float32", tile=0)
whole.enlarge(picture[:40, :40])
tried = []
through = whole._network.__class__.__call__
whole._network.__class__.__call__ = lambda self, tile, tally=None: (
    tried.append(tile.shape), through(self, tile, tally)
)[1]
for room in range(200_000_000, 0, -10_000_000):  # until the whole picture does not fit
    tried.clear()
    held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + room, resource.RLIM_INFINITY))
    scarcely = whole.enlarge(picture)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    if len(tried) > 1:
        break
assert tried[0][:2] == (128, 800) and len(tried) > 2, tried
expected = Upscaler(network, 4, 3, precision="float32", tile=64).enlarge(picture)
off = np.abs(scarcely.astype(int) - expected).max()
assert off <= 1, off  # the same sums in another order, rounded
"""

FREED_AT_ONCE = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}  # by glibc


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory so")
def test_a_tile_for_which_there_is_no_memory_is_halved():
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | FREED_AT_ONCE,
    )
    assert done.returncode == 0, done.stderr
