"""A recipe as YAML and back, and the change of single fields by their names."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from upres.errors import BadSetting, suggestion
from upres.recipes.schema import Recipe
from upres.recipes.stages import LENGTHS

_SCALARS = ("number", "steps", "ramp")  # the members of schedules.Scalar


def to_yaml(recipe: Recipe, sources: Mapping[str, str] | None = None) -> str:
    """Return all of `recipe` as YAML that `from_yaml` reads back to an equal recipe.

    sources: dotted field names and where their values come from; printed as comments.
    """
    lines = [] if sources is None else [f"# {sources.get('', recipe.source)}"]
    _write(recipe.model_dump(mode="json"), lines, path="", depth=0, sources=sources or {})
    return "\n".join(lines) + "\n"


def from_yaml(text: str, *, name: str) -> Recipe:
    """Read a recipe. `name` is what messages call it. Raises BadSetting."""
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadSetting(f"{name} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(fields, dict):
        raise BadSetting(f"{name} is not a recipe: expected fields such as `scale: 4`.")
    return _validated(fields, f"in {name}, ")


def override(recipe: Recipe, setting: str) -> Recipe:
    """Return a copy in which one field is changed, as `--set stages.pixel.steps=500` says it.

    The text is read by the field's type. Raises BadSetting, naming the nearest field.
    """
    path, equals, text = setting.partition("=")
    if not equals or not path:
        raise BadSetting(f"--set {setting!r} is not of the form field=value.")
    readings = _readings(text)
    failures = []
    for value in readings:
        try:
            return changed(recipe, {path: value})
        except BadSetting as error:
            failures.append(error)
    # What was written as a list or a section was not meant as text.
    raise failures[-1 if isinstance(readings[-1], list | dict) else 0]


def changed(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Return a copy in which the fields with these dotted names have these values.

    A change of `kind` starts that section anew; a length of a stage replaces its other lengths.
    Raises BadSetting for an unknown field or a value that does not fit.
    """
    fields = recipe.model_dump(mode="json")
    for path, value in changes.items():
        section, last = _section(fields, path)
        if last == "kind" and value != section.get("kind"):
            section.clear()
        if last in LENGTHS and "losses" in section:
            section.update(dict.fromkeys(LENGTHS))
        section[last] = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return _validated(fields, "")


def differences(old: Recipe, new: Recipe) -> list[tuple[str, object, object]]:
    """Return (field, value in `old`, value in `new`) for every field that is not equal."""
    before, after = flattened(old), flattened(new)
    names = [*before, *(name for name in after if name not in before)]
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [(name, a, b) for name, a, b in pairs if a != b]


def flattened(recipe: Recipe) -> dict[str, object]:
    """Return every single value by its dotted name."""
    values: dict[str, object] = {}

    def walk(node: object, path: str) -> None:
        if isinstance(node, dict):
            for key, child in node.items():
                walk(child, f"{path}.{key}" if path else key)
        else:
            values[path] = node

    walk(recipe.model_dump(mode="json"), "")
    return values


def _readings(text: str) -> list[object]:
    """The ways to read a value, most literal first: `1e-4` is text to YAML but fits a number."""
    if text in ("null", "~"):
        return [None]
    readings: list[object] = [text]
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError:
        return readings
    if not isinstance(parsed, str):
        readings.append(parsed)
    if text.lower() == "none":
        readings.append(None)
    return readings


def _section(fields: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *sections, last = path.split(".")
    node: Any = fields
    begun: set[str] = set()
    for depth, key in enumerate([*sections, last]):
        here = ".".join(sections[:depth])
        if not isinstance(node, dict):
            raise BadSetting(f"there is no field {path!r}: {here} has no parts.")
        # The layers of a content term are names of the user's choice; all other keys are fixed.
        if key not in node and not here.endswith("layers") and here not in begun:
            where = f" in {here}" if here else ""
            raise BadSetting(f"there is no field {path!r}{where}: {suggestion(key, node)}")
        if key == last and depth == len(sections):
            return node, last
        if node[key] is None:  # an optional section: its first field begins it
            node[key] = {}
            begun.add(f"{here}.{key}" if here else key)
        node = node[key]
    raise AssertionError("a path has a last part")


def _validated(fields: dict[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in _plain(first["loc"], fields))
        raise BadSetting(f"{where}{_told(first, path)}.") from None


def _told(error: ErrorDetails, path: str) -> str:
    """Say pydantic's error in the words of a recipe."""
    message, value = error["msg"].removeprefix("Value error, "), error["input"]
    match error["type"]:
        case "extra_forbidden":
            return f"{path}: there is no such field"
        case "missing":
            return f"{path} is missing"
        case "union_tag_not_found":
            return f"{path} is {value!r}: it has no kind"
        case "union_tag_invalid":
            found = error["ctx"]
            return f"{path}.kind is {found['tag']!r}: it can be {found['expected_tags']}"
        case "model_type" | "model_attributes_type":
            return f"{path} is {value!r}: it is a section with fields of its own"
        case "value_error" if not path:
            return message
        case "value_error" if isinstance(value, dict):  # a section, perhaps a whole stage
            return f"{path}: {message}"
        case _:
            named = f"{path} is " if path else ""
            return f"{named}{value!r}: {message[0].lower()}{message[1:]}"


def _plain(location: tuple[int | str, ...], fields: dict[str, Any]) -> list[int | str]:
    """Leave out of pydantic's location the names of union members, which are no fields."""
    kept: list[int | str] = []
    node: Any = fields
    for part in location:
        members = (*_SCALARS, node.get("kind")) if isinstance(node, dict) else _SCALARS
        if part in members and not (isinstance(node, dict) and part in node):
            continue
        kept.append(part)
        node = node.get(part) if isinstance(node, dict) else None
    return kept


def _write(
    node: Mapping[str, Any], lines: list[str], *, path: str, depth: int, sources: Mapping[str, str]
) -> None:
    for key, value in node.items():
        here = f"{path}.{key}" if path else key
        comment = f"  # {sources[here]}" if here in sources else ""
        if isinstance(value, dict) and value:
            lines.append(f"{'  ' * depth}{key}:{comment}")
            _write(value, lines, path=here, depth=depth + 1, sources=sources)
        else:
            lines.append(f"{'  ' * depth}{key}: {scalar(value)}{comment}")


def scalar(value: object) -> str:
    """Return one value as YAML writes it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
