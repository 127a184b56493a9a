import math

import pytest
import torch
from torch import Tensor

from upres.networks.skip import plain_enlargement
from upres.networks.srcnn import SRCNN, SRCNNSettings


def network(scale: int = 3, **settings) -> SRCNN:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return SRCNN(SRCNNSettings(**settings), scale)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("middle", [1, 3, 5])
def test_kernels_that_pass_on_one_pixel_give_the_bicubic_picture(middle: int) -> None:
    srcnn, lr = network(middle=middle, channels=1), noise(2, 1, 6, 5)
    for conv in (srcnn.conv1, srcnn.conv2, srcnn.conv3):
        conv.weight.data.zero_()
        centre = conv.kernel_size[0] // 2
        conv.weight.data[0, 0, centre, centre] = 1
    expected = plain_enlargement(lr, 3, "bicubic").clamp(min=0)  # both ReLUs pass what is >= 0
    torch.testing.assert_close(srcnn(lr), expected)


def test_the_papers_start_is_a_deviation_of_a_thousandth() -> None:
    srcnn = network()
    for conv in (srcnn.conv1, srcnn.conv2, srcnn.conv3):
        assert conv.weight.std().item() == pytest.approx(0.001, rel=0.05)
        assert not conv.bias.any()


def test_hes_start_keeps_the_size_of_features() -> None:
    srcnn = network(init="he")
    for conv, fan_in in ((srcnn.conv1, 81 * 3), (srcnn.conv2, 25 * 64), (srcnn.conv3, 25 * 32)):
        assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)


def test_with_a_bicubic_skip_it_starts_at_the_bicubic_picture() -> None:
    lr = noise(1, 3, 6, 5)
    away = network(skip="bicubic")(lr) - plain_enlargement(lr, 3, "bicubic")
    assert away.abs().max() < 1e-4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_any_size_comes_out_scale_times_as_large(scale: int) -> None:
    assert network(scale)(noise(1, 3, 1, 2)).shape == (1, 3, scale, 2 * scale)


def test_under_autocast_the_answer_is_float32() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert network()(noise(1, 3, 4, 4)).dtype == torch.float32


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"SRCNN enlarges by one of \(2, 3, 4, 8\), not by 5"):
        network(5)
