"""What is known about a run besides its curves, as pairs of words."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from upres.report.run_log import RunLog, StageLog

LONGEST = 300  # characters of one value
# By the log itself, the YAML or the page; a stamp tells files apart and means nothing to people.
TOLD = frozenset({"event", "recipe", "scale", "stages", "stamp"})


def run_facts(run: RunLog) -> list[tuple[str, str]]:
    """Recipe, scale, progress and speed from the log, then all of run.json (machine, versions)."""
    facts = [("recipe", run.recipe or "not named")]
    if run.scale is not None:
        facts.append(("scale", f"x{run.scale}"))
    facts += [(f"stage {stage.name}", _progress(stage)) for stage in run.stages]
    return facts + [
        (name, text if len(text) <= LONGEST else f"{text[:LONGEST]} ...")
        for name, text in _flat({k: v for k, v in run.facts.items() if k not in TOLD})
    ]


def _progress(stage: StageLog) -> str:
    done = f"{stage.last_step:,} steps"
    if stage.planned_steps is not None and stage.planned_steps != stage.last_step:
        done = f"{stage.last_step:,} of {stage.planned_steps:,} steps"
    speeds = [e.images_per_second for e in stage.steps if e.images_per_second is not None]
    return f"{done}, {median(speeds):.3g} images/s" if speeds else done


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        name = f"{above}{key}".replace("_", " ")
        match value:
            case None:
                continue
            case Mapping():
                yield from _flat(value, f"{name}: ")
            case list():
                yield name, ", ".join(str(part) for part in value)
            case bool():
                yield name, "yes" if value else "no"
            case float():
                yield name, f"{value:.6g}"
            case _:
                yield name, str(value)
