"""OpenVINO behind the upscaler: the same pictures, and an identity of its own."""

import sys

import numpy as np
import pytest
import torch

from upres.batch.identity import made_by
from upres.errors import BadSetting, MissingExtra
from upres.images.saving import SaveSettings
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.upscaling import tile_network
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.sizes import SizeWish
from upres.upscaling.tile_network import Tally, TileNetwork
from upres.upscaling.upscaler import Upscaler

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def load(**how):
    return Upscaler.load("compact-x4", UpscaleSettings(precision="float32", **how))


def test_openvino_gives_the_pictures_of_torch():
    pytest.importorskip("openvino", reason="OpenVINO is the extra `export`")
    here, there = load(), load(backend="openvino")
    assert np.abs(here(PICTURE).astype(int) - there(PICTURE)).max() <= 1
    wish, save = SizeWish(), SaveSettings()
    assert made_by(here, wish, save) != made_by(there, wish, save)
    with_tta = load(backend="openvino", tta=True, tile=16, memory=10**9)
    assert with_tta(PICTURE).shape == (96, 160, 3)


def test_without_openvino_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match=r"pip install 'upres\[export\]'"):
        load(backend="openvino")


def test_what_openvino_gets_wrong_is_redone_by_torch_and_counted(monkeypatch):
    def broken(network, precision):
        return lambda lr: torch.full((1, 3, 16, 16), torch.nan)

    monkeypatch.setattr(tile_network, "openvino_forward", broken)
    network = build_generator(CompactSettings(width=8, convs=1), 2, seed=4).eval()
    tile, tally = np.random.default_rng(1).random((8, 8, 3), np.float32), Tally()
    given = TileNetwork(network, "float32", "openvino")(tile, tally)
    assert np.array_equal(given, TileNetwork(network, "float32")(tile))
    assert (tally.tiles, tally.redone) == (1, 1)


def test_openvino_does_not_go_with_another_device():
    with pytest.raises(BadSetting) as raised:
        load(backend="openvino", device="cuda:1")
    assert str(raised.value) == (
        "--backend openvino computes on the processor, not on cuda:1; give --device cpu, or leave "
        "--backend out."
    )
