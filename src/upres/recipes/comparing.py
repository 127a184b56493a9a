"""Two recipes field by field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from upres.recipes.schema import Recipe
from upres.recipes.text import scalar

_TOLD_ABOVE = ("name", "source")  # they stand over the table
_NONE = "-"  # in the place of a field that a recipe does not have
_WIDEST = 48  # of a column; what is longer moves only its own line


class Value(BaseModel, frozen=True, extra="forbid"):
    """What a recipe has in a field, and where it is from, if that is known."""

    value: Any
    source: str | None = None


class Compared(BaseModel, frozen=True, extra="forbid"):
    """One field of two recipes. None: this recipe has no such field."""

    field: str
    first: Value | None
    second: Value | None

    @property
    def differs(self) -> bool:
        if self.first is None or self.second is None:
            return self.first is not self.second
        return bool(self.first.value != self.second.value)


def compare(
    first: Recipe,
    second: Recipe,
    *,
    sources: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    equal_ones: bool = False,
) -> list[Compared]:
    """Return the fields in which two recipes differ, or with `equal_ones` all, in their order.

    sources: for each recipe where values come from, by dotted field name. `name` and `source` are
    left out: every recipe has its own. A section that only one recipe has, such as a stage, is
    shown field by field; a value that is a number here and a schedule there is one field.
    """
    fields = _fields(first.model_dump(mode="json"), second.model_dump(mode="json"), "")
    found = [
        Compared(field=name, first=_value(name, a, sources[0]), second=_value(name, b, sources[1]))
        for name, a, b in fields
        if name not in _TOLD_ABOVE
    ]
    return [field for field in found if equal_ones or field.differs]


def comparison_text(compared: Sequence[Compared], names: tuple[str, str]) -> str:
    """Return a table with a line for each field: its name, both values, and their sources.

    names: what the columns are called. Ends with a line break.
    """
    if not compared:
        return f"{names[0]} and {names[1]} do not differ.\n"
    rows = [("field", *names, "source")]
    rows += [
        (row.field, _shown(row.first), _shown(row.second), _sources(row, names)) for row in compared
    ]
    if not any(row[-1] for row in rows[1:]):
        rows = [(*row[:-1], "") for row in rows]
    widths = [min(_WIDEST, max(len(row[i]) for row in rows)) for i in range(3)]
    return "".join(f"{_line(row, widths)}\n" for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    columns = [f"{text:<{width}}" for text, width in zip(row, widths, strict=False)]
    return "  ".join([*columns, row[-1]]).rstrip()


def _shown(value: Value | None) -> str:
    return _NONE if value is None else scalar(value.value)


def _sources(row: Compared, names: tuple[str, str]) -> str:
    values = (row.first, row.second)
    said = [
        (name, value.source)
        for name, value, other in zip(names, values, reversed(values), strict=True)
        # a derived recipe's source is the value before, which here stands beside it
        if value is not None and value.source and not _repeats(value.source, other)
    ]
    if len({source for _, source in said}) == 1 and len(said) == 2:
        return said[0][1]
    return "; ".join(f"{name}: {source}" for name, source in said)


def _repeats(source: str, other: Value | None) -> bool:
    return other is not None and source.endswith(f": {scalar(other.value)}")


def _value(name: str, value: Any, sources: Mapping[str, str]) -> Value | None:
    return None if value is _ABSENT else Value(value=value, source=sources.get(name))


_ABSENT: Any = object()


def _fields(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Walk through both at once, so that a stage's fields stay together."""
    if not _are_sections(a, b):
        yield path, a, b
        return
    one, other = (node if isinstance(node, dict) else {} for node in (a, b))
    for key in [*one, *(key for key in other if key not in one)]:
        below = f"{path}.{key}" if path else key
        yield from _fields(one.get(key, _ABSENT), other.get(key, _ABSENT), below)


def _are_sections(a: Any, b: Any) -> bool:
    """A section beside another, or beside nothing; an empty one has nothing to walk through."""
    nodes = (a, b)
    return any(isinstance(node, dict) and node for node in nodes) and all(
        isinstance(node, dict) or node is None or node is _ABSENT for node in nodes
    )
