"""How tables head a metric, how they write its values, and which of these are the better ones."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from upres.errors import BadSetting
from upres.metrics.known import METRICS, SPACES, Metric, get_metric, key_of, label_of

T = TypeVar("T", float, NDArray[np.float64])
Mark = Literal["best", "second", ""]

DECIBEL_DIGITS = 2  # as tables of the field print PSNR; terminals show more


@dataclass(frozen=True)
class Column:
    """A metric as a row of scores has it: `psnr_y` is PSNR on luma.

    metric: None for a name that this version does not know; nothing is marked in its column.
    """

    name: str
    label: str
    metric: Metric | None

    @property
    def higher(self) -> bool | None:
        """Whether more is better; None where the metric is best at a value, or not known."""
        return None if self.metric is None else self.metric.higher

    @property
    def unit(self) -> str:
        """What stands behind a value."""
        return "" if self.metric is None else self.metric.unit

    @property
    def arrow(self) -> str:
        """The direction of the better values."""
        return "" if self.metric is None else self.metric.arrow

    @property
    def direction(self) -> str:
        """The same in words."""
        return "" if self.metric is None else self.metric.direction

    @property
    def words(self) -> str:
        """What the metric says, and what it does not see."""
        if self.metric is None:
            return ""
        return f"{self.metric.what}; blind to {self.metric.blind_to}"

    @property
    def heading(self) -> str:
        """Label, unit and arrow."""
        unit = f"({self.unit})" if self.unit else ""
        return " ".join(filter(None, (self.label, unit, self.arrow)))

    def worth(self, value: T) -> T:
        """Return what is larger for the better of two values; nan where nobody knows."""
        if self.metric is None:
            return value * math.nan
        if self.metric.higher is None:
            return -abs(value - self.metric.ideal)
        return value if self.metric.higher else -value

    def written(self, value: float | None, *, sign: bool = False) -> str:
        """Return the value in the digits that tables of the field use; sign: with a plus, too."""
        if value is None or math.isnan(value):
            return "-"
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        digits = 4 if self.metric is None else self.metric.digits
        text = f"{value:+.{DECIBEL_DIGITS if self.unit == 'dB' else digits}f}"
        if not text.strip("+-0."):  # minus zero says nothing
            text = text.replace("-", "+")
        return text if sign else text.removeprefix("+")


def column(name: str) -> Column:
    """Return the column of that name; an unknown one has no direction."""
    try:
        return Column(name, label_of(name), get_metric(name))
    except BadSetting:
        return Column(name, name, None)


def in_order(names: Iterable[str]) -> list[Column]:
    """Return the columns of these names, each once: those of the metrics' table in its order,
    luma before RGB, then the others as they come."""
    present = dict.fromkeys(names)
    table = [key_of(metric, space) for metric in METRICS.values() for space in SPACES]
    known = [name for name in dict.fromkeys(table) if name in present]
    return [column(name) for name in dict.fromkeys([*known, *present])]


def marks(metric: Column, values: Sequence[float | None]) -> list[Mark]:
    """Return which values are the best and, of three or more, the second-best.

    Values that are written alike are marked alike: a reader cannot see more.
    """
    written = [metric.written(value) for value in values]
    seen = {
        text: metric.worth(value)
        for text, value in zip(written, values, strict=True)
        if value is not None and not math.isnan(metric.worth(value))
    }
    ranked = sorted(seen, key=lambda text: seen[text], reverse=True)
    places: dict[str, Mark] = {}
    if len(ranked) > 1:
        places[ranked[0]] = "best"
    if len(values) > 2 and len(ranked) > 2:
        places[ranked[1]] = "second"
    return [places.get(text, "") for text in written]
