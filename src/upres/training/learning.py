"""How a player learns from one batch: in parts one after another, and in processes beside it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from upres.processes.scaling import no_scaler
from upres.processes.together import average_gradients, means


@dataclass(frozen=True)
class Player:
    """A network that learns: its call under the run's precision, and its optimiser.

    module: the network itself, which computes in float32 when it is called.
    parts: a batch is seen in so many equal parts, whose gradients are added up before it steps.
    """

    network: Callable[[Tensor], Tensor]
    module: nn.Module
    optimiser: Optimizer
    clip_norm: float | None = None
    scaler: GradScaler = field(default_factory=no_scaler)
    parts: int = 1


def parts_of(player: Player, *pictures: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield the parts of this process's share of a batch, one after another."""
    if player.parts == 1:
        return iter([pictures])
    return zip(*(picture.chunk(player.parts) for picture in pictures), strict=True)


def mean_of(fabric: Fabric, found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each value over the parts of the batch, and over the processes."""
    sums: dict[str, float] = defaultdict(float)
    for values in found:
        for name, value in values.items():
            sums[name] += value
    return means(fabric, {name: total / len(found) for name, total in sums.items()})


def add_gradients(fabric: Fabric, player: Player, loss: Tensor) -> None:
    """Add the gradients of one part, of which `loss` is the mean."""
    fabric.backward(player.scaler.scale(loss / player.parts))


def step(fabric: Fabric, player: Player) -> None:
    """Move the player by the gradients of all parts and processes."""
    average_gradients(fabric, player.module.parameters())
    player.scaler.unscale_(player.optimiser)
    if player.clip_norm is not None:
        nn.utils.clip_grad_norm_(player.module.parameters(), player.clip_norm)
    player.scaler.step(player.optimiser)
    player.scaler.update()
