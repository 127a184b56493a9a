"""What a training run wrote down, read back: its events and the facts of its making."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from upres.errors import BadRun

# A run writes null for a value that is not finite.
Value = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]

# Events may carry more than a report reads: a log of a later version still gives its curves.


class DiscriminatorScores(BaseModel, frozen=True):
    """The discriminator at one step; real and fake are mean logits, accuracy is 0..1."""

    loss: float | None = None
    accuracy: float | None = None
    real: float | None = None
    fake: float | None = None


class StepEvent(BaseModel, frozen=True):
    """One logged step; `terms` are unweighted, shares are 0..1."""

    stage: str
    step: int
    images_per_second: float | None = None
    data_wait_share: float | None = None
    rate: float | None = None
    terms: dict[str, Value] = {}
    weighted: dict[str, Value] = {}
    discriminator: DiscriminatorScores | None = None
    gradient_shares: dict[str, Value] = {}


class ValidationEvent(BaseModel, frozen=True):
    """One validation under a named protocol; `best` names the metrics that were never better."""

    stage: str
    step: int
    protocol: str | None = None
    metrics: dict[str, Value] = {}
    best: tuple[str, ...] = ()


class StagePlan(BaseModel, frozen=True):
    """How many steps a stage was to have."""

    steps: int | None = None


class RunEvent(BaseModel, frozen=True):
    """The head of a log."""

    recipe: str | None = None
    scale: int | None = None
    stages: dict[str, StagePlan] = {}


@dataclass(frozen=True)
class StageLog:
    """One stage's events in the order of their steps."""

    name: str
    planned_steps: int | None
    steps: tuple[StepEvent, ...]
    validations: tuple[ValidationEvent, ...]

    @property
    def last_step(self) -> int:
        """The last step that was logged; 0 before the first."""
        ends = [event.step for event in self.steps[-1:]]
        return max([*ends, *(event.step for event in self.validations[-1:])], default=0)


@dataclass(frozen=True, kw_only=True)
class RunLog:
    """A run's log: its stages in order, and whatever run.json tells (machine, versions, ...)."""

    name: str
    recipe: str | None
    scale: int | None
    stages: tuple[StageLog, ...]
    facts: Mapping[str, Any]
    unread_lines: int  # lines that are no event: cut short by a kill, or of another version


def read_run_log(run_dir: Path) -> RunLog:
    """The log in a run's folder (metrics.jsonl and, if present, run.json).

    A resumed run repeats steps: the events of the branch it left are dropped. A line that cannot
    be read (the last one of a killed run) is counted, not refused. Raises BadRun when the folder
    holds no metrics.jsonl.
    """
    path = run_dir / "metrics.jsonl"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadRun(
            f"{run_dir} holds no readable metrics.jsonl; give the folder that "
            f"`upres train` wrote, or an evaluation's JSON file."
        ) from error
    reading = _Reading()
    reading.take(text.splitlines())
    return RunLog(
        name=run_dir.resolve().name,
        recipe=reading.head.recipe,
        scale=reading.head.scale,
        stages=reading.stages(),
        facts=_read_facts(run_dir / "run.json"),
        unread_lines=reading.unread,
    )


@dataclass
class _Reading:
    head: RunEvent = field(default_factory=RunEvent)
    steps: dict[str, list[StepEvent]] = field(default_factory=dict)
    validations: dict[str, list[ValidationEvent]] = field(default_factory=dict)
    unread: int = 0

    def take(self, lines: Iterable[str]) -> None:
        for line in lines:
            if not line.strip():
                continue
            try:
                self._take_one(json.loads(line))
            except (ValidationError, ValueError, TypeError, AttributeError):
                self.unread += 1

    def _take_one(self, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "run":
                self.head = RunEvent.model_validate(event)
            case "step":
                step = StepEvent.model_validate(event)
                steps = self.steps.setdefault(step.stage, [])
                if steps and step.step <= steps[-1].step:  # resumed from an earlier state
                    _rewind(steps, step.step)
                    _rewind(self.validations.get(step.stage, []), step.step)
                steps.append(step)
            case "validation":
                found = ValidationEvent.model_validate(event)
                validations = self.validations.setdefault(found.stage, [])
                _rewind(validations, found.step)
                validations.append(found)

    def stages(self) -> tuple[StageLog, ...]:
        names = dict.fromkeys((*self.head.stages, *self.steps, *self.validations))
        return tuple(
            StageLog(
                name=name,
                planned_steps=self.head.stages.get(name, StagePlan()).steps,
                steps=tuple(self.steps.get(name, ())),
                validations=tuple(self.validations.get(name, ())),
            )
            for name in names
        )


def _rewind(events: list[StepEvent] | list[ValidationEvent], step: int) -> None:
    while events and events[-1].step >= step:
        events.pop()


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a report without the machine's name is better than none
        return {}
    return facts if isinstance(facts, dict) else {}
