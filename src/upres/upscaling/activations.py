"""How much memory a network takes for each pixel: its tensors counted while it looks at a tile."""

import weakref
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

SIDE = 32  # LR px of the tile that is looked at; tensors grow with its area


class _Living(TorchDispatchMode):
    """Counts the bytes of the tensors that operations make, until each is let go."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now: int = 0
        self.highest: int = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: Any) -> None:
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        size = storage.nbytes()
        self.now += size
        self.highest = max(self.highest, self.now)
        weakref.finalize(storage, self._let_go, key, size)

    def _let_go(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def bytes_per_pixel(network: nn.Module) -> float:
    """Return the bytes of all tensors at the network's height, per LR pixel of a tile.

    What libraries hold for themselves meanwhile is not seen.
    """
    first = next(network.parameters(), torch.empty(0))
    lr = torch.zeros(1, 3, SIDE, SIDE, device=first.device)
    living = _Living()
    with torch.inference_mode(), living:
        network(lr.contiguous(memory_format=torch.channels_last))
    return living.highest / (SIDE * SIDE)
