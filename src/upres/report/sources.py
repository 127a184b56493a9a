"""What a report is made from: runs and evaluations, brought together where they compare."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from upres.errors import BadRun, BadSetting
from upres.evaluation.judge import Evaluation, Row
from upres.report.pictures import ReportPicture, load_pictures, merge_pictures
from upres.report.run_log import RunLog, read_run_log
from upres.report.saving import EVALUATION, PICTURES


@dataclass(frozen=True)
class Source:
    """A run's folder, or an evaluation's file with the pictures beside it."""

    label: str
    evaluation: Evaluation | None
    pictures: Sequence[ReportPicture]
    run: RunLog | None = None
    recipe_yaml: str | None = None


def read_source(path: Path) -> Source:
    """What `path` holds for a report: a run's folder, an evaluation's JSON file, or its folder.

    A run that was not judged yet has no evaluation. Raises BadRun for anything else, for files
    in it that are damaged, and for an evaluation without rows.
    """
    judged, recipe = path / EVALUATION, path / "recipe.yaml"
    if not path.is_dir():
        return _read_judged(path)
    if judged.exists() and not recipe.exists() and not (path / "metrics.jsonl").exists():
        return _read_judged(judged)
    return Source(
        label=path.resolve().name,
        run=read_run_log(path),
        evaluation=_read_evaluation(judged) if judged.exists() else None,
        pictures=load_pictures(path / PICTURES),
        recipe_yaml=recipe.read_text(encoding="utf-8") if recipe.exists() else None,
    )


def _read_judged(path: Path) -> Source:
    """An evaluation; one that is called as all in a folder of their own has its folder's name."""
    label = path.resolve().parent.name if path.name == EVALUATION else path.stem
    return Source(label, _read_evaluation(path), load_pictures(path.parent / PICTURES))


def require_one_protocol(sources: Mapping[str, Source]) -> None:
    """Raise BadSetting if the sources, by their paths, were measured by different protocols."""
    found: dict[str, str] = {}
    for path, source in sources.items():
        if source.evaluation is not None:
            found.setdefault(source.evaluation.protocol, path)
    if len(found) > 1:
        (one, first), (other, second), *_ = found.items()
        raise BadSetting(
            f"{first} was measured by protocol {one} and {second} by {other}, whose numbers do "
            f"not compare; make a report of each, or give --mixed, and each row says its own."
        )


def gaps(source: Source) -> list[str]:
    """Return what a run's source lacks, in sentences: what a report of it cannot show, and why."""
    if source.run is None:
        return []
    logged = [(stage.steps, stage.validations) for stage in source.run.stages]
    found = []
    if not any(steps for steps, _ in logged):
        found.append(f"{source.label} logged no step: there are no curves of its losses.")
    if not any(validations for _, validations in logged):
        found.append(f"{source.label} logged no validation: there are no curves of its metrics.")
    if source.evaluation is None:
        found.append(
            f"{source.label} was not judged, as a run is at its end: there are no scores. "
            f"`upres evaluate` judges its checkpoints."
        )
    return found


def combine(sources: Sequence[Source]) -> tuple[list[Evaluation], list[ReportPicture]]:
    """The evaluations and pictures of all sources; equal conditions make one evaluation.

    A name that means different things in different sources (the stage "gan" of two runs, the
    dataset "test" of two stores) gets its source's label.
    """
    labelled = _apart(sources)
    named = [_renamed(source, labelled) for source in labelled]
    merged: dict[str, Evaluation] = {}  # by all that is said but the rows and what failed
    for source in named:
        if source.evaluation is None:
            continue
        alone = source.evaluation.model_copy(update={"rows": [], "failed": ()})
        conditions = alone.model_dump_json()
        merged[conditions] = _joined(merged.get(conditions, alone), source.evaluation)
    return list(merged.values()), merge_pictures(source.pictures for source in named)


def _joined(known: Evaluation, more: Evaluation) -> Evaluation:
    """Return `known` with the rows and failures of `more` that it does not have."""
    rows = list(known.rows)
    for row in more.rows:
        if not any(_same(row, other) for other in rows):
            rows.append(row)
    failed = dict.fromkeys((*known.failed, *more.failed))
    return known.model_copy(update={"rows": rows, "failed": tuple(failed)})


def _apart(sources: Sequence[Source]) -> list[Source]:
    """The sources under labels that differ."""
    seen: dict[str, int] = {}
    labelled = []
    for source in sources:
        seen[source.label] = count = seen.get(source.label, 0) + 1
        labelled.append(source if count == 1 else replace(source, label=f"{source.label}-{count}"))
    return labelled


def _renamed(source: Source, sources: Sequence[Source]) -> Source:
    if source.evaluation is None:
        return source
    others = [row for other in sources if other is not source for row in _rows(other)]
    datasets = {
        row.dataset: f"{row.dataset} ({source.label})"
        for row in source.evaluation.rows
        if any(row.dataset == o.dataset and _images(row) != _images(o) for o in others)
    }
    models = {
        row.model: f"{source.label}/{row.model}"
        for row in source.evaluation.rows
        for other in others
        if (row.model, row.dataset) == (other.model, other.dataset)
        and row.dataset not in datasets
        and not _same(row, other)
    }
    rows = [
        row.model_copy(
            update={
                "model": models.get(row.model, row.model),
                "dataset": datasets.get(row.dataset, row.dataset),
            }
        )
        for row in source.evaluation.rows
    ]
    return replace(
        source,
        evaluation=source.evaluation.model_copy(update={"rows": rows}),
        pictures=[_picture_renamed(p, models, datasets) for p in source.pictures],
    )


def _picture_renamed(
    picture: ReportPicture, models: Mapping[str, str], datasets: Mapping[str, str]
) -> ReportPicture:
    rows = {models.get(name, name): pixels for name, pixels in picture.rows.items()}
    return replace(picture, rows=rows, dataset=datasets.get(picture.dataset, picture.dataset))


def _rows(source: Source) -> list[Row]:
    return [] if source.evaluation is None else source.evaluation.rows


def _images(row: Row) -> tuple[str, ...]:
    return tuple(sorted(scores.image for scores in row.per_image))


def _same(row: Row, other: Row) -> bool:
    """Whether both say the same; machines differ in the last digits of what a network computes."""
    names = (row.model, row.dataset, row.weights_sha256, _images(row), set(row.metrics))
    others = (other.model, other.dataset, other.weights_sha256, _images(other), set(other.metrics))
    return names == others and all(
        math.isclose(value, other.metrics[metric], abs_tol=5e-5)
        for metric, value in row.metrics.items()
    )


def _read_evaluation(path: Path) -> Evaluation:
    try:
        read = Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadRun(
            f"{path} cannot be read ({os.strerror(error.errno or 0)}); give a run's folder or a "
            f"file that `upres evaluate --json` wrote."
        ) from error
    except ValidationError as error:
        raise BadRun(
            f"{path} is no evaluation; give a run's folder or a file that "
            f"`upres evaluate --json` wrote."
        ) from error
    if not read.rows:
        raise BadRun(
            f"{path} is an evaluation without rows: nothing was judged; make it again with "
            f"`upres evaluate`, which needs at least one model."
        )
    return read
