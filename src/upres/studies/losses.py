"""A study of a recipe's fields: a run for each point, all judged alike.

OUT/recipe                 the recipe as it is: trained first, in full
OUT/adversarial=0.05       a point, by what differs; stages that no point varies are OUT/recipe's
OUT/pictures               what every row makes of the first pictures
OUT/evaluation.json        the rows of all points; `upres report` makes other tables of it
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upres.atomic import write_text
from upres.data.stores import AnyStore
from upres.errors import Interrupted, WorkFailed
from upres.evaluation.judge import Evaluation
from upres.processes.devices import Layout
from upres.processes.fabric import fabric_for
from upres.recipes.schema import Recipe
from upres.recipes.text import from_yaml
from upres.studies.forks import fork
from upres.studies.judging import Exam, exam_of, judge_point
from upres.studies.lengths import as_long, with_budget
from upres.studies.points import Point
from upres.training.journal import Event
from upres.training.run import read_facts
from upres.training.train import Needs, run_precision, train
from upres.weights.model import Model


@dataclass(frozen=True)
class Study:
    """What is trained, on what, and where to.

    points: the first is the recipe itself. shared: its first stages, which no point varies.
    needs: finds a recipe's pretrained networks. facts: what each run.json says, as the command.
    """

    points: tuple[Point, ...]
    shared: tuple[str, ...]
    store: AnyStore
    out: Path
    needs: Callable[[Recipe], Needs]
    layout: Layout
    facts: Mapping[str, Any]
    init: Model | None = None

    def folder(self, point: Point) -> Path:
        """Where a point's run is."""
        return self.out / point.name.replace(" ", "_")


@dataclass(frozen=True)
class Told:
    """Whom a study tells what happens, and whom it asks whether to stop."""

    listener: Callable[[Event], None] = lambda event: None
    note: Callable[[str], None] = lambda line: None
    should_stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Outcome:
    """The rows of all points that came to their end, and why the others did not."""

    evaluation: Evaluation
    failed: Mapping[str, str]


def run_study(study: Study, told: Told) -> Outcome:
    """Train and judge every point that is not finished, the recipe itself first.

    Minutes of a budget are those of the whole study (`studies.lengths`). All points train as many
    steps as the first. One whose loss is not finite is listed as failed and the others go on,
    unless it is the first. Raises what `train` does; Interrupted once everything is saved.
    """
    lead, count = study.points[0], len(study.points)
    first = with_budget(lead.recipe, study.folder(lead), count, study.shared, told.note)
    for point in study.points[1:]:
        study.needs(point.recipe)  # what is missing is said before hours are spent
    lpips = study.needs(first).lpips
    exam = exam_of(first, study.store, lpips, study.out / "pictures")
    judged: dict[str, Evaluation] = {}
    failed: dict[str, str] = {}
    for number, point in enumerate(study.points, 1):
        told.note(f"point {number} of {count}: {point.name}")
        is_lead = point is lead
        recipe = first if is_lead else as_long(point.recipe, first, study.folder(lead))
        try:
            _train(study, point, recipe, told)
            judged[point.name] = _judge(study, point, exam, told)
        except Interrupted as stopped:
            done = f"{len(judged)} of {count} points are done"
            raise Interrupted(f"{done}; {stopped}") from None
        except WorkFailed as error:
            if is_lead:
                raise
            failed[point.name] = str(error)
            told.note(f"{point.name}: {error}")
    rows = [row for evaluation in judged.values() for row in evaluation.rows]
    together = judged[lead.name].model_copy(update={"rows": rows})
    write_text(study.out / "evaluation.json", together.model_dump_json(indent=2) + "\n")
    return Outcome(together, failed)


def _train(study: Study, point: Point, recipe: Recipe, told: Told) -> None:
    folder = study.folder(point)
    if _is_finished(study, folder, recipe):
        return
    if point is not study.points[0] and study.shared:
        fork(study.folder(study.points[0]), folder, recipe, study.shared)
    precision = run_precision(folder, recipe, study.layout)
    train(
        recipe,
        study.store,
        folder,
        needs=study.needs(recipe),
        init=study.init,
        facts=study.facts,
        listener=told.listener,
        should_stop=told.should_stop,
        fabric=fabric_for(precision, study.layout),
        layout=study.layout,
    )


def _is_finished(study: Study, folder: Path, recipe: Recipe) -> bool:
    """Whether this very run is there: its recipe, photos and first weights, and a model."""
    written = folder / "recipe.yaml"
    if not written.exists() or not (folder / "model.safetensors").exists():
        return False
    facts = read_facts(folder)
    wanted = (study.store.data_hash, None if study.init is None else study.init.sha256)
    if (facts.get("data_hash"), facts.get("init_sha256")) != wanted:
        return False
    return from_yaml(written.read_text(encoding="utf-8"), name=str(written)) == recipe


def _judge(study: Study, point: Point, exam: Exam, told: Told) -> Evaluation:
    folder = study.folder(point)
    rows = {point.name: str(folder)}
    if point is study.points[0]:
        shared = {f"stage {name}": str(folder / name) for name in study.shared}
        rows = {"bicubic": "bicubic", **shared, **rows}

    def seen() -> None:
        if told.should_stop():
            raise Interrupted(
                f"stopped while {point.name} was judged; its training is saved in {folder}: the "
                "same command goes on from here."
            )

    return judge_point(exam, folder, rows, seen)
