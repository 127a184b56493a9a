"""An evaluation as a table for people: one line a model, the best value of each column marked.

ASCII and Markdown: it prints on any terminal and can be pasted into a README. Columns stand in the
order that their metrics were asked for.
"""

import io
import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from upres.evaluation.headline import headline, was_trained_on
from upres.evaluation.judge import Evaluation, Row
from upres.metrics.known import get_metric, label_of

_BEST = "*"
_LEARNT = "+"


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the rows as a table, without title and notes."""
    table = Table(box=box.MARKDOWN)
    table.add_column("model", no_wrap=True)
    columns = [_column(name, evaluation.rows) for name in _columns(evaluation)]
    for heading, _ in columns:
        table.add_column(heading, no_wrap=True)
    for number, row in enumerate(evaluation.rows):
        table.add_row(Text(row.model), *(cells[number] for _, cells in columns))
    return table


def table_text(evaluation: Evaluation) -> str:
    """Return the table as plain text, as wide as it needs to be, the protocol in its title."""
    out = io.StringIO()
    Console(file=out, width=1000, no_color=True).print(evaluation_table(evaluation))
    lines = [_title(evaluation), *out.getvalue().splitlines(), _notes(evaluation)]
    if evaluation.given_lr is not None:
        told = str(evaluation.given_lr)
        lines.append(f"{told[0].upper()}{told[1:]}.")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _title(evaluation: Evaluation) -> str:
    datasets = ", ".join(dict.fromkeys(row.dataset for row in evaluation.rows))
    at = f" x{evaluation.scale}" if evaluation.scale else ""
    return f"{datasets}{at}, protocol {evaluation.protocol}"


def _notes(evaluation: Evaluation) -> str:
    columns = _columns(evaluation)
    notes = [f"{_BEST} best"]
    if _learnt(evaluation):
        key = headline(evaluation.rows)
        fair = "no column is fair to all" if key is None else f"{label_of(key)} is fair to all"
        notes.append(f"{_LEARNT} the model was trained by this metric, {fair}")
    notes += [
        f"{label_of(name)}: {get_metric(name).direction}"
        for name in columns
        if not get_metric(name).higher
    ]
    if evaluation.border is not None:
        notes.append(f"{evaluation.colour}, border {evaluation.border}, LR {evaluation.lr}")
    exact = sum(row.exact_images for row in evaluation.rows)
    if exact:
        notes.append(f"{exact} pictures restored exactly are left out of the mean PSNR")
    for name in columns:
        if infinite := _left_out(name, evaluation.rows):
            notes.append(f"{infinite} infinite values are left out of the mean {label_of(name)}")
    return "; ".join(notes) + "."


def _columns(evaluation: Evaluation) -> list[str]:
    return list(dict.fromkeys(name for row in evaluation.rows for name in row.metrics))


def _learnt(evaluation: Evaluation) -> bool:
    return any(was_trained_on(row, name) for row in evaluation.rows for name in row.metrics)


def _left_out(name: str, rows: list[Row]) -> int:
    """Return how many values of a metric other than PSNR are in no mean."""
    if name.startswith("psnr_"):  # told as pictures
        return 0
    scores = [s for row in rows if not math.isinf(row.metrics.get(name, 0)) for s in row.per_image]
    return sum(math.isinf(score.metrics.get(name, 0)) for score in scores)


def _heading(name: str) -> str:
    unit = get_metric(name).unit
    return f"{label_of(name)} ({unit})" if unit else label_of(name)


def _best(name: str, rows: list[Row]) -> float:
    """Return the best value; of a metric that is best at a value, the one closest to it."""
    values = [row.metrics[name] for row in rows if name in row.metrics]
    metric = get_metric(name)
    if metric.higher is None:
        return min(values, key=lambda value: abs(value - metric.ideal))
    return max(values) if metric.higher else min(values)


def _column(name: str, rows: list[Row]) -> tuple[str, list[str]]:
    """Return heading and cells, as wide as one another and the points in line."""
    best = _best(name, rows)
    cells = [(_written(row.metrics.get(name)), _marks(name, row, best)) for row in rows]
    room = max(len(marks) for _, marks in cells)
    texts = [f"{text}{marks:<{room}}" for text, marks in cells]
    width = max(len(text) for text in (_heading(name), *texts))
    return _heading(name).rjust(width), [text.rjust(width) for text in texts]


def _written(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _marks(name: str, row: Row, best: float) -> str:
    learnt = _LEARNT if name in row.metrics and was_trained_on(row, name) else ""
    return f"{learnt}{_BEST}" if row.metrics.get(name) == best else learnt
