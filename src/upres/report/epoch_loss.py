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

FEWEST_EPOCHS = 3  # fewer make no line

CAPTION = "The weighted sum that is minimised; each point is the mean of an epoch's logged steps."


def epoch_loss_charts(stage: StageLog) -> list[Chart]:
    """The loss of generator and discriminator by epoch, where the log knows what an epoch is."""
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
    means = {name: epoch_means(found, length) for name, found in players.items()}
    means = {name: found for name, found in means.items() if len(found) >= FEWEST_EPOCHS}
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

    return [draw("Loss of each epoch", paint, caption=CAPTION)]


def total(event: StepEvent) -> float:
    """The weighted sum of a step's terms; nan where the log has no weighted terms."""
    return math.fsum(event.weighted.values()) if event.weighted else math.nan


def epoch_means(found: Sequence[tuple[int, float]], length: float) -> list[tuple[int, float]]:
    """(epoch from 1, mean of its finite values) of (step, value); epochs without any are left out.

    length: steps of one epoch; step 1 is the first of epoch 1.
    """
    epochs: dict[int, list[float]] = {}
    for step, value in found:
        if math.isfinite(value):
            epochs.setdefault(math.ceil(max(1, step) / length - 1e-9), []).append(value)
    return [(epoch, math.fsum(values) / len(values)) for epoch, values in sorted(epochs.items())]
