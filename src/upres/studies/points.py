"""The points of a study: one recipe, and what is varied in it.

Every study has the recipe as it is among its points, so that each value has something to be
compared with.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from upres.errors import BadSetting
from upres.recipes.schema import Recipe
from upres.recipes.stages import LENGTHS, GanStage
from upres.recipes.terms import weights_of
from upres.recipes.text import changed, override

Design = Literal["one-at-a-time", "grid"]
DESIGNS: Mapping[str, Design] = {"one-at-a-time": "one-at-a-time", "grid": "grid"}

FACTORS = ("x0.1", "x1", "x10")  # of each weight, where nothing else is asked for
PLAYERS = ("pixel", "content", "adversarial")  # the terms of both papers
OWN = "recipe"  # what the point without any change is called
_FACTOR = re.compile(r"x(\d+(?:\.\d*)?(?:e-?\d+)?)")
_NUMBERS = ("values", "start", "end")  # of a schedule; its places are no amounts


@dataclass(frozen=True)
class Level:
    """One value of a field: as it is written, as the recipe has it, and where it lies on an axis.

    place: None for what is no number.
    """

    text: str
    setting: Any
    place: float | None


@dataclass(frozen=True)
class Varied:
    """A field, the value that the recipe has, and the values that were asked for."""

    field: str
    label: str
    own: Level
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Point:
    """One training: its name, which is its folder's too; a level of each varied field; its recipe.

    The recipe has the lengths that the study's recipe has.
    """

    name: str
    levels: tuple[Level, ...]
    recipe: Recipe


def vary(recipe: Recipe, settings: Sequence[str]) -> list[Varied]:
    """Return what `FIELD=VALUE,VALUE,...` says, for each of `settings`.

    A value such as x10 is that many times the recipe's, of a schedule all along. FIELD lies in a
    stage, or is the seed: all points learn from the same photos and are judged alike.
    Raises BadSetting.
    """
    found: list[Varied] = []
    for setting in settings:
        field, equals, values = setting.partition("=")
        if not equals or not values:
            raise BadSetting(f"--vary {setting!r} is not of the form field=value,value.")
        _refuse_other_fields(field)
        if any(field == varied.field for varied in found):
            raise BadSetting(f"--vary {field} is there twice: give all its values in one.")
        found.append(_varied(recipe, field, values.split(",")))
    return found


def vary_weights(recipe: Recipe) -> list[Varied]:
    """Return a tenth, once and ten times each weight of the adversarial stage's three terms.

    Raises BadSetting for a recipe whose last stage has no discriminator.
    """
    name, stage = list(recipe.stages.items())[-1]
    if not isinstance(stage, GanStage):
        raise BadSetting(
            f"the last stage of recipe {recipe.name} has no adversarial term to vary: give --vary "
            f"a field, such as stages.{name}.losses.pixel.weight=0.1,1."
        )
    acting = [term for term, _ in weights_of(stage.losses) if term in PLAYERS]
    values = ",".join(FACTORS)
    return vary(recipe, [f"stages.{name}.losses.{term}.weight={values}" for term in acting])


def points(recipe: Recipe, varied: Sequence[Varied], design: Design) -> list[Point]:
    """Return the recipe itself, then each other point of the design.

    one-at-a-time: each value alone, all else as in the recipe. grid: all combinations of the
    values. A point has one name in both.
    """
    own = tuple(part.own for part in varied)
    if design == "grid":
        asked = list(product(*(part.levels for part in varied)))
    else:
        asked = [
            (*own[:place], level, *own[place + 1 :])
            for place, part in enumerate(varied)
            for level in part.levels
        ]
    chosen: list[tuple[Level, ...]] = []
    for levels in [own, *asked]:
        if levels not in chosen:
            chosen.append(levels)
    return [_point(recipe, varied, levels) for levels in chosen]


def shared_stages(recipe: Recipe, varied: Sequence[Varied]) -> tuple[str, ...]:
    """Return the first stages of `recipe`, which no varied field can change."""
    names = tuple(recipe.stages)
    touched = [
        names.index(part.field.split(".")[1]) if part.field.startswith("stages.") else 0
        for part in varied
    ]
    return names[: min(touched, default=0)]


def _varied(recipe: Recipe, field: str, texts: Sequence[str]) -> Varied:
    before = _at(recipe, field)
    factors = all(_FACTOR.fullmatch(text) for text in texts)
    own = Level(_text(before), before, _place(before))
    if isinstance(before, dict):  # a schedule
        own = Level("x1", before, 1.0 if factors else None)
    elif before is None and field.endswith(".weight"):  # a term that the recipe has not
        own = Level("none", None, 0.0)
    levels: list[Level] = []
    for text in texts:
        level = _level(recipe, field, own, text)
        if level not in levels:
            levels.append(level)
    if all(level == own for level in levels):
        raise BadSetting(
            f"--vary {field} changes nothing: recipe {recipe.name} has {own.text} there; give it "
            "other values."
        )
    return Varied(field, _label(recipe, field), own, tuple(levels))


def _level(recipe: Recipe, field: str, own: Level, text: str) -> Level:
    factor = _FACTOR.fullmatch(text)
    if factor is None:
        setting = _at(override(recipe, f"{field}={text}"), field)
        return Level(_text(setting), setting, _place(setting))
    times = float(factor[1])
    if isinstance(own.setting, dict):
        scaled = {k: _times(v, times) if k in _NUMBERS else v for k, v in own.setting.items()}
        setting = _at(changed(recipe, {field: scaled}), field)
        level = Level(f"x{times:g}", setting, times)
    elif isinstance(own.setting, bool) or not isinstance(own.setting, int | float):
        changed(recipe, {field: times})  # says so if there is no such field
        raise BadSetting(f"--vary {field}={text}: {own.text} is no number, so give values.")
    else:
        setting = _at(changed(recipe, {field: _times(own.setting, times)}), field)
        level = Level(_text(setting), setting, _place(setting))
    return own if level.setting == own.setting else level


def _times(value: Any, factor: float) -> Any:
    """Products without the last digits that floats add: a tenth of 0.05 is 0.005."""
    if isinstance(value, list):
        return [_times(part, factor) for part in value]
    return float(f"{value * factor:.12g}")


def _point(recipe: Recipe, varied: Sequence[Varied], levels: tuple[Level, ...]) -> Point:
    parts = [(part, level) for part, level in zip(varied, levels, strict=True) if level != part.own]
    name = " ".join(f"{part.label}={_safe(level.text)}" for part, level in parts)
    changes = {part.field: level.setting for part, level in parts}
    return Point(name or OWN, levels, changed(recipe, changes))


def _refuse_other_fields(field: str) -> None:
    parts = field.split(".")
    if field != "seed" and parts[0] != "stages":
        raise BadSetting(
            f"--vary {field}: a study varies the fields of stages, or the seed, so that all points "
            "learn from the same photos and are judged alike."
        )
    if parts[0] == "stages" and parts[-1] in LENGTHS:
        raise BadSetting(f"--vary {field}: the points of a study are trained equally long.")


def _at(recipe: Recipe, field: str) -> Any:
    """Return the value of a field as YAML has it; None where the recipe has no such part."""
    node: Any = recipe.model_dump(mode="json")
    for key in field.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _label(recipe: Recipe, field: str) -> str:
    """Return a field's short name: stages.gan.losses.adversarial.weight is adversarial."""
    last = list(recipe.stages)[-1]
    short = field.removeprefix(f"stages.{last}.").removeprefix("stages.")
    parts = [part for part in short.split(".") if part != "losses"]
    return ".".join(parts).removesuffix(".weight")


def _place(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else None


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def _safe(text: str) -> str:
    """Without what a file system may not have in a name."""
    return re.sub(r"[^\w.+-]+", "-", text)
