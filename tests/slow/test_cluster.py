"""Ray on this machine: two workers, one of which is killed; every picture has its right result."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import smooth
from upres.batch.cluster import Workers, upscale_on_ray
from upres.batch.events import Summary
from upres.batch.stores import Chosen, planned
from upres.images.files import Picture, read_picture, write_picture
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.upscaler import Upscaler

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PICTURES = 24
SETTINGS = UpscaleSettings(precision="float32", device="cpu")


@pytest.fixture(scope="module", autouse=True)
def local_ray() -> Iterator[None]:
    # Workers have a niceness of 15 unless told: beside other work they would starve
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"})
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_a_killed_worker_costs_no_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for number in range(PICTURES):
        picture = Picture(pixels=smooth(rng, 24, 30))
        (tmp_path / "in").mkdir(exist_ok=True)
        write_picture(tmp_path / "in" / f"{number:02}.png", picture)
    (tmp_path / "in" / "99.png").write_bytes(b"no picture")
    read, write = f"file://{tmp_path}/in", f"file://{tmp_path}/out"
    killed: list[str] = []
    workers: set[str] = set()

    def on_note(note: dict[str, str]) -> None:
        workers.add(note["worker"])
        if not killed and note["state"] == "done":
            killed.append(note["worker"])
            os.kill(int(note["worker"].partition(":")[2]), signal.SIGKILL)

    def enlarged() -> Summary:
        return upscale_on_ray(
            planned(read, write),
            write,
            "compact-x4",
            Chosen({}),
            settings=SETTINGS,
            workers=Workers(count=2, cores=1),
            on_note=on_note,
        )

    summary = enlarged()
    assert (summary.done, summary.skipped, len(summary.failures)) == (PICTURES, 0, 1)
    assert "99.png is no picture of a known kind" in str(summary.failures[0].error)
    assert len(workers) >= 3  # two, and the one that took the killed one's place
    results = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert results == [f"{number:02}_x4.png" for number in range(PICTURES)]
    assert not list((tmp_path / "out").glob(".*"))
    upscaler = Upscaler.load("compact-x4", SETTINGS)
    for number in range(PICTURES):
        expected = upscaler(read_picture(tmp_path / "in" / f"{number:02}.png"))
        found = read_picture(tmp_path / "out" / f"{number:02}_x4.png")
        levels = np.abs(expected.pixels.astype(int) - found.pixels)
        assert levels.max() <= 1  # one thread or two: sums in another order

    again = enlarged()
    assert (again.done, again.skipped, len(again.failures)) == (0, PICTURES, 1)
    parts = sorted((tmp_path / "out" / "upres-manifest").glob("*.jsonl"))
    notes = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert sum(note["state"] == "done" for note in notes) == PICTURES
