"""Who computes when: one tile on all cores, or tiles of several pictures on some of them each.

One picture is quickest with all cores at its network. Several are where each has cores of its own:
while one is in the network, others are decoded and encoded, and no thread of a network waits for
another that had to give way.
"""

import contextlib
from collections.abc import Iterator
from threading import Condition

import torch


class Turns:
    """Shares a processor's cores among the pictures that are in hand.

    Pictures that are not told of by `picture` have one turn between them.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._cores = 1
        self._pictures = 0
        self._computing = 0

    @contextlib.contextmanager
    def picture(self) -> Iterator[None]:
        """Hold a picture in hand: what is done to it may be done beside others."""
        with self._changed:
            if self._pictures == 0:
                self._cores = torch.get_num_threads()
            self._pictures += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._pictures -= 1

    @contextlib.contextmanager
    def tile(self) -> Iterator[None]:
        """Wait for a turn, and let torch compute on this turn's share of the cores."""
        with self._changed:
            self._changed.wait_for(lambda: self._computing < self._at_once())
            self._computing += 1
            share = self._cores // self._at_once() if self._pictures else None
        try:
            with contextlib.nullcontext() if share is None else self._computing_on(share):
                yield
        finally:
            with self._changed:
                self._computing -= 1
                self._changed.notify_all()

    def _at_once(self) -> int:
        return max(1, min(self._pictures, self._cores))

    @contextlib.contextmanager
    def _computing_on(self, cores: int) -> Iterator[None]:
        """Let this thread compute on so many; what torch is set to is also what new threads get."""
        torch.set_num_threads(cores)
        try:
            yield
        finally:
            torch.set_num_threads(self._cores)
