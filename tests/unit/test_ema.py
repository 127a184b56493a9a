"""The moving average of weights (facts: buffers are copied, never averaged)."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from upres.training.ema import averaged_copy, update_average


def test_the_average_moves_by_one_minus_decay() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    average = averaged_copy(network)
    nn.init.constant_(network.weight, 3.0)
    update_average(average, network, 0.9)
    torch.testing.assert_close(average.weight.item(), 0.9 * 1.0 + 0.1 * 3.0)


def test_statistics_of_batch_norm_are_the_live_ones() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    average = averaged_copy(network)
    for _ in range(5):
        network(torch.randn(2, 3, 4, 4) + 5)
        update_average(average, network, 0.999)
    for kept, live in zip(average.buffers(), network.buffers(), strict=True):
        torch.testing.assert_close(kept, live, rtol=0, atol=0)


def test_spectral_norm_vectors_keep_unit_length() -> None:
    network = spectral_norm(nn.Linear(8, 8))
    average = averaged_copy(network)
    for _ in range(20):
        network(torch.randn(1, 8))
        update_average(average, network, 0.9)
    for name, buffer in average.named_buffers():
        assert abs(buffer.norm() - 1) < 1e-5, name


def test_the_average_takes_no_gradient_and_stays_in_eval_mode() -> None:
    average = averaged_copy(nn.Conv2d(3, 3, 1).train())
    assert not average.training
    assert not any(parameter.requires_grad for parameter in average.parameters())
