"""The page of a study."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from upres.recipes import sources_of
from upres.recipes.text import to_yaml
from upres.report.page import write_report
from upres.report.pictures import load_pictures
from upres.report.run_log import read_run_log
from upres.studies.figure import study_figures
from upres.studies.losses import Outcome, Study
from upres.studies.points import Varied


def write_page(study: Study, varied: Sequence[Varied], outcome: Outcome, command: str) -> Path:
    """Write OUT/study.html: the table of all points, their plane, figures and pictures.

    Raises MissingExtra without matplotlib or jinja2, NoSpace.
    """
    recipe = study.points[0].recipe
    rows = {row.model for row in outcome.evaluation.rows}
    pictures = [
        replace(picture, rows={name: sr for name, sr in picture.rows.items() if name in rows})
        for picture in load_pictures(study.out / "pictures")
    ]
    done = [point for point in study.points if point.name in rows]
    runs = {point.name: read_run_log(study.folder(point)) for point in done}
    path = study.out / "study.html"
    write_report(
        path,
        title=f"{recipe.name}: {', '.join(part.label for part in varied)}",
        evaluation=outcome.evaluation,
        pictures=pictures,
        recipe_yaml=to_yaml(recipe, sources_of(recipe)),
        notes=[
            f"Each point is one training with seed {recipe.seed} for as many steps as the others, "
            "called by what differs from the recipe; differences as small as those between two "
            "seeds say nothing.",
            *(f"{name} has no scores: {reason}" for name, reason in outcome.failed.items()),
            f"Made by `{command}`.",
        ],
        figures=study_figures(varied, study.points, outcome.evaluation, runs),
    )
    return path
