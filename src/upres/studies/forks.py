"""A run that goes on from stages that another run has finished, as if it had trained them."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from upres.atomic import replacing, write_text
from upres.errors import BadRun
from upres.recipes.schema import Recipe
from upres.recipes.text import to_yaml
from upres.training.journal import read_events
from upres.training.run import read_facts


def fork(source: Path, folder: Path, recipe: Recipe, stages: Sequence[str]) -> None:
    """Make `folder` a run of `recipe` whose first `stages` are those of `source`.

    source: a run that has finished them; `recipe` has the same values for them. `train` goes on
    in `folder` and comes to the bits that it would have come to alone. Weights are linked, not
    copied, where the disk can: runs replace files and never change them. A folder that is a run
    already is left as it is; one that a killed fork left is completed.
    Raises BadRun where something else is in the way, NoSpace.
    """
    if (folder / "recipe.yaml").exists():
        return
    _refuse_others(folder, stages)
    for stage in stages:
        for file in sorted((source / stage).glob("[!.]*.safetensors")):
            _link(file, folder / stage / file.name)
    write_text(folder / "metrics.jsonl", "".join(_lines(source / "metrics.jsonl", stages)))
    facts = {**read_facts(source), "stages_of": {stage: str(source) for stage in stages}}
    write_text(folder / "run.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    write_text(folder / "recipe.yaml", to_yaml(recipe))  # last: with it, the folder is a run


def _refuse_others(folder: Path, stages: Sequence[str]) -> None:
    ours = {"metrics.jsonl", "run.json", *stages}
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(name for name in names - ours if not name.startswith("."))
    if others:
        raise BadRun(
            f"{folder} is no run but holds {others[0]}: give --out another folder, or move it away."
        )


def _lines(journal: Path, stages: Sequence[str]) -> Iterator[str]:
    for event in read_events(journal):
        if event["event"] == "run" or event.get("stage") in stages:
            yield json.dumps(event, ensure_ascii=False) + "\n"


def _link(source: Path, target: Path) -> None:
    with replacing(target) as partial:
        partial.unlink()  # a link is made only where nothing is
        try:
            os.link(source, partial)
        except OSError:  # disks without hard links
            shutil.copyfile(source, partial)
