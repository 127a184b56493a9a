"""What the players of a stage minimised, as the mean of each epoch: the other half of paper A's
figures 2 to 5, whose first half, the loss of each step, is in `loss_curves`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from upres.report.drawing import Chart, draw, line, steps_axis, style
from upres.report.run_log import StageLog, StepEvent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST_POINTS = 3  # fewer make no line
FEWEST_STEPS = 5  # logged ones in each point's mean


def epoch_loss_charts(stage: StageLog) -> list[Chart]:
    """The loss of generator and discriminator by epoch, where the log knows what an epoch is.

    Where few steps were logged, several epochs make a point.
    """
    length = stage.epoch_steps
    if length is None:
        return []
    players = {
        "generator": [(event.step, total(event)) for event in stage.steps],
        "discriminator": [
            (event.step, event.discriminator.loss)
            for event in stage.steps
            if event.discriminator is not None and event.discriminator.loss is not None
        ],
    }
    logged = len(stage.steps) * length / max(1, stage.last_step)  # in an epoch
    together = max(1, math.ceil(FEWEST_STEPS / logged)) if logged else 1
    means = {name: epoch_means(found, length, together) for name, found in players.items()}
    means = {name: found for name, found in means.items() if len(found) >= FEWEST_POINTS}
    if not means:
        return []

    def paint(axes: "Axes") -> None:
        for index, (name, found) in enumerate(means.items()):
            epochs, values = [epoch for epoch, _ in found], [value for _, value in found]
            line(axes, epochs, values, label=name, **style(index))
        lowest = min(value for found in means.values() for _, value in found)
        highest = max(value for found in means.values() for _, value in found)
        if lowest > 0 and highest > 15 * lowest:
            axes.set_yscale("log")
        steps_axis(axes, "epoch")

    over = "an epoch's logged steps" if together == 1 else f"the logged steps of {together} epochs"
    caption = f"The weighted sum that is minimised; each point is the mean of {over}."
    return [draw("Loss by epoch", paint, caption=caption)]


def total(event: StepEvent) -> float:
    """The weighted sum of a step's terms; nan where the log has no weighted terms."""
    return math.fsum(event.weighted.values()) if event.weighted else math.nan


def epoch_means(
    found: Sequence[tuple[int, float]], length: float, together: int = 1
) -> list[tuple[int, float]]:
    """(epoch from 1, mean of its finite values) of (step, value); epochs without any are left out.

    length: steps of one epoch; step 1 is the first of epoch 1. together: epochs in one mean, which
    stands at the last of them.
    """
    epochs: dict[int, list[float]] = {}
    for step, value in found:
        if math.isfinite(value):
            group = math.ceil(max(1, step) / (length * together) - 1e-9)
            epochs.setdefault(group * together, []).append(value)
    return [(epoch, math.fsum(values) / len(values)) for epoch, values in sorted(epochs.items())]
