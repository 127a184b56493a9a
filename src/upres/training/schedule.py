"""How the learning rate follows the step: pure functions of (schedule, step, steps)."""

import math

from torch.optim import Optimizer

from upres.recipes.schema import Constant, Cosine, Milestones


def rate_factor(schedule: Constant | Cosine | Milestones, step: int, steps: int | None) -> float:
    """Return what the rate is multiplied by for the optimiser step number `step` (from 0).

    steps: the stage's length; None while it is being timed, when only the warm-up acts.
    A step at or past the end keeps the last value.
    """
    warm = 1.0
    if schedule.warmup_steps and step < schedule.warmup_steps:
        warm = (step + 1) / schedule.warmup_steps
    if isinstance(schedule, Milestones):
        return warm * schedule.factor ** sum(step >= at for at in schedule.steps)
    if isinstance(schedule, Cosine) and steps is not None:
        progress = min(1.0, step / max(1, steps - 1))
        return warm * (
            schedule.final + (1 - schedule.final) * (1 + math.cos(math.pi * progress)) / 2
        )
    return warm


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Give all parameter groups this rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
