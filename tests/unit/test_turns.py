"""Pictures in hand share the cores; without any there is one turn, and torch is left as it is."""

import time
from contextlib import ExitStack
from threading import Barrier, Condition, Thread

import numpy as np
import pytest
import torch

from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.tile_network import TileNetwork
from upres.upscaling.turns import Turns


@pytest.fixture(autouse=True)
def four_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


class Seen:
    """Notes how many are inside at once, and what torch may compute on there."""

    def __init__(self, expected):
        self.inside, self.most, self.threads = 0, 0, set()
        self._expected, self._changed = expected, Condition()

    def look(self):
        with self._changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.threads.add(torch.get_num_threads())
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._expected, timeout=10)
        time.sleep(0.001)
        with self._changed:
            self.inside -= 1


def seen_by(pictures, at_once, *, told=True):
    """Return what eight tiles of each picture see, all pictures beside each other."""
    turns, seen, ready = Turns(), Seen(at_once), Barrier(pictures, timeout=20)

    def enlarge():
        with ExitStack() as hands:
            if told:
                hands.enter_context(turns.picture())
            ready.wait()
            for _ in range(8):
                with turns.tile():
                    seen.look()
            ready.wait()

    threads = [Thread(target=enlarge) for _ in range(pictures)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


@pytest.mark.parametrize(
    "pictures, at_once, threads", [(1, 1, 4), (2, 2, 2), (3, 3, 1), (4, 4, 1), (6, 4, 1)]
)
def test_pictures_in_hand_share_the_cores(pictures, at_once, threads):
    seen = seen_by(pictures, at_once)
    assert (seen.most, seen.threads) == (at_once, {threads})
    assert torch.get_num_threads() == 4


def test_new_threads_compute_on_all_cores_afterwards():
    seen_by(4, 4)
    found = []
    thread = Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert found == [4]


def test_what_nobody_told_of_takes_turns():
    seen = seen_by(3, 1, told=False)
    assert (seen.most, seen.threads) == (1, {4})


def test_a_picture_that_is_left_has_all_cores():
    turns = Turns()
    with turns.picture():
        with turns.picture(), turns.tile():
            assert torch.get_num_threads() == 2
        with turns.tile():
            assert torch.get_num_threads() == 4


def test_a_tile_that_fails_gives_its_turn_back():
    turns = Turns()
    with pytest.raises(MemoryError), turns.picture(), turns.tile():
        raise MemoryError
    with turns.tile():
        assert torch.get_num_threads() == 4


@pytest.mark.parametrize(
    "settings, off",
    [
        (CompactSettings(width=16, convs=3), 0),
        (RRDBNetSettings(width=16, growth=8, blocks=1), 0),
        (MSRResNetSettings(width=16, blocks=2), 2e-7),  # torch has two bilinear enlargements
    ],
)
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_fewer_cores_give_the_same_values(settings, off, precision):
    enlarge = TileNetwork(build_generator(settings, 4, seed=0).eval(), precision)
    tile = np.random.default_rng(0).random((60, 90, 3), np.float32)
    expected = enlarge(tile)
    with enlarge.in_hand(), enlarge.in_hand(), enlarge.in_hand(), enlarge.in_hand():
        assert np.abs(enlarge(tile) - expected).max() <= off


def test_a_network_that_is_trained_takes_turns():
    network = build_generator(CompactSettings(width=4, convs=1), 4, seed=0)
    enlarge = TileNetwork(network.train(), "float32")
    seen = []
    network.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    tile = np.random.default_rng(0).random((8, 8, 3), np.float32)
    with enlarge.in_hand(), enlarge.in_hand():
        enlarge(tile)
    network.eval()
    with enlarge.in_hand(), enlarge.in_hand():
        enlarge(tile)
    assert seen == [4, 2]
