"""The watch's verdicts of a stage as bars over its steps."""

from dataclasses import dataclass

from upres.report.run_log import StageLog, VerdictEvent


@dataclass(frozen=True)
class Bar:
    """A time in which a verdict stood; left and width in per cent of the time line."""

    begin: int
    end: int | None  # None: it stood when the log ended
    left: float
    width: float


@dataclass(frozen=True)
class VerdictRow:
    """One kind of verdict: its sentence when it last began, all its bars, what changes it."""

    kind: str
    text: str
    fields: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def when(self) -> str:
        """The bars in words."""
        ends = ["on" if bar.end is None else f"to {bar.end:,}" for bar in self.bars]
        spans = [f"{bar.begin:,} {end}" for bar, end in zip(self.bars, ends, strict=True)]
        return f"steps {', '.join(spans)}"


@dataclass(frozen=True)
class StageWatch:
    """All verdicts of a stage in the order in which they first began; `steps` end the line."""

    stage: str
    steps: int
    rows: tuple[VerdictRow, ...]


def stage_watch(stage: StageLog) -> StageWatch | None:
    """The verdicts of a stage; None where no watch looked, as in logs of upres 0.1."""
    if not stage.verdicts and not any(event.watch for event in stage.steps):
        return None
    steps = max([stage.last_step, *(event.step for event in stage.verdicts)])
    kinds = dict.fromkeys(event.kind for event in stage.verdicts)
    rows = [
        _row(kind, [event for event in stage.verdicts if event.kind == kind], steps)
        for kind in kinds
    ]
    return StageWatch(stage.name, steps, tuple(row for row in rows if row is not None))


def _row(kind: str, events: list[VerdictEvent], steps: int) -> VerdictRow | None:
    bars: list[Bar] = []
    begin: int | None = None
    for event in events:
        if event.state == "begins" and begin is None:
            begin = event.step
        elif event.state == "ends" and begin is not None:
            bars.append(_bar(begin, event.step, steps))
            begin = None
    if begin is not None:
        bars.append(_bar(begin, None, steps))
    begun = [event for event in events if event.state == "begins"]
    return VerdictRow(kind, begun[-1].text, begun[-1].fields, tuple(bars)) if begun else None


def _bar(begin: int, end: int | None, steps: int) -> Bar:
    whole, until = max(1, steps), steps if end is None else end
    return Bar(begin, end, 100 * begin / whole, 100 * (until - begin) / whole)
