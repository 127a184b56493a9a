"""`upres describe`: the networks of a recipe or a model, layer by layer."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from torch import nn

    from upres.networks.build import DiscriminatorSettings, GeneratorSettings
    from upres.networks.describe import Layer
    from upres.recipes.schema import Recipe
    from upres.weights.checkpoint import CheckpointHeader

MODEL_SIDE = 32  # LR pixels, for a model: it has no patch


def describe(
    name: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|MODEL", help="A recipe or its YAML, a model, a file, a run."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="All layers as JSON.")] = False,
) -> None:
    """Print the layers, shapes and sizes of a recipe's networks, or of a model's.

    Where a recipe and a model have the same name, it is the recipe's; give the model's file then.
    Shapes are those of a recipe's patches, of 32x32 pixels for a model. Of a checkpoint it also
    prints how it was trained, what it scored, and by which protocol.
    """
    import json

    networks = described(name)
    if as_json:
        print(json.dumps(networks, indent=2))
        return
    for facts in networks:
        _print(facts)


def described(name: str) -> list[dict[str, Any]]:
    """Return the facts of a recipe's generator and discriminators, or of a model's generator.

    Raises BadSetting for a name that is neither, BadWeights for a file that is no model.
    """
    from upres.recipes import RECIPES, get_recipe
    from upres.weights.model import load_model

    if name in RECIPES or name.endswith((".yaml", ".yml")):
        return _of_recipe(get_recipe(name))
    _refuse_unknown(name)
    model = load_model(name)
    facts = generator_facts(model.settings, model.scale, MODEL_SIDE, model.network)
    return [facts if model.header is None else facts | {"checkpoint": _origin(model.header)}]


def generator_facts(
    settings: "GeneratorSettings", scale: int, side: int, network: "nn.Module | None" = None
) -> dict[str, Any]:
    """Return what is known of a generator for LR pictures of `side` pixels; JSON's types only."""
    from upres.networks.build import (
        build_generator,
        flops_per_lr_pixel,
        has_batch_norm,
        receptive_radius,
        supported_scales,
    )

    network = build_generator(settings, scale, seed=0) if network is None else network
    channels = getattr(settings, "channels", 3)
    return {
        "network": settings.kind,
        "role": "generator",
        "settings": settings.model_dump(mode="json"),
        "scale": scale,
        "scales": list(supported_scales(settings)),
        "flops_per_lr_pixel": flops_per_lr_pixel(network, channels=channels),
        "receptive_radius": receptive_radius(settings, scale),
        "sides": "any",
        "batch_norm": has_batch_norm(settings),
        **_shapes(network, channels, side),
    }


def _origin(header: "CheckpointHeader") -> dict[str, Any]:
    """Return where a checkpoint comes from and what it scored; JSON's types only."""
    told = {"stage", "step", "weights", "metrics", "protocol", "conditions", "upres_version"}
    parents = [{"name": p.name, "share": p.share, "sha256": p.sha256} for p in header.parents]
    recipe = None if header.recipe is None else header.recipe.get("name")
    return {"recipe": recipe, **header.model_dump(mode="json", include=told), "parents": parents}


def discriminator_facts(
    settings: "DiscriminatorSettings", hr_patch: int, stage: str | None = None
) -> dict[str, Any]:
    """Return what is known of a discriminator for patches of `hr_patch`; JSON's types only."""
    from upres.networks.build import (
        build_discriminator,
        has_batch_norm,
        least_patch,
        least_patch_multiple,
    )

    multiple, least = least_patch_multiple(settings), least_patch(settings)
    return {
        "network": settings.kind,
        "role": "discriminator",
        "stage": stage,
        "settings": settings.model_dump(mode="json"),
        "sides": f"multiples of {multiple}, at least {least}",
        "batch_norm": has_batch_norm(settings),
        **_shapes(build_discriminator(settings, hr_patch, seed=0), 3, hr_patch),
    }


