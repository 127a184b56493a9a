"""Tables for a paper: LaTeX with booktabs, best values bold, second-best underlined."""

from collections.abc import Iterator, Sequence

from upres.report.exports import heading, notes
from upres.report.tables import Cell, ScoreTable

_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "[": "{[}",  # else an argument of the line break before it
        "*": "{*}",
        "†": r"$^\dagger$",
        "∞": r"$\infty$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "→": r"$\rightarrow$",
    }
)


def as_latex(tables: Sequence[ScoreTable]) -> str:
    """Return one `table` environment for each table; booktabs is all that it needs."""
    lines = [r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}"]
    for table in tables:
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that LaTeX prints as it is, on one line."""
    return " ".join(text.split()).translate(_SIGNS)


def _table(table: ScoreTable) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"\centering\small"
    marked = any(cell.mark for _, cells in table.lines for cell in cells)
    caption = [f"{heading(table)}.", *notes(table)]
    if marked:
        caption.insert(1, "Best values are bold, second-best underlined.")
    yield rf"\caption{{{' '.join(map(escaped, caption))}}}"
    yield rf"\begin{{tabular}}{{l{'r' * len(table.metrics)}}}"
    yield r"\toprule"
    yield _line(["Method", *(escaped(metric.heading) for metric in table.metrics)])
    yield r"\midrule"
    for name, cells in table.lines:
        yield _line([escaped(name), *map(_cell, cells)])
        if any(cell.interval is not None for cell in cells):  # below: beside, tables get too wide
            yield _line(["", *map(_interval, cells)])
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    command = {"best": r"\textbf", "second": r"\underline", "": ""}[cell.mark]
    text = f"{command}{{{_number(cell.text)}}}" if command else _number(cell.text)
    return text + escaped("†") if cell.learnt else text


def _interval(cell: Cell) -> str:
    if cell.interval is None:
        return ""
    return rf"{{\scriptsize [{', '.join(map(_number, cell.interval))}]}}"


def _number(text: str) -> str:
    """Return a value as LaTeX prints numbers: with a minus, not a hyphen."""
    return escaped(text) if text == "-" else escaped(text).replace("-", "$-$")
