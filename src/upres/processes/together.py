"""What the processes of a run do together; a run of one process passes through unchanged.

Gradients are averaged by one all-reduce after the backward pass, in the order of the parameters,
rather than by a wrapper around the network: the sum of several processes then always has the
same bits, also after a resume, and a network may be called as often as its step needs. On two
processor cores it is as fast as PyTorch's wrapper, which sends while it still computes
(docs/concepts/distributed.md).
"""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor

from upres.errors import UpresError, WorkFailed
from upres.processes.launched import ToldByFirst

Item = TypeVar("Item")

_LAST_SECONDS = 10  # that a process of this machine has to end by itself


class LostProcess(WorkFailed):
    """Another process ended without a word."""


@contextlib.contextmanager
def launched(fabric: Fabric) -> Iterator[None]:
    """Have the other processes of the run beside this one; where there are none, nothing.

    Fabric starts those of this machine by this program's own command line, unless a launcher
    has started them.
    """
    with _ended_at_once():
        fabric.launch()
    try:
        yield
    finally:
        _dismiss_observer()
        if distributed.is_initialized() and distributed.get_backend() == "gloo":
            distributed.destroy_process_group()  # NCCL's is closed at the program's end
        for child in getattr(fabric.strategy.launcher, "procs", ()):
            try:
                child.wait(timeout=_LAST_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


@contextlib.contextmanager
def _ended_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process while processes find each other, when nothing has begun.

    They wait in C++, where Python would not hear of it before the others have come.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield  # ignored, as in a background job; or no thread that may change it
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _dismiss_observer() -> None:
    """Stop Fabric's thread that kills this process once another ends with a code but 0.

    At the end, after a Ctrl-C above all, that is no accident; `launched` waits for them itself.
    """
    for thread in threading.enumerate():
        if thread.name == "child-process-observer":
            thread._run = lambda: True  # type: ignore[attr-defined]


def share(fabric: Fabric, batch: int) -> range:
    """Return which crops of the whole batch are this process's."""
    size = batch // fabric.world_size
    return range(fabric.global_rank * size, (fabric.global_rank + 1) * size)


def from_first(fabric: Fabric, action: Callable[[], Item]) -> Item:
    """Return what `action` gives in the first process; the others do not run it.

    Its UpresError is raised in all of them, so that none waits for one that has ended.
    """
    if fabric.world_size == 1:
        return action()
    said: tuple[Any, str | None, int] = (None, None, 0)
    caught: UpresError | None = None
    if fabric.is_global_zero:
        try:
            said = (action(), None, 0)
        except UpresError as error:
            caught, said = error, (None, str(error), error.exit_code)
    with _talking():
        given, message, code = fabric.broadcast(said)
    if caught is not None:
        raise caught
    if message is not None:
        raise ToldByFirst(message, code)
    result: Item = given
    return result


def after_first(fabric: Fabric, action: Callable[[], Item]) -> Item:
    """Run `action` in the first process and then in the others, which find what it has made."""
    made: list[Item] = []
    from_first(fabric, lambda: made.append(action()))
    return made[0] if made else action()


def means(fabric: Fabric, values: Mapping[str, float]) -> dict[str, float]:
    """Return the mean of each value over the processes; a NaN or an infinity reaches all."""
    if fabric.world_size == 1:
        return dict(values)
    sums = torch.tensor(list(values.values()), dtype=torch.float64, device=fabric.device)
    with _talking():
        distributed.all_reduce(sums)
    return dict(zip(values, (sums / fabric.world_size).tolist(), strict=True))


def any_of(fabric: Fabric, here: bool) -> bool:
    """Return whether it is true in some process."""
    return means(fabric, {"here": float(here)})["here"] > 0


def of_all(fabric: Fabric, scores: Tensor) -> Tensor:
    """Return the scores (n, ...) of all processes as (n * processes, ...), in the batch's order.

    Gradients flow back to this process's own. A loss of all scores must be computed in every
    process; after `average_gradients` it has the gradient that one process would find.
    """
    if fabric.world_size == 1:
        return scores
    gathered: Tensor = _Gathered.apply(scores, fabric.global_rank, fabric.world_size)  # type: ignore[no-untyped-call]
    return gathered


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, number: int, count: int) -> Tensor:
        ctx.place = slice(number * len(scores), (number + 1) * len(scores)), count
        scores = scores.contiguous()
        parts = [torch.empty_like(scores) for _ in range(count)]
        with _talking():
            distributed.all_gather(parts, scores)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        # All processes compute the same loss, and the mean over them divides by their count.
        own, count = ctx.place
        return gradient[own] * count, None, None


def dealt(fabric: Fabric, items: Sequence[Item]) -> Sequence[Item]:
    """Return this process's items of all, dealt out like cards."""
    return items[fabric.global_rank :: fabric.world_size]


def collected(fabric: Fabric, mine: list[Item], count: int) -> list[Item]:
    """Return what was made of all `count` items that `dealt` had given out, in their order."""
    if fabric.world_size == 1:
        return mine
    hands: list[Any] = [None] * fabric.world_size
    with _talking():
        distributed.all_gather_object(hands, mine)
    return [hands[number % len(hands)][number // len(hands)] for number in range(count)]


def average_gradients(fabric: Fabric, parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes.

    Gradients that FSDP spread over the processes are their mean already.
    """
    if fabric.world_size == 1:
        return
    found = [p.grad for p in parameters if p.grad is not None and not isinstance(p.grad, DTensor)]
    if not found:
        return
    flat = torch.cat([gradient.flatten() for gradient in found])
    with _talking():
        distributed.all_reduce(flat)
    flat /= fabric.world_size
    for gradient, mean in zip(found, flat.split([g.numel() for g in found]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


@torch.no_grad()
def as_in_first(fabric: Fabric, tensors: Iterable[Tensor]) -> None:
    """Give all processes the values that the first one has.

    Start values are equal on equal processors; statistics of batch norm are not equal.
    """
    if fabric.world_size == 1:
        return
    with _talking():
        for tensor in tensors:
            same = tensor.detach().contiguous()
            distributed.broadcast(same, 0)
            tensor.copy_(same)


@contextlib.contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcess(
            "another process of this run has ended (its own message says why); the same command "
            "goes on from the last saved state."
        ) from error
