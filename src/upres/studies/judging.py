"""A point's scores on the held-out photos, kept beside its run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from upres.atomic import write_text
from upres.data.stores import AnyStore
from upres.evaluation.candidates import resolve_rows
from upres.evaluation.judge import Evaluation, JudgedPair
from upres.evaluation.protocols import Protocol, get_protocol
from upres.networks.lpips import LPIPS
from upres.recipes.schema import Recipe
from upres.report.pictures import save_pictures
from upres.report.run_report import held_out, judge_and_show
from upres.weights.tensors import file_sha256

_JUDGED = "evaluation.json"


@dataclass(frozen=True, eq=False)
class Exam:
    """What every point is judged by: the same pictures, protocol and networks."""

    dataset: str
    pairs: Sequence[JudgedPair]
    protocol: Protocol
    scale: int
    lpips: LPIPS | None
    pictures: Path  # the folder where the first pictures are kept


def exam_of(recipe: Recipe, store: AnyStore, lpips: LPIPS | None, pictures: Path) -> Exam:
    """Return how the runs of `recipe` and its variants are judged: on the store's test photos."""
    protocol = get_protocol(recipe.validation.protocol)
    dataset, pairs = held_out(store, protocol, recipe.scale)
    return Exam(dataset, pairs, protocol, recipe.scale, lpips, pictures)


def judge_point(
    exam: Exam, folder: Path, rows: dict[str, str], seen: Callable[[], None]
) -> Evaluation:
    """Return the scores of a finished run, from its evaluation.json or written there now.

    rows: what each row is called and what it is: "bicubic", a stage's folder, the run's.
    seen: is called after each picture.
    """
    known = _known(exam, folder, rows)
    if known is not None:
        return known
    found, _ = resolve_rows(list(rows.values()), exam.scale)
    named = [replace(row, name=name) for row, name in zip(found, rows, strict=True)]
    result, pictures = judge_and_show(
        named,
        exam.pairs,
        exam.protocol,
        scale=exam.scale,
        dataset=exam.dataset,
        lpips=exam.lpips,
        seen=seen,
    )
    save_pictures(exam.pictures, pictures)
    write_text(folder / _JUDGED, result.model_dump_json(indent=2) + "\n")
    return result


def _known(exam: Exam, folder: Path, rows: dict[str, str]) -> Evaluation | None:
    """What was written before, if it is of these very rows, weights and pictures."""
    try:
        text = (folder / _JUDGED).read_text(encoding="utf-8")
        before = Evaluation.model_validate_json(text)
    except (OSError, ValidationError):
        return None
    sha256 = {name: _sha256(Path(place)) for name, place in rows.items()}
    pictures = [pair.name for pair in exam.pairs]
    same = (
        before.protocol == exam.protocol.name
        and {row.model: row.weights_sha256 for row in before.rows} == sha256
        and all([scores.image for scores in row.per_image] == pictures for row in before.rows)
    )
    return before if same else None


def _sha256(folder: Path) -> str | None:
    file = folder / "model.safetensors"
    return file_sha256(file) if file.exists() else None
