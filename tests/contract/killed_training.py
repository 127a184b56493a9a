"""A program for tests: trainings that are killed again and again until they are done.

Called with: the store's folder, a recipe's YAML file, the folder for the runs 0, 1, ..., and as
JSON for each run a list of when to die. A number is a share of an unbroken run's time, a text
such as "half 7" a place: while the seventh file is half written ("half"), before it gets its name
("unnamed") or after ("named"). Each life is a process of its own, forked from this one so that
torch is imported once. A run's last life is not killed. Prints how each life of each run ended,
as JSON.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from upres import atomic
from upres.data.store import open_store
from upres.recipes.schema import Recipe
from upres.recipes.text import from_yaml
from upres.training.perceivers import untrained_perceivers
from upres.training.train import Needs, train

SLOW = 0.01  # seconds for each file, in the middle of it: kills hit writing, too

Death = float | str


def untrained(recipe: Recipe) -> Needs:
    stages = recipe.stages.items()
    return Needs({name: untrained_perceivers(stage) for name, stage in stages}, None)


def slow_and_deadly(where: str, number: int) -> None:
    """Let every write take its time, and die at the `number`-th file, if that is not 0."""
    written = {"half": 0, "unnamed": 0, "named": 0}

    def passing(place: str) -> None:
        written[place] += 1
        if (place, written[place]) == (where, number):
            os.kill(os.getpid(), signal.SIGKILL)

    def in_halves(really: Callable[..., int]) -> Callable[..., int]:
        def write(self: Path, content: bytes | str, **options: str) -> int:
            really(self, content[: len(content) // 2], **options)
            time.sleep(SLOW)
            passing("half")
            return really(self, content, **options)

        return write

    def named(self: Path, target: Path) -> Path:
        passing("unnamed")
        os.replace(self, target)
        passing("named")
        return target

    for name in ("write_bytes", "write_text"):
        setattr(Path, name, in_halves(getattr(Path, name)))
    Path.replace = named  # type: ignore[method-assign, assignment]
    assert atomic.os is os


def life(store: Path, recipe: Recipe, run: Path, death: Death | None) -> int:
    """Fork, train, and die as `death` says; return the status of the process."""
    child = os.fork()
    if child == 0:
        place = death if isinstance(death, str) else "nowhere 0"
        slow_and_deadly(place.split()[0], int(place.split()[1]))
        train(recipe, open_store(store), run, needs=untrained(recipe), facts={})
        os._exit(0)
    if isinstance(death, float):
        time.sleep(death)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    store, recipe_file, runs = (Path(argument) for argument in sys.argv[1:4])
    torch.set_num_threads(1)
    recipe = from_yaml(recipe_file.read_text(encoding="utf-8"), name=recipe_file.name)
    campaign: list[list[Death]] = json.loads(sys.argv[4])
    unbroken = 0.0
    if any(isinstance(death, float) for deaths in campaign for death in deaths):
        began = time.perf_counter()
        life(store, recipe, runs / "timed", None)
        unbroken = time.perf_counter() - began
    ended = []
    for number, deaths in enumerate(campaign):
        timed = [death * unbroken if isinstance(death, float) else death for death in deaths]
        run = runs / str(number)
        ended.append([life(store, recipe, run, death) for death in [*timed, None]])
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main()
