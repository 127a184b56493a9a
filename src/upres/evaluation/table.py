"""An evaluation as a table for people: one line a model, the best value of each column marked.

ASCII and Markdown: it prints on any terminal and can be pasted into a README.
"""

import io
import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from upres.evaluation.judge import Evaluation, Row
from upres.metrics.known import get_metric, label_of

_BEST = "*"


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the rows as a table, without title and notes."""
    columns = list(dict.fromkeys(name for row in evaluation.rows for name in row.metrics))
    best = {name: _best(name, evaluation.rows) for name in columns}
    table = Table(box=box.MARKDOWN)
    table.add_column("model", no_wrap=True)
    for name in columns:
        table.add_column(_heading(name), justify="right", no_wrap=True)
    for row in evaluation.rows:
        table.add_row(Text(row.model), *(_cell(name, row, best[name]) for name in columns))
    return table


def table_text(evaluation: Evaluation) -> str:
    """Return the table as plain text, as wide as it needs to be, the protocol in its title."""
    out = io.StringIO()
    Console(file=out, width=1000, no_color=True).print(evaluation_table(evaluation))
    lines = [_title(evaluation), *out.getvalue().splitlines(), _notes(evaluation)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _title(evaluation: Evaluation) -> str:
    datasets = ", ".join(dict.fromkeys(row.dataset for row in evaluation.rows))
    at = f" x{evaluation.scale}" if evaluation.scale else ""
    return f"{datasets}{at}, protocol {evaluation.protocol}"


def _notes(evaluation: Evaluation) -> str:
    notes = [f"{_BEST} best"]
    names = dict.fromkeys(name for row in evaluation.rows for name in row.metrics)
    notes += [
        f"{label_of(name)}: {get_metric(name).direction}"
        for name in names
        if not get_metric(name).higher
    ]
    if evaluation.border is not None:
        notes.append(f"{evaluation.colour}, border {evaluation.border}, LR {evaluation.lr}")
    exact = sum(row.exact_images for row in evaluation.rows)
    if exact:
        notes.append(f"{exact} pictures restored exactly are left out of the mean PSNR")
    return "; ".join(notes) + "."


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


def _cell(name: str, row: Row, best: float) -> str:
    value = row.metrics.get(name)
    if value is None:
        return "-"
    text = "inf" if math.isinf(value) else f"{value:.4f}"
    return f"{text}{_BEST}" if value == best else f"{text} "
