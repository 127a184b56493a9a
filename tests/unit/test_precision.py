"""bf16 in the body, float32 at the ends, and only where the processor is made for it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.precision import HALVES, half_body, pick_precision

COMPACT = CompactSettings(width=16, convs=2)
NORMED = RRDBNetSettings(blocks=1, width=8, growth=4, batch_norm="conv")


@pytest.mark.parametrize("wish", ["float32", "bf16", "fp16"])
def test_a_wish_is_granted(wish):
    assert pick_precision(wish) == wish


def test_auto_is_bf16_where_the_processor_multiplies_it():
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        pytest.skip("no /proc/cpuinfo to compare with")
    able = "amx_bf16" in flags or "avx512_bf16" in flags
    assert pick_precision("auto") == ("bf16" if able else "float32")


def test_auto_is_float32_where_nothing_is_known_of_the_device():
    assert pick_precision("auto", "mps") == "float32"


def test_fp16_is_taken_as_bf16_is_and_rounds_less():
    network = build_generator(COMPACT, 4, seed=0).eval()
    lr = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact = network(lr)
        errors = {
            name: (half_body(network, half)(lr) - exact).abs().mean()
            for name, half in HALVES.items()
        }
    # fp16 has 11 significant bits and bf16 has 8, so it rounds by an eighth as much
    assert 0.02 < errors["fp16"] / errors["bf16"] < 0.5


def test_only_the_last_convolution_and_the_norms_stay_float32():
    body = half_body(build_generator(NORMED, 2, seed=0))
    kinds = {
        name: module.weight.dtype
        for name, module in body.named_modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    }
    assert kinds.pop("conv_last") == torch.float32
    assert {kind for name, kind in kinds.items() if ".bn" in name} == {torch.float32}
    assert {kind for name, kind in kinds.items() if ".bn" not in name} == {torch.bfloat16}


@pytest.mark.parametrize("settings, scale", [(COMPACT, 4), (NORMED, 2)])
def test_it_takes_and_gives_float32_and_differs_by_bf16s_coarseness(settings, scale):
    network = build_generator(settings, scale, seed=0).eval()
    body = half_body(network)
    lr = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact, quick = network(lr), body(lr)
    assert quick.dtype == torch.float32
    error = (quick - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert 0 < error < 0.02  # bf16 rounds by up to 2^-9 = 0.002 at each of some ten layers


def test_the_network_itself_is_left_as_it_was():
    network = build_generator(COMPACT, 4, seed=0)
    half_body(network)
    assert network.training
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    lr = torch.rand(1, 3, 4, 4)
    before = network(lr)
    assert not any(module._forward_pre_hooks for module in network.modules())
    assert torch.equal(network(lr), before)


def test_the_plain_enlargement_is_never_rounded_to_bf16():
    network = build_generator(COMPACT, 4, seed=0)
    for name in ("weight", "bias"):
        nn.init.zeros_(getattr(network.body[-1], name))
    lr = torch.arange(256).reshape(1, 1, 16, 16).expand(1, 3, 16, 16) / 255
    with torch.inference_mode():
        sr = half_body(network)(lr)
    assert torch.equal(sr, lr.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_a_single_convolution_computes_in_float32():
    network = nn.Conv2d(3, 3, 3, padding=1)
    lr = torch.rand(1, 3, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(half_body(network)(lr), network(lr), rtol=0, atol=1e-6)
