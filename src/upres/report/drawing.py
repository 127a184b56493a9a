"""Charts as SVG text inside a page: no effect on matplotlib's settings, readable light and dark.

Figures are drawn in fixed colours that are then replaced by CSS: text and axes take the text's
colour, lines take Okabe and Ito's colours, which the page varies with its background.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from upres.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"  # stands for the page's text colour while drawing
# Okabe and Ito, "Color Universal Design" (2008), without black and yellow: both must be seen on
# white and on black. Each pair is (drawn colour, name of the page's colour).
COLOURS = {
    "#0072b2": "blue",
    "#d55e00": "vermillion",
    "#009e73": "green",
    "#cc79a7": "purple",
    "#e69f00": "orange",
    "#56b4e9": "sky",
}
SERIES = tuple(COLOURS)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))  # colour is never alone
TERM_STYLES = {"pixel": 0, "content": 1, "adversarial": 2}  # a term looks the same in every chart
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "upres",  # ids are made of what they name, so charts may share them
    "svg.fonttype": "none",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.14,
    "grid.linewidth": 0.5,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.5,
    "path.simplify": True,
}
SIZE = (4.4, 2.9)
LARGE = (5.6, 3.4)  # for many names; half as wide as the page
POINTS = 160  # of a line; more are averaged in this many bins

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Chart:
    """A drawn figure: its heading, its SVG element, what a reader should know (plain text)."""

    title: str
    svg: str
    caption: str = ""


def draw(
    title: str,
    paint: "Callable[[Axes], None]",
    *,
    caption: str = "",
    size: tuple[float, float] = SIZE,
) -> Chart:
    """A chart with one pair of axes that `paint` fills. Raises MissingExtra without matplotlib.

    size: width and height in inches; the page scales the chart to its column.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra("matplotlib", "report", "A report") from error
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        paint(axes)
        _legend(figure, axes)
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return Chart(title, _for_page(text.getvalue(), title), caption)


def _legend(figure: "Figure", axes: "Axes") -> None:
    """Name what is drawn above the axes, where it covers nothing; one line needs no name."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) < 2:
        return
    room = 72 * figure.get_figwidth()
    wide = [34 + 4.7 * len(label) for label in labels]  # points, about
    columns = len(wide) if sum(wide) < room else max(1, min(len(wide) - 1, int(room / max(wide))))
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=columns,
        handlelength=2.2,
        columnspacing=1.2,
    )


def style(index: int) -> dict[str, Any]:
    """Colour and dashes of the line number `index`; 30 lines differ."""
    dashes = (index + index // len(SERIES)) % len(DASHES)  # another pair when colours come again
    return {"color": SERIES[index % len(SERIES)], "linestyle": DASHES[dashes]}


def term_styles(terms: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each loss term; the papers' three always have the same."""
    others = [term for term in terms if term not in TERM_STYLES]
    places = {**TERM_STYLES, **{term: 3 + i for i, term in enumerate(others)}}
    return {term: style(places[term]) for term in terms}


def line(axes: "Axes", x: Sequence[float], y: Sequence[float], **options: Any) -> None:
    """A line through finite points; of many, the mean of each bin inside a band of its extremes."""
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    finite = np.isfinite(ys)
    xs, ys = xs[finite], ys[finite]
    if len(xs) > 2 * POINTS:
        edges = np.linspace(0, len(xs), POINTS + 1).astype(int)[:-1]
        counts = np.diff([*edges, len(xs)])
        low, high = np.minimum.reduceat(ys, edges), np.maximum.reduceat(ys, edges)
        xs, ys = np.add.reduceat(xs, edges) / counts, np.add.reduceat(ys, edges) / counts
        axes.fill_between(xs, low, high, color=options["color"], alpha=0.18, linewidth=0)
    marker = "o" if len(xs) < 3 else None  # one point makes no line
    axes.plot(xs, ys, marker=marker, markersize=4, **options)


def steps_axis(axes: "Axes", label: str = "step") -> None:
    """Name the x axis and write its steps short: 500, 20k, 1.5M."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    places = MaxNLocator(nbins=6, integer=True, min_n_ticks=1, steps=[1, 2, 2.5, 5, 10])
    axes.xaxis.set_major_locator(places)


def percent_axis(axes: "Axes") -> None:
    """Let the y axis run from 0 to 100 %."""
    from matplotlib.ticker import PercentFormatter

    axes.set_ylim(-0.02, 1.04)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _for_page(svg: str, title: str) -> str:
    svg = svg[svg.index("<svg") :]  # a page has its own prologue
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # nothing refers to these, and they repeat
    svg = re.sub(r" font-family: [^;]*;", "", svg)  # the page's own
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', head)
    assert box is not None  # matplotlib writes one into every SVG
    label = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    svg = f'<svg {box[0]} role="img" aria-label="{label}" class="chart">{body}'
    svg = svg.replace(INK, "currentColor").replace("xlink:href=", "href=")
    for colour, name in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name},{colour})")
    return svg.strip()
