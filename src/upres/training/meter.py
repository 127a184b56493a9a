"""Speed, waiting and mean losses between two lines of the journal."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from upres.training.state import Sums
from upres.training.step import Found, Judgement

_NOTHING = Sums()


class Meter:
    """Adds up what steps found; `summary` gives the means since the last one and starts anew.

    so_far: what a stopped run had added up (`sums`) when it was saved.
    """

    def __init__(self, batch: int, so_far: Sums = _NOTHING) -> None:
        self.seconds: list[float] = []  # of each step's work since the program started
        self._batch = batch
        self._start_anew(so_far)

    def _start_anew(self, so_far: Sums) -> None:
        self._waited = self._worked = 0.0
        self._timed = 0  # steps that this program did itself
        self._steps = so_far.steps
        self._sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for group, values in so_far.values.items():
            self._sums[group].update(values)
        self._shares = dict(so_far.shares)

    @property
    def sums(self) -> Sums:
        """What was added up since the last summary."""
        values = {group: dict(sums) for group, sums in self._sums.items()}
        return Sums(steps=self._steps, values=values, shares=self._shares)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - began)
        self._worked += self.seconds[-1]

    def add(self, found: Found, judgement: Judgement | None) -> None:
        self._steps += 1
        self._timed += 1
        groups: dict[str, dict[str, float]] = {
            "terms": dict(found.terms),
            "weighted": dict(found.weighted),
        }
        if judgement is not None:
            groups["discriminator"] = vars(judgement)
        for group, values in groups.items():
            for name, value in values.items():
                self._sums[group][name] += value
        if found.gradient_shares:
            self._shares = dict(found.gradient_shares)

    def summary(self, *, steps_left: int | None) -> dict[str, Any]:
        """Return the means since the last summary as fields of a `step` event."""
        steps, timed = max(1, self._steps), max(1, self._timed)
        elapsed = self._waited + self._worked
        means = {
            group: {name: total / steps for name, total in sums.items()}
            for group, sums in self._sums.items()
        }
        fields: dict[str, Any] = {
            "images_per_second": round(timed * self._batch / max(elapsed, 1e-9), 2),
            "data_wait_share": round(self._waited / max(elapsed, 1e-9), 4),
            "seconds_left": None if steps_left is None else round(steps_left * elapsed / timed, 1),
            "total": sum(means.get("weighted", {}).values()),
            **means,
        }
        if self._shares:
            fields["gradient_shares"] = self._shares
        self._start_anew(_NOTHING)
        return fields
