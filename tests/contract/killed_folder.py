"""A program for tests: folders of pictures that are enlarged by processes that are stopped.

Called with: the folder of pictures, the folder for results, and as JSON a list of how its lives
end: "tile 9" kills it in its ninth tile, "interrupt 9" sends Ctrl-C there, "unnamed 2" and
"named 2" kill it before and after its second result gets its name. The last life is left alone.
Each is forked from this process so that torch is imported once. Prints each life's exit code and
the half-written files that it left, as JSON.
"""

import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from upres.batch.folder import FolderSettings, upscale_folder
from upres.errors import Interrupted
from upres.upscaling.upscaler import Upscaler

SLOW = 0.003  # seconds a tile


class SlowNearest(nn.Module):
    """Twice as large; sends itself a signal in one of its tiles, counted from 1."""

    def __init__(self, tile: int, sent: signal.Signals) -> None:
        super().__init__()
        self.tile, self.sent, self.tiles = tile, sent, 0

    def forward(self, lr: Tensor) -> Tensor:
        self.tiles += 1
        if self.tiles == self.tile:
            os.kill(os.getpid(), self.sent)
        time.sleep(SLOW)
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)


def die_at(place: str, number: int) -> None:
    """Kill this process when the `number`-th result gets its name."""
    numbers = itertools.count(1)  # several threads give names

    def replace(self: Path, target: Path) -> Path:
        named = next(numbers)
        if (place, named) == ("unnamed", number):
            os.kill(os.getpid(), signal.SIGKILL)
        os.replace(self, target)
        if (place, named) == ("named", number):
            os.kill(os.getpid(), signal.SIGKILL)
        return target

    Path.replace = replace  # type: ignore[method-assign, assignment]


def life(photos: Path, results: Path, death: str) -> int:
    """Fork, enlarge the folder, and end as `death` says; return the exit code."""
    child = os.fork()
    if child == 0:
        kind, _, number = death.partition(" ")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # not so in a background job
        if kind in ("unnamed", "named"):
            die_at(kind, int(number))
        sent = signal.SIGINT if kind == "interrupt" else signal.SIGKILL
        network = SlowNearest(int(number) if kind in ("tile", "interrupt") else 0, sent)
        upscaler = Upscaler(network, 2, 0, precision="float32", tile=16)
        try:
            upscale_folder(photos, results, upscaler, FolderSettings(recursive=True))
        except Interrupted:
            os._exit(130)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    photos, results = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    life(photos, results / "unbroken", "none")
    ends = []
    for death in [*json.loads(sys.argv[3]), "none"]:
        code = life(photos, results / "broken", death)
        left = [path.name for path in (results / "broken").rglob(".*")]
        ends.append({"code": code, "half-written": left})
    sys.stdout.write(json.dumps(ends))


if __name__ == "__main__":
    main()
