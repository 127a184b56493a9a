"""`upres doctor`: what a model's tiles, speed and memory are on this machine, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upres.upscaling.checkup import Seam, Speed
    from upres.upscaling.precision import Precision
    from upres.upscaling.streams import Floats
    from upres.weights.model import Model

SEAMS_SECONDS = 45.0  # for overlaps beside those that are used
TILE_SECONDS = 5.0  # the largest tile that is timed; up to four kinds of computing are


def doctor(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped model, a checkpoint, a run's folder.")
    ] = "compact-x4",
    picture: Annotated[
        Path | None,
        typer.Option(help="Of which the middle is looked at; seams depend on what is in it."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON.")] = False,
) -> None:
    """Measure a model on this machine: seams by overlap, speed by precision, memory a pixel.

    A seam is what a picture in two tiles is off by, against the whole picture, in levels of 255.
    Takes seconds for small networks; for slow ones fewer overlaps and smaller tiles are tried, so
    that an RRDBNet takes two minutes on a processor.
    """
    import json
    from dataclasses import asdict

    from upres.upscaling.device import pick_device
    from upres.weights.model import load_model

    place = pick_device(device)
    sample = _sample(picture)
    found = load_model(model)
    found.network.to(place)
    radius = found.radius
    facts = _machine() | {"model": model, "device": str(place), "radius": radius}
    if not as_json:
        _print_machine(facts)
    seams: list[Seam] = []
    for seam in _seams(found, radius, sample):
        if not as_json:
            _print_seam(seam, radius, first=not seams)
        seams.append(seam)
    speeds: list[Speed] = []
    for speed in _speeds(found, sample):
        if not as_json:
            _print_speed(speed, found.scale, first=not speeds)
        speeds.append(speed)
    if as_json:
        facts |= {"seams": list(map(asdict, seams)), "speeds": list(map(asdict, speeds))}
        print(json.dumps(facts, indent=2))


def _machine() -> dict[str, Any]:
    import torch

    from upres import __version__
    from upres.upscaling.memory import default_memory, free_memory
    from upres.upscaling.precision import pick_precision

    return {
        "upres": __version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "bf16_instructions": pick_precision("auto", "cpu") == "bf16",
        "free_memory": free_memory(),
        "default_memory": default_memory(),
    }


def _print_machine(facts: dict[str, Any]) -> None:
    from upres.upscaling.memory import human

    instructions = "with" if facts["bf16_instructions"] else "without"
    print(
        f"upres {facts['upres']}, torch {facts['torch']}, {facts['threads']} threads, a processor "
        f"{instructions} bf16\n"
        f"{human(facts['free_memory'])} of memory free; --memory is "
        f"{human(facts['default_memory'])} if nothing else is asked for\n"
        f"{facts['model']} on {facts['device']}: sees {facts['radius']} pixels around each"
    )


def _seams(found: "Model", radius: int, sample: "Floats") -> "Iterator[Seam]":
    from upres.upscaling.checkup import SEAM_ROWS, seams
    from upres.upscaling.tile_network import TileNetwork

    exactly = TileNetwork(found.network, "float32")
    return seams(exactly, found.scale, radius, sample[:SEAM_ROWS], seconds=SEAMS_SECONDS)


def _speeds(found: "Model", sample: "Floats") -> "Iterator[Speed]":
    import contextlib

    from upres.errors import MissingExtra
    from upres.upscaling.checkup import speed, tile_within
    from upres.upscaling.precision import pick_precision
    from upres.upscaling.tile_network import TileNetwork

    exactly = TileNetwork(found.network, "float32")
    tile = tile_within(exactly, sample, TILE_SECONDS)
    first, reference = speed(exactly, tile)
    yield first
    kind = next(found.network.parameters()).device.type
    if found.borrowed:
        return
    halves: list[Precision] = ["bf16"] if pick_precision("auto", kind) == "bf16" else []
    if kind == "cuda":
        halves.append("fp16")
    for half in halves:
        yield speed(TileNetwork(found.network, half), tile, reference)[0]
    with contextlib.suppress(MissingExtra):  # without the extra it is no choice
        for precision in ("float32", *halves) if kind == "cpu" else ():
            network = TileNetwork(found.network, precision, "openvino")
            yield speed(network, tile, reference, "openvino")[0]


def _sample(path: Path | None) -> "Floats":
    """Return the middle of a picture, (side, side, 3), 0..1, or a made one."""
    from upres.errors import BadPicture
    from upres.images.files import read_rgb
    from upres.upscaling.checkup import SIDE, sample_picture
    from upres.upscaling.streams import unit_range

    if path is None:
        return sample_picture(SIDE, SIDE)
    pixels = read_rgb(path)
    if min(pixels.shape[:2]) < SIDE:
        raise BadPicture(
            f"{path} is {pixels.shape[1]}x{pixels.shape[0]}; give a picture of {SIDE}x{SIDE} "
            f"pixels at least."
        )
    top, left = ((side - SIDE) // 2 for side in pixels.shape[:2])
    return unit_range(pixels[top : top + SIDE, left : left + SIDE])


def _print_seam(seam: "Seam", radius: int, *, first: bool) -> None:
    from upres.upscaling.tiling import context_of

    if first:
        print("\nseam: overlap   largest   mean of the 16 pixels beside it (levels of 255)")
    used = (seam.overlap, seam.blend)
    marks = []
    if used == context_of(radius):
        marks.append("used")
    if used == context_of(radius, exact=True):
        marks.append("used by --exact")
    fades = f"faded over {2 * seam.blend}" if seam.blend else ""
    words = "; ".join([word for word in (fades, *marks) if word])
    print(f"{seam.overlap:13}{seam.largest:10.3f}{seam.mean:9.4f}   {words}".rstrip())


def _print_speed(speed: "Speed", scale: int, *, first: bool) -> None:
    if first:
        print(
            f"\nspeed: in      megapixels/s    bytes a pixel        largest difference from\n"
            f"                in      out     counted  measured    float32 (levels of 255); "
            f"tile {speed.side}x{speed.side}"
        )
    per_second = speed.pixels_per_second / 1e6
    measured = "-" if speed.measured is None else f"{speed.measured:.0f}"
    print(
        f"{speed.precision:10}{per_second:8.3f}{per_second * scale**2:9.2f}"
        f"{speed.counted:12.0f}{measured:>10}{speed.largest:12.2f}   {speed.backend}"
    )
