"""One method of the field with all its values: RECIPES."""

from collections.abc import Mapping
from pathlib import Path

from upres.errors import BadSetting, suggestion
from upres.recipes.compact import COMPACT_X4, COMPACT_X4_SOURCES
from upres.recipes.schema import Recipe
from upres.recipes.srcnn import SRCNN, SRCNN_SOURCES, SRCNN_TINY
from upres.recipes.text import flattened, from_yaml, scalar
from upres.recipes.usrgan import TINY, USRGAN, USRGAN_SMALL, USRGAN_SOURCES

RECIPES: Mapping[str, Recipe] = {
    "srcnn": SRCNN,
    "srcnn-tiny": SRCNN_TINY,
    "usrgan": USRGAN,
    "usrgan-small": USRGAN_SMALL,
    "tiny": TINY,
    "compact-x4": COMPACT_X4,
}

# For each recipe: the one whose sources it shares, and those sources.
_SOURCES: Mapping[str, tuple[Recipe, Mapping[str, str]]] = {
    "srcnn": (SRCNN, SRCNN_SOURCES),
    "srcnn-tiny": (SRCNN, SRCNN_SOURCES),
    "usrgan": (USRGAN, USRGAN_SOURCES),
    "usrgan-small": (USRGAN, USRGAN_SOURCES),
    "tiny": (USRGAN, USRGAN_SOURCES),
    "compact-x4": (COMPACT_X4, COMPACT_X4_SOURCES),
}


def get_recipe(name_or_file: str) -> Recipe:
    """Return the recipe of that name, or the one in that YAML file. Raises BadSetting."""
    if name_or_file in RECIPES:
        return RECIPES[name_or_file]
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise BadSetting(f"there is no recipe file {name_or_file!r}.")
        return from_yaml(path.read_text(encoding="utf-8"), name=name_or_file)
    raise BadSetting(
        f"there is no recipe {name_or_file!r}: {suggestion(name_or_file, RECIPES)} "
        "A recipe of your own is a file that ends in .yaml."
    )


def sources_of(recipe: Recipe) -> dict[str, str]:
    """Return where the values of `recipe` come from, by dotted field name.

    A value that a derived recipe changed says what it was changed from.
    """
    if recipe.name not in _SOURCES:
        return {}
    origin, sources = _SOURCES[recipe.name]
    before, now = flattened(origin), flattened(recipe)
    found: dict[str, str] = {}
    for name, value in now.items():
        if name not in before or before[name] == value:
            found |= {name: sources[name]} if name in sources else {}
        elif name not in ("name", "source"):
            found[name] = f"{origin.name}: {scalar(before[name])}"
    return found
