"""The processes of a command that shares out pictures: this one alone, or several."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from upres.evaluation.sharing import Hands
    from upres.processes.devices import Layout


@dataclass(frozen=True)
class Crew:
    """What one process knows of all.

    hands: how pictures are parted. speaks: whether it is the one that prints and writes tables.
    in_turn: runs an action in the first process and then in the others, which find what it made.
    """

    device: "torch.device"
    hands: "Hands"
    speaks: bool
    in_turn: Callable[[Callable[[], Any]], Any]


@contextlib.contextmanager
def crew(layout: "Layout") -> Iterator[Crew]:
    """Have the processes of `layout` beside this one; an error is told by the first alone.

    One process without CUDA does without Fabric, whose import takes seconds.
    """
    import torch

    from upres.errors import UpresError
    from upres.evaluation.sharing import ALONE, Hands

    if layout.count == 1 and layout.device != "cuda":
        yield Crew(torch.device(layout.device), ALONE, True, lambda action: action())
        return
    from upres.processes.fabric import fabric_for
    from upres.processes.launched import ToldByFirst
    from upres.processes.together import after_first, collected, dealt, launched

    fabric = fabric_for("float32", layout)
    with launched(fabric):
        hands = Hands(partial(dealt, fabric), partial(collected, fabric))
        speaks = fabric.is_global_zero
        try:
            yield Crew(fabric.device, hands, speaks, partial(after_first, fabric))
        except ToldByFirst:
            raise
        except KeyboardInterrupt:
            if speaks:
                raise
            # one that ends with another code than 0 has Fabric kill the first, before it is done
            raise ToldByFirst("stopped by Ctrl-C", 128 + signal.SIGINT) from None
        except UpresError as error:
            if speaks:
                raise
            raise ToldByFirst(str(error), error.exit_code) from error
