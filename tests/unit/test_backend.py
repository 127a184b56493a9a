"""OpenVINO behind the upscaler: the same pictures, and an identity of its own."""

import sys

import numpy as np
import pytest

from upres.errors import MissingExtra
from upres.images.saving import SaveSettings
from upres.upscaling.identity import made_by
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.sizes import SizeWish
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
