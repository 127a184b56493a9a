"""What the package promises of the models inside it."""

import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol
from upres.networks.build import count_parameters
from upres.recipes import RECIPES
from upres.weights.interpolate import check_alike, likeness
from upres.weights.model import load_model, zoo_file, zoo_names

# SRVGGNetCompact with 64 features and 16 convolutions: only its last layer knows the scale.
PARAMETERS = {2: 600_652, 3: 609_307, 4: 621_424}
# Bicubic on Set5 in the published tables (dB); a network that is worth its time is far above.
PUBLISHED_BICUBIC = {2: 33.66, 3: 30.39, 4: 28.42}
CLEARLY = 1.5


def card_of(name: str) -> str:
    return zoo_file(name).with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", zoo_names())
def test_it_is_small_and_in_half_precision(name: str) -> None:
    path = zoo_file(name)
    assert path.stat().st_size < 1_500_000
    with safe_open(path, "pt") as tensors:
        assert all(tensors.get_tensor(key).dtype == torch.float16 for key in tensors.keys())  # noqa: SIM118


@pytest.mark.parametrize("name", zoo_names())
def test_it_is_the_compact_network_and_says_how_it_was_made(name: str) -> None:
    model = load_model(name)
    assert name.startswith(f"compact-x{model.scale}")
    assert count_parameters(model.network) == PARAMETERS[model.scale]
    assert model.header is not None
    assert model.header.recipe is not None
    assert model.header.recipe["name"] == name
    assert name in RECIPES
    assert model.header.licence is not None


@pytest.mark.parametrize("name", zoo_names())
def test_every_shipped_model_has_a_card_and_its_photos_are_listed(name: str) -> None:
    card = card_of(name)
    assert card.startswith(f"# {name}\n")
    for heading in ("## Results", "## Command", "## Photos", "## Licence"):
        assert heading in card
    for link in re.findall(r"\]\(([^)]+)\)", card):
        assert (zoo_file(name).parent / link).is_file()
    assert "photos.md" in card


def test_the_gan_twin_was_trained_on_from_the_default_model() -> None:
    models = load_model("compact-x4"), load_model("compact-x4-gan")
    check_alike(*models)
    assert likeness(*models) > 0.9  # so that what lies between them is a network too


@pytest.mark.parametrize("name", zoo_names())
def test_it_reaches_its_card_on_set5(name: str, shared_data: Path) -> None:
    protocol = get_protocol("sr-y-float")
    rows, scale = resolve_rows([name], None)
    pairs = load_pairs(shared_data / "Set5", scale, protocol=protocol)
    measures = measures_for(["psnr"], protocol, {})
    result = compare(rows, pairs, protocol, scale=scale, dataset="Set5", measures=measures)
    psnr = result.rows[0].metrics["psnr_y"]
    assert psnr > PUBLISHED_BICUBIC[scale] + CLEARLY
    assert f"| Set5 | {psnr:.2f} |" in card_of(name)
