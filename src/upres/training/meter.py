"""Speed, waiting and mean losses between two lines of the journal."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
        self._totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for group, totals in so_far.totals.items():
            self._totals[group].update(totals)
            self._counts[group].update(so_far.counts[group])
        self._watched = dict(so_far.watched)

    @property
    def sums(self) -> Sums:
        """What was added up since the last summary."""
        totals = {group: dict(values) for group, values in self._totals.items()}
        counts = {group: dict(values) for group, values in self._counts.items()}
        return Sums(totals=totals, counts=counts, watched=self._watched)

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

    def add(
        self, found: Found, judgements: Sequence[Judgement], watched: Mapping[str, Any]
    ) -> None:
        """Add one step: what the players found, and what the watch saw if it looked."""
        self._timed += 1
        groups = [
            ("terms", found.terms),
            ("weights", found.weights),
            ("weighted", found.weighted),
            *(("discriminator", vars(judgement)) for judgement in judgements),
        ]
        for group, values in groups:
            for name, value in values.items():
                self._totals[group][name] += value
                self._counts[group][name] += 1
        if watched:
            self._watched = dict(watched)

    def summary(self, *, steps_left: int | None) -> dict[str, Any]:
        """Return the means since the last summary as fields of a `step` event."""
        timed = max(1, self._timed)
        elapsed = self._waited + self._worked
        means = {
            group: {name: total / self._counts[group][name] for name, total in totals.items()}
            for group, totals in self._totals.items()
        }
        fields: dict[str, Any] = {
            "images_per_second": round(timed * self._batch / max(elapsed, 1e-9), 2),
            "data_wait_share": round(self._waited / max(elapsed, 1e-9), 4),
            "seconds_left": None if steps_left is None else round(steps_left * elapsed / timed, 1),
            "total": sum(means.get("weighted", {}).values()),
            **means,
        }
        if self._watched:
            fields["watch"] = self._watched
        self._start_anew(_NOTHING)
        return fields
