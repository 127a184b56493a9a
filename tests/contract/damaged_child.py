"""Enlarges files one after another in a process of little memory, and tells of each in a line.

    python damaged_child.py TARGETS MEGABYTES < paths, one a line

Standard output: `{"start": PATH}`, then what came of it. Whoever hangs is killed by a signal, so
the last line that begins a file without an end names the culprit. Memory is limited to what the
program has before its first file, and so many MEGABYTES more.
"""

import json
import resource
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from upres.batch.one_file import upscale_file
from upres.errors import UpresError
from upres.images.opening import open_picture
from upres.upscaling.upscaler import Upscaler

COMPUTING = 10  # seconds of the processor for one file
WAITING = 90  # seconds by the clock: the machine may be busy with other things
SCALE = 2


class Nearest(nn.Module):
    """Each pixel as four."""

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(lr, scale_factor=SCALE, mode="nearest")


def told(path: Path, targets: Path, upscaler: Upscaler) -> dict[str, object]:
    """Return what came of the file: its error, or the sizes of both pictures."""
    target = targets / path.name
    began = time.process_time()
    try:
        upscale_file(path, target, upscaler)
    except UpresError as error:
        result: dict[str, object] = {"error": str(error), "class": type(error).__name__}
    except BaseException as error:
        result = {"crash": f"{type(error).__name__}: {error}"}
    else:
        read, made = open_picture(path), open_picture(target)
        for block in made.blocks():
            del block
        result = {
            "lr": [read.frames, read.height, read.width],
            "sr": [made.frames, made.height, made.width],
        }
    seconds = time.process_time() - began
    for left in targets.iterdir():
        if left != target or "lr" not in result:
            result["left"] = str(left)
        left.unlink()
    return result | {"seconds": seconds}


def peak_megabytes() -> int:
    """Return the most that this program has had; getrusage would count what its parent had."""
    return kilobytes("VmHWM") // 1024


def kilobytes(field: str) -> int:
    """Return what the system tells of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def tell(**event: object) -> None:
    """Print a line that is read at once."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Take the files in turn."""
    torch.set_num_threads(1)
    targets, megabytes = Path(sys.argv[1]), int(sys.argv[2])
    upscaler = Upscaler(Nearest(), SCALE, 1, precision="float32", tile=256)
    limit = kilobytes("VmData") * 1024 + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        tell(start=str(path))
        signal.setitimer(signal.ITIMER_PROF, COMPUTING)
        signal.setitimer(signal.ITIMER_REAL, WAITING)
        result = told(path, targets, upscaler)
        tell(file=str(path), peak_mb=peak_megabytes(), **result)


main()
