"""One page that stands alone: scores, pictures, curves, and what made them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upres.atomic import write_text
from upres.errors import MissingExtra
from upres.report.comparisons import Comparison
from upres.report.convergence import relation_charts
from upres.report.crops import PLAIN
from upres.report.curves import ChartGroup, run_charts
from upres.report.drawing import Chart
from upres.report.embed import Detail, EmbeddedPicture, embed_pictures
from upres.report.exports import as_csv
from upres.report.facts import run_facts
from upres.report.pictures import HR, LR, ReportPicture
from upres.report.run_log import RunLog
from upres.report.sample_grid import sample_grid
from upres.report.statistics import RESAMPLES
from upres.report.tables import Mixed, ScoreTable, listed, score_lines, score_tables, scores_of
from upres.report.time_line import StageWatch, stage_watch
from upres.report.trade_off import plane_chart, published_charts

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation

LARGEST_PAGE = 12_000_000  # bytes: what mail servers still carry
MARGIN = 150_000  # bytes for the markup around the pictures


@dataclass(frozen=True)
class RunView:
    """A run as the page shows it."""

    name: str
    facts: tuple[tuple[str, str], ...]
    groups: tuple[ChartGroup, ...]
    unread_lines: int
    watches: tuple[StageWatch, ...]


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it: its rows on the plane, among published ones, in pairs."""

    table: ScoreTable
    plane: Chart | None
    published: tuple[Chart, ...]
    compared: tuple[Comparison, ...]
    compared_too: tuple[Comparison, ...]  # the pairs that few ask for
    intervals: bool


@dataclass(frozen=True)
class PictureView:
    """A picture as the page shows it: the two rows that the slider starts with, all scores."""

    picture: EmbeddedPicture
    left: str
    right: str
    scores: Mapping[str, list[str]]  # row -> what it scored on the whole picture
    magnified: int  # CSS pixels for one HR pixel

    @property
    def whole(self) -> bool:
        """Whether the window is all of the picture."""
        return self.picture.size == (self.picture.window.height, self.picture.window.width)


def write_report(
    path: Path,
    *,
    title: str,
    evaluation: "Evaluation | Sequence[Evaluation] | Mixed | None" = None,
    pictures: Sequence[ReportPicture] = (),
    runs: Sequence[RunLog] = (),
    recipe_yaml: str | None = None,
    notes: Sequence[str] = (),
    figures: Sequence[ChartGroup] = (),
) -> None:
    """Write one HTML file that needs no network: at most 12 MB, for any screen and for paper.

    evaluation: one or several; each keeps its own tables, for scores of different protocols do
    not compare, unless they are `Mixed`. pictures: shown in this order, as many as fit.
    notes: lines for the page's foot, `commands` between backticks. figures: charts of all of it
    together, below the scores.
    Raises MissingExtra without matplotlib or jinja2, NoSpace when the file cannot be written.
    """
    evaluations = listed(evaluation)
    content: dict[str, Any] = {
        "title": title,
        "tables": _table_views(score_tables(evaluation)),
        "csv": _csv_address(evaluations),
        "figures": list(figures),
        "runs": [_run_view(run) for run in runs],
        "recipe_yaml": recipe_yaml,
        "notes": list(notes),
        "pictures_given": len(pictures),
    }
    without_pictures = _render(content, [], None)
    if not pictures:
        write_text(path, without_pictures)
        return
    order = [row.model for evaluation in evaluations for row in evaluation.rows]
    embedded, detail = embed_pictures(
        pictures,
        order=[*PLAIN, *dict.fromkeys(order)],
        budget=LARGEST_PAGE - MARGIN - len(without_pictures.encode()),
    )
    views = [_picture_view(picture, evaluations) for picture in embedded]
    write_text(path, _render(content, views, detail))


def missing_package() -> str | None:
    """Return the name of a package that pages need and that is not installed, if there is one."""
    needed = ("matplotlib", "jinja2")
    return next((name for name in needed if find_spec(name) is None), None)


def _render(content: Mapping[str, Any], pictures: list[PictureView], detail: Detail | None) -> str:
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise MissingExtra("jinja2", "report", "A report") from error
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_template),
    )
    template = environment.get_template("page.html.jinja")
    return template.render(
        **content,
        pictures=pictures,
        samples=sample_grid([v.picture for v in pictures]),
        detail=detail,
        HR=HR,
        LR=LR,
        resamples=RESAMPLES,
    )


def _template(name: str) -> str:
    return (resources.files("upres.report") / name).read_text(encoding="utf-8")


def _csv_address(evaluations: "Sequence[Evaluation]") -> str | None:
    if not evaluations:
        return None
    data = base64.b64encode(as_csv(evaluations).encode()).decode("ascii")
    return f"data:text/csv;charset=utf-8;base64,{data}"


def _table_views(tables: Sequence[ScoreTable]) -> list[TableView]:
    """The tables, none with a chart that another one has shown."""
    views: list[TableView] = []
    shown: set[Chart] = set()
    for table in tables:
        view = _table_view(table)
        new = tuple(chart for chart in view.published if chart not in shown)
        shown.update(new)
        views.append(replace(view, published=new))
    return views


def _table_view(table: ScoreTable) -> TableView:
    compared = [c for c in table.comparisons if any(c.differences)]
    published = published_charts(
        table.means, protocol=table.protocol, dataset=table.dataset, scale=table.scale
    )
    mixed = len(set(table.protocols)) > 1  # then no two rows may stand on one plane
    return TableView(
        table=table,
        plane=None if mixed else plane_chart(table.means, learnt=_learnt(table)),
        published=tuple(published),
        compared=tuple(c for c in compared if c.main),
        compared_too=tuple(c for c in compared if not c.main),
        intervals=any(cell.interval for _, cells in table.lines for cell in cells),
    )


def _learnt(table: ScoreTable) -> dict[str, list[str]]:
    """The rows that were trained on each metric, where there are any."""
    found: dict[str, list[str]] = {}
    for name, cells in table.lines:
        for metric, cell in zip(table.metrics, cells, strict=True):
            if cell.learnt:
                found.setdefault(metric.name, []).append(name)
    return found


def _picture_view(picture: EmbeddedPicture, evaluations: "Sequence[Evaluation]") -> PictureView:
    rows = [layer.row for layer in picture.layers if layer.row not in (HR, LR)]
    found = scores_of(evaluations, picture.dataset, picture.name)
    left = next((row for row in ("bicubic", *rows) if row in rows), HR)
    others = [row for row in rows if row != left and row not in PLAIN]
    return PictureView(
        picture=picture,
        left=left,
        right=others[-1] if others else HR,
        scores={row: score_lines(scores) for row, scores in found.items()},
        magnified=max(1, 640 // picture.window.width),
    )


def _run_view(run: RunLog) -> RunView:
    groups = run_charts(run)
    relations = tuple(relation_charts(run))
    if relations:
        groups.insert(1, ChartGroup("Metrics together, and convergence", relations))
    watches = tuple(found for stage in run.stages if (found := stage_watch(stage)) is not None)
    return RunView(run.name, tuple(run_facts(run)), tuple(groups), run.unread_lines, watches)
