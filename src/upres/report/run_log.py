"""What a training run wrote down, read back: its events and the facts of its making."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ValidationError

from upres.errors import BadRun

# A run writes null for a value that is not finite.
Value = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]

# Events may carry more than a report reads: a log of a later version still gives its curves.


class DiscriminatorScores(BaseModel, frozen=True):
    """The discriminator at one step; real and fake are mean logits.

    accuracy and updated, the share of its steps in which it learned, are 0..1.
    """

    loss: float | None = None
    accuracy: float | None = None
    real: float | None = None
    fake: float | None = None
    updated: float | None = None


class Look(BaseModel, frozen=True):
    """What the watch measured at one step; shares are 0..1, distance and grid too."""

    gradient_shares: dict[str, Value] = {}
    gradient_norm: float | None = None
    ema_distance: float | None = None
    high_frequency: float | None = None
    grid: float | None = None


class StepEvent(BaseModel, frozen=True):
    """One logged step; `terms` are unweighted, shares are 0..1.

    gradient_shares: where logs of upres 0.1 have what is in `watch` now; read `pulls`.
    """

    stage: str
    step: int
    images_per_second: float | None = None
    data_wait_share: float | None = None
    rate: float | None = None
    terms: dict[str, Value] = {}
    weighted: dict[str, Value] = {}
    discriminator: DiscriminatorScores | None = None
    gradient_shares: dict[str, Value] = {}
    weights: dict[str, Value] = {}
    watch: Look | None = None

    @property
    def pulls(self) -> dict[str, float]:
        """Each term's share of the generator's gradient; empty where it was not measured."""
        return (self.watch and self.watch.gradient_shares) or self.gradient_shares


class VerdictEvent(BaseModel, frozen=True):
    """A verdict of the watch begins or ends; `fields` are those of the recipe to change."""

    stage: str
    step: int
    kind: str
    text: str
    fields: tuple[str, ...] = ()
    state: Literal["begins", "ends"]


class ValidationEvent(BaseModel, frozen=True):
    """One validation under a named protocol; `best` names the metrics that were never better.

    epoch: how many times the stage has seen all photos; logs of other programs may lack it.
    """

    stage: str
    step: int
    epoch: float | None = None
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
    """One stage's events in the order of their steps.

    accuracy_band: within which the discriminator was to learn, where the recipe sets one.
    """

    name: str
    planned_steps: int | None
    steps: tuple[StepEvent, ...]
    validations: tuple[ValidationEvent, ...]
    verdicts: tuple[VerdictEvent, ...] = ()
    accuracy_band: tuple[float, float] | None = None

    @property
    def last_step(self) -> int:
        """The last step that was logged; 0 before the first."""
        ends = [event.step for event in self.steps[-1:]]
        return max([*ends, *(event.step for event in self.validations[-1:])], default=0)

    @property
    def epoch_steps(self) -> float | None:
        """Steps of one epoch, by the last validation that knows its epoch; None if none does."""
        known = [v.step / v.epoch for v in self.validations if v.step and v.epoch]
        return known[-1] if known else None


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
    """The log in a run's folder (metrics.jsonl and, if present, run.json and recipe.yaml).

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
        stages=reading.stages(_read_bands(run_dir / "recipe.yaml")),
        facts=_read_facts(run_dir / "run.json"),
        unread_lines=reading.unread,
    )


@dataclass
class _Reading:
    head: RunEvent = field(default_factory=RunEvent)
    steps: dict[str, list[StepEvent]] = field(default_factory=dict)
    validations: dict[str, list[ValidationEvent]] = field(default_factory=dict)
    verdicts: dict[str, list[VerdictEvent]] = field(default_factory=dict)
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
                    _rewind(self.verdicts.get(step.stage, []), step.step)
                steps.append(step)
            case "validation":
                found = ValidationEvent.model_validate(event)
                validations = self.validations.setdefault(found.stage, [])
                _rewind(validations, found.step)
                validations.append(found)
            case "verdict":
                verdict = VerdictEvent.model_validate(event)
                self.verdicts.setdefault(verdict.stage, []).append(verdict)

    def stages(self, bands: Mapping[str, tuple[float, float]]) -> tuple[StageLog, ...]:
        names = dict.fromkeys((*self.head.stages, *self.steps, *self.validations))
        return tuple(
            StageLog(
                name=name,
                planned_steps=self.head.stages.get(name, StagePlan()).steps,
                steps=tuple(self.steps.get(name, ())),
                validations=tuple(self.validations.get(name, ())),
                verdicts=tuple(self.verdicts.get(name, ())),
                accuracy_band=bands.get(name),
            )
            for name in names
        )


def _rewind(
    events: list[StepEvent] | list[ValidationEvent] | list[VerdictEvent], step: int
) -> None:
    while events and events[-1].step >= step:
        events.pop()


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a report without the machine's name is better than none
        return {}
    return facts if isinstance(facts, dict) else {}


def _read_bands(path: Path) -> dict[str, tuple[float, float]]:
    """The accuracy bands of a run's stages; a recipe that cannot be read costs only the bands."""
    try:
        stages = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
        bands = {
            name: (stage.get("balance") or {}).get("accuracy_band")
            for name, stage in stages.items()
        }
        return {name: (float(band[0]), float(band[1])) for name, band in bands.items() if band}
    except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return {}
