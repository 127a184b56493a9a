"""The time axis of a run's charts: epochs where the log knows them, else steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from upres.report.drawing import INK, steps_axis
from upres.report.run_log import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST_EPOCHS = 3.0  # below that an epoch is too coarse a unit


@dataclass(frozen=True)
class Clock:
    """Stages one after another, in units of `unit` ("epoch" or "step").

    starts: where each stage begins. lengths: steps of one unit in each stage. borders: where the
    stages that have begun begin, without the first.
    """

    unit: str
    starts: Mapping[str, float]
    lengths: Mapping[str, float]
    borders: tuple[float, ...]

    def place(self, stage: str, step: int) -> float:
        """Where that step of a stage lies on the axis."""
        return self.starts[stage] + step / self.lengths[stage]

    def places(self, stage: str, steps: Sequence[int]) -> list[float]:
        """The same of several steps."""
        return [self.place(stage, step) for step in steps]

    def words(self, stage: str, step: int) -> str:
        """The moment in words, counted within its stage: "stage gan, epoch 79 (step 5,846)"."""
        if self.unit == "step":
            return f"stage {stage}, step {step:,}"
        return f"stage {stage}, epoch {step / self.lengths[stage]:.3g} (step {step:,})"

    def dress(self, axes: "Axes") -> None:
        """Name the axis and mark where stages change."""
        for border in self.borders:
            axes.axvline(border, color=INK, linewidth=0.8, alpha=0.5, linestyle=":")
        words = f"{self.unit}, stages one after another" if self.borders else self.unit
        steps_axis(axes, words)


def clock_of(run: RunLog) -> Clock:
    """Epochs, if there are enough and every stage that began tells their length; else steps."""
    begun = [stage for stage in run.stages if stage.last_step]
    lengths = {stage.name: stage.epoch_steps for stage in begun}
    known = {name: length for name, length in lengths.items() if length is not None}
    epochs = sum(stage.last_step / known[stage.name] for stage in begun if stage.name in known)
    if len(known) < len(begun) or epochs < FEWEST_EPOCHS:
        return steps_of(run)
    return _clock(run, "epoch", known)


def steps_of(run: RunLog) -> Clock:
    """The clock that counts steps."""
    return _clock(run, "step", {})


def _clock(run: RunLog, unit: str, lengths: Mapping[str, float]) -> Clock:
    whole = {stage.name: lengths.get(stage.name, 1.0) for stage in run.stages}
    spans = [stage.last_step / whole[stage.name] for stage in run.stages]
    starts = dict(zip(whole, accumulate(spans, initial=0.0), strict=False))
    begun = [stage.name for stage in run.stages if stage.last_step]
    return Clock(unit, starts, whole, tuple(starts[name] for name in begun[1:]))
