"""Rows of boxes, wires and skips as SVG text, in colours for light and for dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import log2
from typing import Literal

Kind = Literal["conv", "stride", "enlarge", "block", "dense", "other", "frozen"]

FILL: dict[Kind, str] = {
    "conv": "#3b6ea8",
    "stride": "#7a4f9a",
    "enlarge": "#2f8557",
    "block": "#28527e",
    "dense": "#a85d2e",
    "other": "#6d747d",
    "frozen": "#6d747d",
}
INK = "#767b84"  # contrast above 4 on white and on black
GAP, TITLE, LIFT, FOOT, MARGIN = 18, 24, 13, 36, 12


@dataclass(frozen=True)
class Box:
    """A layer, as high as its map is large; or a block of them, told by its name."""

    label: str
    kind: Kind
    shape: tuple[int, ...]
    times: int = 1
    wide: bool = False

    @property
    def width(self) -> int:
        return max(78, 8 * len(self.label) + 12) if self.wide else 30

    @property
    def height(self) -> float:
        side = self.shape[-1] if len(self.shape) == 3 else 4
        return 78 + 11 * log2(max(side, 4) / 4)


@dataclass(frozen=True)
class Sign:
    """A sum, or a factor."""

    text: str = "+"

    @property
    def width(self) -> int:
        return 20 if len(self.text) == 1 else 36


@dataclass(frozen=True)
class Word:
    """What goes in or comes out."""

    text: str

    @property
    def width(self) -> int:
        return 7 * len(self.text) + 4


Item = Box | Sign | Word


@dataclass(frozen=True)
class Row:
    """Items from left to right, told by position: skips (from, to), feeds (from, all it goes to).

    carried: what a skip does to the picture on its way, written on the first of them.
    """

    title: str
    items: Sequence[Item]
    skips: Sequence[tuple[int, int]] = field(default=())
    feeds: Sequence[tuple[int, tuple[int, ...]]] = field(default=())
    carried: str = ""


def figure(title: str, rows: Sequence[Row]) -> str:
    """Return an SVG document. title: what a screen reader says."""
    parts, top, width = [], 4.0, 0.0
    for row in rows:
        drawn, height, right = _row(row, top)
        parts += drawn
        top += height
        width = max(width, right)
    size = f'width="{width + MARGIN:.0f}" height="{top:.0f}"'
    view = f'viewBox="0 0 {width + MARGIN:.0f} {top:.0f}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" '
        'font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">'
    )
    return "\n".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>"]) + "\n"


def _row(row: Row, top: float) -> tuple[list[str], float, float]:
    lefts, x = [], float(MARGIN)
    for item in row.items:
        lefts.append(x)
        x += item.width + GAP
    tallest = max(item.height for item in row.items if isinstance(item, Box))
    lifts = LIFT * (len(row.skips) + len(row.feeds)) + (TITLE // 2 if row.carried else 0)
    roof = top + (TITLE if row.title else 8) + lifts + 4
    middle = roof + tallest / 2
    parts = [_text(MARGIN, top + 15, row.title, anchor="start", weight=600)] if row.title else []
    for here, (left, item) in enumerate(zip(lefts, row.items, strict=True)):
        if here:
            parts.append(_line([(left - GAP, middle), (left, middle)]))
        parts += _item(item, left, middle, roof + tallest)
    levels = [*row.feeds, *((a, (b,)) for a, b in row.skips)]
    for level, (start, ends) in enumerate(levels, start=1):
        parts += _over(row, lefts, (start, ends), middle, roof - LIFT * level)
    if row.carried:
        start, end = row.skips[0]
        parts.append(_text((lefts[start + 1] + lefts[end]) / 2, roof - LIFT - 5, row.carried))
    return parts, roof + tallest + FOOT - top, x - GAP


def _item(item: Item, left: float, middle: float, floor: float) -> list[str]:
    centre = left + item.width / 2
    match item:
        case Word():
            return [_text(centre, middle + 4, item.text, weight=600)]
        case Sign():
            box = _rectangle(centre - item.width / 2, middle - 10, item.width, 20, 10, "none", INK)
            return [box, _text(centre, middle + 4, item.text)]
        case Box():
            fill, line = FILL[item.kind], INK if item.kind == "frozen" else "none"
            parts = [
                _rectangle(left, middle - item.height / 2, item.width, item.height, 4, fill, line)
            ]
            if item.wide:
                lines = [item.label, *([f"x {item.times}"] if item.times > 1 else [])]
                for number, text in enumerate(lines):
                    y = middle + 4 + 16 * (number - (len(lines) - 1) / 2)
                    parts.append(_text(centre, y, text, fill="#ffffff", weight=600))
            else:
                parts.append(_upright(centre + 4, middle, item.label))
            return parts + _shape(item, centre, floor)


def _shape(box: Box, centre: float, floor: float) -> list[str]:
    parts = [_text(centre, floor + 15, str(box.shape[0]))]
    if len(box.shape) == 3:
        parts.append(_text(centre, floor + 28, f"{box.shape[-1]}²", size=10))
    return parts


def _over(
    row: Row,
    lefts: Sequence[float],
    wire: tuple[int, tuple[int, ...]],
    middle: float,
    height: float,
) -> list[str]:
    """A wire that leaves after an item, runs above the boxes and comes down on others."""
    start, ends = wire
    x = lefts[start] + row.items[start].width + GAP / 2
    parts = [f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="2.5" fill="{INK}"/>']
    for end in ends:
        item = row.items[end]
        if isinstance(item, Box):
            down = lefts[end] + item.width / 2 + 6 * (start - (end - 1) / 2)
            stop = middle - item.height / 2
        else:
            down, stop = lefts[end] + item.width / 2, middle - 10
        way = [(down, height), (down, stop - 5)]
        if end == ends[-1]:  # the others branch off it
            way = [(x, middle), (x, height), *way]
        parts.append(_line(way))
        parts.append(f'<path d="M{down - 3.5:.1f} {stop - 6:.1f}h7l-3.5 6z" fill="{INK}"/>')
    return parts


def _line(points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.4"/>'


def _rectangle(
    x: float, y: float, width: float, height: float, radius: int, fill: str, line: str
) -> str:
    dashes = ' stroke-dasharray="4 3"' if fill != "none" else ""
    edge = f' stroke="{line}" stroke-width="1.4"{dashes}' if line != "none" else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius}" fill="{fill}"{edge}/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    fill: str = INK,
    anchor: str = "middle",
    weight: int = 400,
    size: int = 12,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}" '
        f'font-weight="{weight}" font-size="{size}">{escape(text)}</text>'
    )


def _upright(x: float, y: float, text: str) -> str:
    return (
        f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" fill="#ffffff" '
        f'font-weight="600" font-size="11">{escape(text)}</text>'
    )
