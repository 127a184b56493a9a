import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upres.networks.rrdbnet import RRDBNet, RRDBNetSettings
from upres.networks.skip import plain_enlargement

SMALL = {"blocks": 2, "width": 6, "growth": 4}


def network(scale: int = 4, **settings) -> RRDBNet:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return RRDBNet(RRDBNetSettings(**{**SMALL, **settings}), scale)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def as_the_paper_says(w: dict[str, Tensor], lr: Tensor, blocks: int) -> Tensor:
    """ESRGAN 3.1 at x4 in plain arithmetic: leaky slope 0.2, beta 0.2."""

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    first = x = conv("conv_first", lr)
    for block in range(blocks):
        into_block = x
        for dense in (1, 2, 3):
            name, seen = f"body.{block}.rdb{dense}.conv", [x]
            for number in (1, 2, 3, 4):
                seen.append(leaky(conv(f"{name}{number}", torch.cat(seen, 1))))
            x = x + 0.2 * conv(f"{name}5", torch.cat(seen, 1))
        x = into_block + 0.2 * x
    x = first + conv("conv_body", x)
    for number in (1, 2):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        x = leaky(conv(f"conv_up{number}", x))
    return conv("conv_last", leaky(conv("conv_hr", x)))


def test_layers_slopes_and_residual_scales_are_those_of_the_paper() -> None:
    rrdbnet, lr = network(), noise(2, 3, 5, 6)
    weights = {key: value * 3 + 0.02 for key, value in rrdbnet.state_dict().items()}
    rrdbnet.load_state_dict(weights)
    expected = as_the_paper_says(weights, lr, blocks=2)
    torch.testing.assert_close(rrdbnet(lr), expected, rtol=1e-4, atol=1e-5)


def test_dense_blocks_start_at_a_tenth_of_hes_deviation() -> None:
    rrdbnet = network(blocks=1, width=64, growth=32)
    for dense in (1, 2, 3):
        for number in range(1, 6):
            conv = rrdbnet.get_submodule(f"body.0.rdb{dense}.conv{number}")
            fan_in = 9 * (64 + 32 * (number - 1))
            expected = 0.1 * math.sqrt(2 / fan_in)
            assert conv.weight.std().item() == pytest.approx(expected, rel=0.05)
            assert not conv.bias.any()


def test_other_convolutions_keep_torchs_start() -> None:
    rrdbnet = network(width=64)
    bound = math.sqrt(1 / (9 * 64))  # uniform within it
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"):
        weight = rrdbnet.get_submodule(name).weight
        assert 0.95 * bound < weight.abs().max().item() <= bound


@pytest.mark.parametrize("kind", ["block", "conv"])
def test_batch_norm_has_torchs_epsilon(kind: str) -> None:
    norms = [m for m in network(batch_norm=kind).modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-5}
    assert len(norms) == {"block": 2, "conv": 2 * 15}[kind]


@pytest.mark.parametrize("kind", ["none", "block", "conv"])
def test_in_eval_mode_a_picture_does_not_depend_on_its_neighbours_in_the_batch(kind: str) -> None:
    rrdbnet, lr = network(batch_norm=kind), noise(4, 3, 6, 6)
    rrdbnet(lr)  # so that running statistics are not the initial ones
    rrdbnet.eval()
    torch.testing.assert_close(rrdbnet(lr[:1]), rrdbnet(lr)[:1])


@pytest.mark.parametrize("upsampling", ["nearest", "pixelshuffle"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_any_size_comes_out_scale_times_as_large(scale: int, upsampling: str) -> None:
    if upsampling == "pixelshuffle" and scale == 1:
        pytest.skip("there is nothing to shuffle at x1")
    rrdbnet = network(scale, blocks=1, upsampling=upsampling)
    assert rrdbnet(noise(1, 3, 7, 5)).shape == (1, 3, 7 * scale, 5 * scale)
    assert rrdbnet(noise(1, 3, 1, 1)).shape == (1, 3, scale, scale)


def test_a_side_that_does_not_divide_grows_by_copies_of_its_last_pixels() -> None:
    rrdbnet, lr = network(2, blocks=1), noise(1, 3, 33, 35)
    grown = torch.cat([lr, lr[:, :, -1:]], dim=2)
    grown = torch.cat([grown, grown[..., -1:]], dim=3)
    torch.testing.assert_close(rrdbnet(lr), rrdbnet(grown)[..., :66, :70])


def test_the_unshuffled_channels_are_in_the_order_of_public_weights() -> None:
    rrdbnet, lr = network(2, blocks=1), noise(1, 3, 4, 4)
    seen = []
    rrdbnet.conv_first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    rrdbnet(lr)
    for colour in range(3):
        for row in range(2):
            for column in range(2):
                channel = seen[0][0, 4 * colour + 2 * row + column]
                assert torch.equal(channel, lr[0, colour, row::2, column::2])


def test_with_a_skip_only_the_difference_is_computed() -> None:
    plain, with_skip = network(blocks=1), network(blocks=1, skip="nearest")
    with_skip.load_state_dict(plain.state_dict())
    lr = noise(1, 3, 4, 4)
    repeated = lr.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    torch.testing.assert_close(with_skip(lr), plain(lr) + repeated)


def test_with_a_skip_training_starts_very_near_the_plain_enlargement() -> None:
    rrdbnet, lr = network(width=32, growth=16, skip="bicubic"), noise(2, 3, 12, 12)
    away = rrdbnet(lr) - plain_enlargement(lr, 4, "bicubic")
    assert 0 < away.abs().max() < 0.01


def test_under_autocast_the_answer_is_float32_and_close() -> None:
    rrdbnet, lr = network(skip="bicubic", batch_norm="conv").eval(), noise(1, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = rrdbnet(lr)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, rrdbnet(lr), atol=1e-2, rtol=0)


@pytest.mark.parametrize(("scale", "upsampling"), [(5, "nearest"), (1, "pixelshuffle")])
def test_an_unknown_scale_is_refused(scale: int, upsampling: str) -> None:
    with pytest.raises(ValueError, match=rf"RRDBNet enlarges by one of .*, not by {scale}"):
        network(scale, upsampling=upsampling)
