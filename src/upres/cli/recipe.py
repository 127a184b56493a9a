"""`upres recipe`: a recipe with all its values, or two beside each other."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upres.recipes.schema import Recipe


def recipe(
    name: Annotated[
        str | None, typer.Argument(help="A recipe's name or YAML file; none lists them.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change one field.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="OTHER", help="Show the fields that differ from OTHER's."),
    ] = None,
    all_fields: Annotated[
        bool, typer.Option("--all", help="With --compare: the fields that are equal, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print a recipe as YAML with the source of each value; without a name, list the recipes.

    The YAML is a recipe file: edit it and give it to `upres train`. OTHER is a recipe's name or
    a YAML file; --set changes NAME, not OTHER.
    """
    from upres.errors import BadSetting
    from upres.recipes import get_recipe
    from upres.recipes.text import override

    if all_fields and compare is None:
        raise BadSetting("--all is for --compare: a recipe alone is always shown as a whole.")
    if name is None:
        if compare is not None or settings:
            option = "--set" if compare is None else f"--compare {compare}"
            raise BadSetting(f"{option} needs a recipe before it: upres recipe NAME {option}.")
        _print_list(as_json=as_json)
        return
    chosen = get_recipe(name)
    for setting in settings or []:
        chosen = override(chosen, setting)
    if compare is None:
        _print_one(chosen, as_json=as_json)
        return
    other = get_recipe(compare)
    names = (chosen.name, other.name)
    if chosen.name == other.name:  # a file made from a recipe may have kept its name
        names = (f"{name} --set" if settings else name, compare)
    _print_both(chosen, other, names, all_fields=all_fields, as_json=as_json)


def _print_list(*, as_json: bool) -> None:
    import json

    from upres.recipes import RECIPES

    if as_json:
        sources = {known.name: known.source for known in RECIPES.values()}
        print(json.dumps(sources, indent=2, ensure_ascii=False))
        return
    width = max(map(len, RECIPES))
    for known in RECIPES.values():
        print(f"{known.name:<{width}}  {known.source}")


def _print_one(chosen: "Recipe", *, as_json: bool) -> None:
    from upres.recipes import sources_of
    from upres.recipes.text import to_yaml

    if as_json:
        print(chosen.model_dump_json(indent=2))
    else:
        print(to_yaml(chosen, sources_of(chosen)), end="")


def _print_both(
    first: "Recipe",
    second: "Recipe",
    names: tuple[str, str],
    *,
    all_fields: bool,
    as_json: bool,
) -> None:
    import json

    from upres.recipes import sources_of
    from upres.recipes.comparing import compare, comparison_text

    sources = (sources_of(first), sources_of(second))
    fields = compare(first, second, sources=sources, equal_ones=all_fields)
    if as_json:
        shown = {"recipes": names, "fields": [field.model_dump(mode="json") for field in fields]}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for name, recipe in zip(names, (first, second), strict=True):
        print(f"{name}: {recipe.source}")
    print()
    print(comparison_text(fields, names), end="")
