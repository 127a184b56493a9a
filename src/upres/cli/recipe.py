"""`upres recipe`: a recipe with all its values."""

from typing import Annotated

import typer


def recipe(
    name: Annotated[
        str | None, typer.Argument(help="A recipe's name or YAML file; none lists them.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change one field.")
    ] = None,
) -> None:
    """Print a recipe as YAML with the source of each value; without a name, list the recipes.

    The YAML is a recipe file: edit it and give it to `upres train`.
    """
    from upres.recipes import RECIPES, get_recipe, sources_of
    from upres.recipes.text import override, to_yaml

    if name is None:
        width = max(map(len, RECIPES))
        for known in RECIPES.values():
            print(f"{known.name:<{width}}  {known.source}")
        return
    chosen = get_recipe(name)
    for setting in settings or []:
        chosen = override(chosen, setting)
    print(to_yaml(chosen, sources_of(chosen)), end="")
