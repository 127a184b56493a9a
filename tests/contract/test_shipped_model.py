"""What the package promises of the model inside it."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol
from upres.networks.build import count_parameters
from upres.weights.model import load_model, zoo_file, zoo_names

NAME = "compact-x4"


def test_it_is_small_and_in_half_precision() -> None:
    path = zoo_file(NAME)
    assert path.stat().st_size < 1_500_000
    with safe_open(path, "pt") as tensors:
        assert all(tensors.get_tensor(key).dtype == torch.float16 for key in tensors.keys())  # noqa: SIM118


def test_it_is_the_compact_network_and_says_how_it_was_made() -> None:
    model = load_model(NAME)
    assert count_parameters(model.network) == 621_424  # SRVGGNetCompact, 16 convolutions, x4
    assert model.header is not None
    assert model.header.recipe is not None
    assert model.header.recipe["name"] == NAME
    assert model.header.licence is not None


@pytest.mark.parametrize("name", zoo_names())
def test_every_shipped_model_has_a_card(name: str) -> None:
    card = zoo_file(name).with_suffix(".md").read_text(encoding="utf-8")
    for heading in ("## Photos", "## Command", "## Results"):
        assert heading in card


def test_it_reaches_its_card_on_set5(shared_data: Path) -> None:
    protocol = get_protocol("sr-y-float")
    rows, scale = resolve_rows([NAME], None)
    pairs = load_pairs(shared_data / "Set5", scale, protocol=protocol)
    measures = measures_for(["psnr"], protocol, {})
    result = compare(rows, pairs, protocol, scale=scale, dataset="Set5", measures=measures)
    psnr = result.rows[0].metrics["psnr_y"]
    assert psnr > 31.1
    card = zoo_file(NAME).with_suffix(".md").read_text(encoding="utf-8")
    assert f"| Set5 | {psnr:.2f} |" in card
