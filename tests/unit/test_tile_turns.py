"""Threads that share a network take turns at it."""

import time
from threading import Thread

import numpy as np
from torch import Tensor, nn

from upres.upscaling.tile_network import TileNetwork


class Watching(nn.Module):
    """Notes how many are inside, and whether it is in training mode there."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.seen = 0, []

    def forward(self, lr: Tensor) -> Tensor:
        self.inside += 1
        time.sleep(0.005)
        self.seen.append((self.inside, self.training))
        self.inside -= 1
        return lr


def test_one_tile_at_a_time_and_always_in_evaluation_mode():
    network = Watching().train()
    enlarge = TileNetwork(network, "float32")
    tile = np.linspace(0, 1, 48, dtype=np.float32).reshape(4, 4, 3)
    threads = [Thread(target=lambda: [enlarge(tile) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert network.seen == [(1, False)] * 20
    assert network.training
