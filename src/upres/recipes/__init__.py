"""One method of the field with all its values: RECIPES."""

from collections.abc import Mapping
from pathlib import Path

from upres.errors import BadSetting, suggestion
from upres.recipes.compact import (
    COMPACT_X2,
    COMPACT_X3,
    COMPACT_X4,
    COMPACT_X4_GAN,
    COMPACT_X4_SOURCES,
)
from upres.recipes.esrgan import (
    ESRGAN,
    ESRGAN_PAPER,
    ESRGAN_PAPER_SOURCES,
    ESRGAN_SOURCES,
    MSRGAN,
    MSRGAN_SOURCES,
    MSRRESNET,
    MSRRESNET_SOURCES,
    RRDB_PSNR,
    RRDB_PSNR_SOURCES,
)
from upres.recipes.paper_a import (
    PAPER_A_ESRGAN,
    PAPER_A_ESRGAN_SMALL,
    PAPER_A_ESRGAN_SOURCES,
    PAPER_A_SRGAN,
    PAPER_A_SRGAN_SMALL,
    PAPER_A_SRGAN_SOURCES,
)
from upres.recipes.schema import Recipe
from upres.recipes.srcnn import SRCNN, SRCNN_955, SRCNN_955_SOURCES, SRCNN_SOURCES, SRCNN_TINY
from upres.recipes.srgan import SRGAN, SRGAN_SOURCES, SRRESNET, SRRESNET_SOURCES
from upres.recipes.text import flattened, from_yaml, scalar
from upres.recipes.usrgan import TINY, USRGAN, USRGAN_SMALL, USRGAN_SOURCES

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        SRCNN,
        SRCNN_955,
        SRCNN_TINY,
        SRRESNET,
        SRGAN,
        MSRRESNET,
        MSRGAN,
        RRDB_PSNR,
        ESRGAN,
        ESRGAN_PAPER,
        PAPER_A_SRGAN,
        PAPER_A_SRGAN_SMALL,
        PAPER_A_ESRGAN,
        PAPER_A_ESRGAN_SMALL,
        USRGAN,
        USRGAN_SMALL,
        TINY,
        COMPACT_X4,
        COMPACT_X2,
        COMPACT_X3,
        COMPACT_X4_GAN,
    )
}

# For each recipe: the one whose sources it shares, and those sources.
_SOURCES: Mapping[str, tuple[Recipe, Mapping[str, str]]] = {
    "srcnn": (SRCNN, SRCNN_SOURCES),
    "srcnn-955": (SRCNN_955, SRCNN_955_SOURCES),
    "srcnn-tiny": (SRCNN, SRCNN_SOURCES),
    "srresnet": (SRRESNET, SRRESNET_SOURCES),
    "srgan": (SRGAN, SRGAN_SOURCES),
    "msrresnet": (MSRRESNET, MSRRESNET_SOURCES),
    "msrgan": (MSRGAN, MSRGAN_SOURCES),
    "rrdb-psnr": (RRDB_PSNR, RRDB_PSNR_SOURCES),
    "esrgan": (ESRGAN, ESRGAN_SOURCES),
    "esrgan-paper": (ESRGAN_PAPER, ESRGAN_PAPER_SOURCES),
    "paper-a-srgan": (PAPER_A_SRGAN, PAPER_A_SRGAN_SOURCES),
    "paper-a-srgan-small": (PAPER_A_SRGAN, PAPER_A_SRGAN_SOURCES),
    "paper-a-esrgan": (PAPER_A_ESRGAN, PAPER_A_ESRGAN_SOURCES),
    "paper-a-esrgan-small": (PAPER_A_ESRGAN, PAPER_A_ESRGAN_SOURCES),
    "usrgan": (USRGAN, USRGAN_SOURCES),
    "usrgan-small": (USRGAN, USRGAN_SOURCES),
    "tiny": (USRGAN, USRGAN_SOURCES),
    "compact-x4": (COMPACT_X4, COMPACT_X4_SOURCES),
    "compact-x2": (COMPACT_X4, COMPACT_X4_SOURCES),
    "compact-x3": (COMPACT_X4, COMPACT_X4_SOURCES),
    "compact-x4-gan": (COMPACT_X4, COMPACT_X4_SOURCES),
}


def get_recipe(name_or_file: str) -> Recipe:
    """Return the recipe of that name, or the one in that YAML file. Raises BadSetting."""
    if name_or_file in RECIPES:
        return RECIPES[name_or_file]
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise BadSetting(f"there is no recipe file {name_or_file!r}.")
        try:
            return from_yaml(path.read_text(encoding="utf-8"), name=name_or_file)
        except UnicodeDecodeError:
            raise BadSetting(f"{name_or_file} is not text in UTF-8.") from None
    raise BadSetting(
        f"there is no recipe {name_or_file!r} (one of your own is a file that ends in .yaml): "
        f"{suggestion(name_or_file, RECIPES)}"
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