def _of_recipe(recipe: "Recipe") -> list[dict[str, Any]]:
    from upres.recipes.stages import GanStage

    side = recipe.crops.hr_patch
    found = [generator_facts(recipe.generator, recipe.scale, side // recipe.scale)]
    for name, stage in recipe.stages.items():
        if isinstance(stage, GanStage):
            found.append(discriminator_facts(stage.discriminator, side, name))
    return found


def _shapes(network: "nn.Module", channels: int, side: int) -> dict[str, Any]:
    from dataclasses import asdict

    from upres.networks.describe import describe_network

    return asdict(describe_network(network, channels, side, side))


def _refuse_unknown(name: str) -> None:
    """Before `load_model` does, which knows of no recipes."""
    from pathlib import Path

    from upres.errors import BadSetting, suggestion
    from upres.recipes import RECIPES
    from upres.weights.model import zoo_names
    from upres.weights.published_models import published_model

    path = Path(name)
    if name in zoo_names() or path.suffix or len(path.parts) > 1 or path.exists():
        return
    if published_model(name) is not None:
        return
    known = [*RECIPES, *(model for model in zoo_names() if model not in RECIPES)]
    raise BadSetting(
        f"{name!r} is neither a recipe nor a model nor a file or a folder, "
        f"{suggestion(name, known)}"
    )


def _print(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from upres.networks.describe import Layer, without_repetition

    stage = f" of stage {facts['stage']}" if facts.get("stage") else ""
    scale = f", x{facts['scale']}" if "scale" in facts else ""
    table = Table(title=f"{facts['role']}{stage}: {facts['network']}{scale}", title_justify="left")
    for heading in ("layer", "what", "output", "parameters"):
        table.add_column(heading, justify="right" if heading == "parameters" else "left")
    for layer in without_repetition(Layer(**row) for row in facts["layers"]):
        table.add_row(*_cells(layer))
    console = Console(soft_wrap=True)
    console.print(table)
    for line in summary(facts):
        console.print(line, markup=False, highlight=False)
    console.print()


def _cells(layer: "Layer") -> tuple[str, ...]:
    times = f" (x {layer.times})" if layer.times > 1 else ""
    counted = f"{layer.parameters * layer.times:,}" if layer.parameters else ""
    frozen = ", frozen" if layer.frozen else ""
    return layer.name + times, layer.kind, _size(layer.output), counted + frozen


def summary(facts: dict[str, Any]) -> list[str]:
    """Return the lines under a table: sizes, reach and what the network can be used for."""
    lines = [
        f"picture: {_size(facts['input'])} to {_size(facts['output'])} (channels x height x width)",
        f"parameters that learn: {facts['parameters']:,}",
    ]
    if facts["role"] == "generator":
        lines += [
            f"work: {facts['flops_per_lr_pixel'] / 1e6:.3f} MFLOPs per LR pixel",
            f"sees: {facts['receptive_radius']} LR pixels around each place",
            f"scales: {', '.join(map(str, facts['scales']))}",
        ]
    else:
        lines.append(f"work: {facts['flops'] / 1e9:.3f} GFLOPs per patch")
    lines.append(f"sides: {facts['sides']}")
    lines.append(f"batch norm: {'yes' if facts['batch_norm'] else 'no'}")
    return [*lines, *_origin_lines(facts.get("checkpoint", {}))]


def _origin_lines(origin: Mapping[str, Any]) -> Iterator[str]:
    """Yield the training, the parents and the scores of a checkpoint, as they stand in the file.

    So do the conditions of its protocol, which today's of that name need not have.
    """
    if origin.get("recipe"):
        yield (
            f"trained: recipe {origin['recipe']}, stage {origin['stage']}, step {origin['step']}, "
            f"{origin['weights']} weights, upres {origin['upres_version']}"
        )
    for parent in origin.get("parents", ()):
        yield f"made of: {parent['share']:.3g} of {parent['name']}, sha256 {parent['sha256']}"
    if origin.get("metrics"):
        scores = ", ".join(
            f"{name} {float(value):.4f}" for name, value in origin["metrics"].items()
        )
        yield f"scored when it was saved: {scores}, by protocol {origin['protocol'] or 'unknown'}"
    if conditions := origin.get("conditions"):
        words = {"name", "explanation", "used_by"}
        fields = [f"{name} {value}" for name, value in conditions.items() if name not in words]
        yield f"that protocol: {conditions.get('explanation', '')} ({', '.join(fields)})"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
