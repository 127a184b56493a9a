"""What the tests of stopped folders share: pictures, the program that is stopped, comparison."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PROGRAM = Path(__file__).parent / "contract" / "killed_folder.py"


def make_pictures(folder: Path, count: int) -> None:
    """PNG, JPEG, WebP and TIFF in turn, some in a folder of a folder, some with alpha."""
    drawn = np.random.default_rng(0)
    for number in range(count):
        ending = (".png", ".jpg", ".webp", ".tif")[number % 4]
        path = folder / ("é" if number % 3 else "") / f"{number:02}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        channels = 4 if number % 8 == 0 else 3
        values = drawn.integers(0, 256, (24 + number, 50, channels), dtype=np.uint8)
        Image.fromarray(values).save(path)


def stopped(photos: Path, results: Path, deaths: list[str]) -> list[dict[str, Any]]:
    """Enlarge `photos` in lives that end as `deaths` says (see the program); return their ends.

    Results stand in "broken" in `results`, those of a run that was never stopped in "unbroken".
    """
    ended = subprocess.run(
        [sys.executable, str(PROGRAM), str(photos), str(results), json.dumps(deaths)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    ends: list[dict[str, Any]] = json.loads(ended.stdout)
    return ends


def files(folder: Path) -> dict[str, bytes]:
    """All files, hidden ones too, but the manifest."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if path.suffix != ".jsonl"
    }


def notes(folder: Path, state: str) -> list[dict[str, Any]]:
    """The lines of this state in the manifest."""
    lines = (folder / "upres-manifest.jsonl").read_bytes().splitlines()
    return [note for note in map(_note, lines) if note.get("state") == state]


def _note(line: bytes) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}  # cut short by a kill
    return note
