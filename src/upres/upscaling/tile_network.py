"""A network as a function of tiles that never gives a wrong picture without a word."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from upres.errors import WorkFailed
from upres.upscaling.activations import bytes_per_pixel
from upres.upscaling.openvino_network import openvino_forward
from upres.upscaling.precision import (
    HALVES,
    Backend,
    ComputePrecision,
    Precision,
    half_body,
    pick_precision,
)
from upres.upscaling.streams import Floats
from upres.upscaling.turns import Turns

SMALLEST_CHANGE = 1 / 255  # of an input that counts as not constant
# The last is oneDNN's, which has no room for the code that it would write.
NO_MEMORY = ("can't allocate memory", "out of memory", "could not create a primitive")


@dataclass
class Tally:
    """What happened while a picture was enlarged; one for each call, never shared between two."""

    tiles: int = 0
    redone: int = 0  # in float32, because the half's values could not be right
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, *, redone: bool) -> None:
        """Count a tile."""
        with self._lock:
            self.tiles += 1
            self.redone += redone


class TileNetwork:
    """Enlarges RGB tiles by a network, in the precision that the machine is quick in.

    network: (n 3 h w) to (n 3 scale*h scale*w), RGB 0..1. In float32 it is used as it is at each
    call, so it may be trained meanwhile; in bf16 or fp16, and by openvino, a copy is. Threads take
    turns, tile by tile: one already keeps the device busy, and what they do around it goes on
    meanwhile. Tiles of pictures that are told of by `in_hand` share the processor's cores instead.
    Raises MissingExtra.
    """

    def __init__(
        self, network: nn.Module, precision: Precision = "auto", backend: Backend = "torch"
    ) -> None:
        self.precision: ComputePrecision = pick_precision(precision, _device(network).type)
        self._network = network
        self._measured = self._network  # what memory is counted of
        self._fast: Callable[[Tensor], Tensor] = network
        half = HALVES.get(self.precision)
        if backend == "openvino":
            self._fast = openvino_forward(network, self.precision)
        elif half is not None:
            self._fast = self._measured = half_body(network, half)
        self._backend = backend
        self._turns = Turns()

    @cached_property
    def bytes_per_pixel(self) -> float:
        """The memory that the network takes, for each LR pixel of a tile."""
        with self._turns.tile(), _evaluating(self._network):
            return bytes_per_pixel(self._measured)

    @property
    def shares_cores(self) -> bool:
        """Whether pictures may be computed beside each other: by torch, on the processor."""
        return self._backend == "torch" and _device(self._network).type == "cpu"

    def in_hand(self) -> contextlib.AbstractContextManager[None]:
        """Tell of a picture whose tiles may be computed beside those of others in hand.

        Where cores are not shared, and by a network that is being trained, they take turns.
        """
        trained = any(module.training for module in self._network.modules())
        shared = self.shares_cores and not trained
        return self._turns.picture() if shared else contextlib.nullcontext()

    def __call__(self, rgb: Floats, tally: Tally | None = None) -> Floats:
        """Return the network's values for a tile (h, w, 3), float32, not clamped.

        Values that are not finite, and one value everywhere though the tile has many, are
        computed again in float32 and counted.
        Raises WorkFailed where that gives no finite values either, MemoryError.
        """
        with self._turns.tile(), self._computing():
            device = _device(self._network)
            # (h, w, c) seen as (1, c, h, w) is channels_last: what convolutions are quick in
            lr = torch.from_numpy(np.ascontiguousarray(rgb)).to(device).permute(2, 0, 1)[None]
            sr = self._fast(lr)
            sound = _is_sound(lr, sr)
            redone = not sound and self._fast is not self._network
            if redone:
                sr = self._network(lr)
            if not (sound or _is_finite(*sr.aminmax())):
                raise WorkFailed(
                    "the network gave values that are not finite; its weights are damaged"
                )
        if tally is not None:
            tally.add(redone=redone)
        enlarged: Floats = sr[0].permute(1, 2, 0).float().cpu().numpy()
        return enlarged

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        with _evaluating(self._network), torch.inference_mode(), _memory_errors():
            yield


def _is_sound(lr: Tensor, sr: Tensor) -> bool:
    low, high = sr.aminmax()
    varied = float(lr.max() - lr.min()) > SMALLEST_CHANGE
    return _is_finite(low, high) and not (varied and bool(low == high))


def _is_finite(low: Tensor, high: Tensor) -> bool:
    return bool(low.isfinite() and high.isfinite())  # both are NaN where any value is


def _device(network: nn.Module) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))


@contextlib.contextmanager
def _memory_errors() -> Iterator[None]:
    """Raise MemoryError for what torch says when there is no memory, on any device."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(str(error)) from error
    except RuntimeError as error:
        if any(words in str(error) for words in NO_MEMORY):
            raise MemoryError(str(error)) from error
        raise


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network that is being trained into evaluation mode, and every module back."""
    modes = [(module, module.training) for module in network.modules() if module.training]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
