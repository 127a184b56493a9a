"""A run's folder: what lies where, and whether a folder may be gone on with.

RUN/recipe.yaml                 the recipe in force, every value spelled out
RUN/run.json                    command, seed, versions, commit, machine, hash of the data
RUN/metrics.jsonl               what happened, a line an event
RUN/model.safetensors           the generator of the last stage, for use
RUN/.lock                       while a process trains here
RUN/STAGE/state.safetensors     all that is needed to go on
RUN/STAGE/step-*.safetensors    the last K generators
RUN/STAGE/best-*.safetensors    the best generator by each chosen metric
RUN/STAGE/model.safetensors     what the stage hands over
"""

import json
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy
import torch

from upres.atomic import write_text
from upres.errors import BadRun
from upres.recipes.schema import Recipe
from upres.recipes.stages import LENGTHS
from upres.recipes.text import differences, from_yaml, to_yaml
from upres.training.lock import LOCK

_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.part\.\w+")  # as `atomic.replacing` names it


def open_run(folder: Path, recipe: Recipe, facts: Mapping[str, Any]) -> None:
    """Make the run's folder, or check that it holds this very run and may go on.

    facts: what run.json says besides versions and machine. A stage may be made longer as long
    as no later stage has begun. Raises BadRun, naming every other difference.
    """
    written = folder / "recipe.yaml"
    if not written.exists():
        if not _may_begin(folder):
            raise BadRun(
                f"{folder} is not empty and holds no run: give --out a new folder or an empty one."
            )
        _remove_half_written(folder)
        write_facts(folder, facts)
        write_text(written, to_yaml(recipe))
        return
    old = from_yaml(written.read_text(encoding="utf-8"), name=str(written))
    _refuse_other_run(folder, old, recipe)
    _refuse_other_data(folder, facts)
    _remove_half_written(folder)
    if old != recipe:
        write_text(written, to_yaml(recipe))


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write run.json: the given facts with versions, commit and machine."""
    text = json.dumps({**facts, **_machine()}, indent=2, ensure_ascii=False)
    write_text(folder / "run.json", text + "\n")


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what run.json says. Raises BadRun where it is missing or damaged."""
    try:
        facts: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        raise BadRun(f"{folder} has no readable run.json: is it a run's folder?") from None
    return facts


def remember(folder: Path, **facts: Any) -> None:
    """Add facts that became known while the run went on."""
    write_text(
        folder / "run.json",
        json.dumps({**read_facts(folder), **facts}, indent=2, ensure_ascii=False) + "\n",
    )


def _remove_half_written(folder: Path) -> None:
    """Remove what a killed process was writing; nobody else writes into a run's folder."""
    for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
        if _HALF_WRITTEN.fullmatch(path.name):
            path.unlink()


def _may_begin(folder: Path) -> bool:
    """Whether nothing is there but what a run leaves that was killed before it began."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = {name for name in names - {LOCK} if not _HALF_WRITTEN.fullmatch(name)}
    if others != {"run.json"}:
        return not others
    return '"upres": ' in (folder / "run.json").read_text(encoding="utf-8", errors="replace")


def _refuse_other_run(folder: Path, old: Recipe, new: Recipe) -> None:
    lengths = {f"stages.{stage}.{unit}" for stage in new.stages for unit in LENGTHS}
    changes = differences(old, new)
    longer = [c for c in changes if c[0] in lengths or c[0] == "budget.minutes"]
    other = [c for c in changes if c not in longer]
    if other:
        # between two recipes nearly everything differs, and the names say it
        shown = [change for change in other if change[0] == "name"] or other
        listed = "; ".join(f"{field} was {a!r}, now {b!r}" for field, a, b in shown)
        raise BadRun(
            f"{folder} holds another run ({listed}): give --out another folder, "
            "or the values that it was started with."
        )
    for field, before, after in longer:
        _refuse_shorter(folder, new, field, before, after)


def _refuse_shorter(folder: Path, new: Recipe, field: str, before: object, after: object) -> None:
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        raise BadRun(
            f"{folder} holds a run whose {field} was {before!r}, now {after!r}: keep its unit."
        )
    if after < before:
        raise BadRun(f"{folder} holds a longer run: {field} was {before}, now {after}.")
    stages = list(new.stages)
    extended = stages[0] if field == "budget.minutes" else field.split(".")[1]
    later = stages[stages.index(extended) + 1 :]
    begun = [stage for stage in later if (folder / stage / "state.safetensors").exists()]
    if begun:
        raise BadRun(
            f"{folder}: {field} cannot grow from {before} to {after} because stage {begun[0]} has "
            "begun from what was handed over: give --out another folder."
        )


def _refuse_other_data(folder: Path, facts: Mapping[str, Any]) -> None:
    old = read_facts(folder)
    for name in ("data_hash", "init_sha256"):
        if old.get(name) != facts.get(name):
            what = "photos" if name == "data_hash" else "--init"
            raise BadRun(
                f"{folder} holds a run with other {what} ({name} was {old.get(name)}, now "
                f"{facts.get(name)}): give --out another folder."
            )


def _machine() -> dict[str, Any]:
    return {
        "versions": {
            "upres": version("upres"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
        "commit": _commit(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "threads": torch.get_num_threads(),
            "capability": torch.backends.cpu.get_cpu_capability(),
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")


def _commit() -> str | None:
    """The commit of the program's own checkout; None where it is an installed package."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
