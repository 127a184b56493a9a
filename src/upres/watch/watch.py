"""The watch on a training: verdicts in words about the last steps, from the journal's events alone.

Nothing here is kept anywhere but in the journal: what stands is what the journal says has begun and
not ended, so a resumed run goes on with the verdicts of an unbroken one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from upres.recipes.stages import GanStage, PixelStage
from upres.watch.verdicts import IMPLIED, RULES, Window

Event = dict[str, Any]  # a line of metrics.jsonl

WINDOW = 500  # steps that a verdict looks back on, and at least ...
SHORTEST = 50
WINDOW_SHARE = 5  # ... or in a short stage the fifth part of it
LEAST = 3  # lines of the journal; fewer make no mean
_FROM_LINE = ("loss", "accuracy", "gap", "updated")
_FROM_LOOK = ("gradient_norm", "ema_distance", "high_frequency", "grid")


@dataclass(frozen=True)
class Verdict:
    """What goes wrong: a name, a sentence with its numbers, the recipe's fields to change."""

    kind: str
    text: str
    fields: tuple[str, ...]


class Watch:
    """Sees every event of a stage as it is written and says which verdicts begin and end.

    so_far: the journal's events, of a run that goes on. Older steps than verdicts need are
    forgotten.
    """

    def __init__(
        self, name: str, stage: PixelStage | GanStage, so_far: Iterable[Event] = ()
    ) -> None:
        self._name, self._stage = name, stage
        self._events: list[Event] = [event for event in so_far if event.get("stage") == name]
        self._limit = 0
        self._forget()

    @property
    def standing(self) -> tuple[Verdict, ...]:
        """The verdicts that have begun and not ended."""
        return standing(self._events, self._name)

    def see(self, event: Event) -> tuple[Event, ...]:
        """Return the verdict events, to be written after `event`, that it brings about."""
        if event.get("stage") != self._name:
            return ()
        self._events.append(event)
        if event.get("event") != "step":
            return ()
        before = self.standing
        now = verdicts(self._events, self._name, self._stage)
        news = changes(before, now, stage=self._name, step=event["step"])
        self._events += news
        if len(self._events) > self._limit:
            self._forget()
        return news

    def _forget(self) -> None:
        steps = [event for event in self._events if _is_step(event)]
        if steps:
            begin = steps[-1]["step"] - window_steps(self._events, self._stage)
            looks = [event for event in steps if _look(event)]
            recent = sum(event["step"] > begin for event in looks)
            kept = {id(event) for event in steps[-LEAST:]}
            kept |= {id(event) for event in looks[-2 * max(LEAST, recent) :]}
            kept |= {id(event) for event in steps if event["step"] > begin}
            self._events = [e for e in self._events if not _is_step(e) or id(e) in kept]
        self._limit = 2 * len(self._events) + 100


def verdicts(
    events: Sequence[Event], name: str, stage: PixelStage | GanStage
) -> tuple[Verdict, ...]:
    """Return what the last steps of stage `name` say, most telling first; empty if all is well.

    events: a journal's, in order, at least as far back as two windows. Its verdict events say
    what stood before, for a verdict ends later than it begins.
    """
    window = _window(events, name, stage)
    if window is None:
        return ()
    stood = {verdict.kind for verdict in standing(events, name)}
    found = {kind: rule(window, stage, kind in stood) for kind, rule in RULES.items()}
    told = {kind for kind, finding in found.items() if finding is not None}
    return tuple(
        Verdict(kind, finding[0], tuple(f"stages.{name}.{field}" for field in finding[1]))
        for kind, finding in found.items()
        if finding is not None and not told & set(IMPLIED.get(kind, ()))
    )


def standing(events: Iterable[Event], name: str) -> tuple[Verdict, ...]:
    """Return the verdicts that the journal says have begun in stage `name` and not ended."""
    now: dict[str, Verdict] = {}
    for event in events:
        if event.get("event") != "verdict" or event.get("stage") != name:
            continue
        now.pop(event["kind"], None)
        if event["state"] == "begins":
            now[event["kind"]] = Verdict(event["kind"], event["text"], tuple(event["fields"]))
    return tuple(now.values())


def changes(
    before: Iterable[Verdict], now: Iterable[Verdict], *, stage: str, step: int
) -> tuple[Event, ...]:
    """Return the journal's events for verdicts that ended (first) and that began."""
    was, is_ = ({verdict.kind: verdict for verdict in some} for some in (before, now))
    ended = [(verdict, "ends") for kind, verdict in was.items() if kind not in is_]
    begun = [(verdict, "begins") for kind, verdict in is_.items() if kind not in was]
    return tuple(
        {
            "event": "verdict",
            "stage": stage,
            "step": step,
            "kind": verdict.kind,
            "text": verdict.text,
            "fields": list(verdict.fields),
            "state": state,
        }
        for verdict, state in (*ended, *begun)
    )


def replayed(events: Iterable[Event], name: str, stage: PixelStage | GanStage) -> tuple[Event, ...]:
    """Return the verdict events that a watch would have written into a journal without any."""
    watch = Watch(name, stage)
    seen = (event for event in events if event.get("event") != "verdict")
    return tuple(news for event in seen for news in watch.see(event))


def window_steps(events: Iterable[Event], stage: PixelStage | GanStage) -> int:
    """Return how many steps verdicts look back on: 500, fewer where the stage is short."""
    length = stage.steps
    for event in events:
        if event.get("event") in ("stage", "planned") and event.get("steps"):
            length = event["steps"]
    return WINDOW if length is None else max(SHORTEST, min(WINDOW, length // WINDOW_SHARE))


def _window(events: Sequence[Event], name: str, stage: PixelStage | GanStage) -> Window | None:
    begin = stage.balance.generator_only_steps if isinstance(stage, GanStage) else 0
    mine = [event for event in events if event.get("stage") == name]
    size = window_steps(mine, stage)
    steps = [event for event in mine if _is_step(event) and event["step"] > begin]
    if not steps or steps[-1]["step"] - begin < size:
        return None
    since = steps[-1]["step"] - size
    lines = _recent([_line(event) for event in steps if event.get("discriminator")], since)
    looked = [_look(event) for event in steps if _look(event)]
    looks = _recent(looked, since)
    earlier = looked[-2 * len(looks) : -len(looks)] if len(looked) >= 2 * len(looks) > 0 else []
    shares = [look["gradient_shares"] for look in looks if look.get("gradient_shares")]
    terms = dict.fromkeys(term for share in shares for term in share)
    means = {term: _mean([share.get(term) for share in shares]) for term in terms}
    before = {key: _mean([look.get(key) for look in earlier]) for key in _FROM_LOOK}
    return Window(
        steps=_span(lines, steps[-1]["step"], size),
        looked_steps=_span(looks, steps[-1]["step"], size),
        **{key: _mean([line.get(key) for line in lines]) for key in _FROM_LINE},
        **{key: _mean([look.get(key) for look in looks]) for key in _FROM_LOOK},
        shares={term: mean for term, mean in means.items() if mean is not None},
        earlier_high_frequency=before["high_frequency"],
        earlier_grid=before["grid"],
        earlier_adversarial=_mean(
            [(look.get("gradient_shares") or {}).get("adversarial") for look in earlier]
        ),
    )


def _is_step(event: Event) -> bool:
    return event.get("event") == "step"


def _line(event: Event) -> dict[str, Any]:
    """The discriminator's numbers of a step, with the gap of its scores."""
    judged = event["discriminator"]
    real, fake = judged.get("real"), judged.get("fake")
    gap = None if real is None or fake is None else real - fake
    return {**judged, "gap": gap, "step": event["step"]}


def _look(event: Event) -> dict[str, Any]:
    """What the watch measured at a step; journals of upres 0.1 have the shares alone."""
    look = event.get("watch") or {}
    if not look and event.get("gradient_shares"):
        look = {"gradient_shares": event["gradient_shares"]}
    return {**look, "step": event["step"]} if look else {}


def _recent(lines: list[dict[str, Any]], since: int) -> list[dict[str, Any]]:
    """Those after a step, at least the last few; none where there are too few."""
    count = max(LEAST, sum(line["step"] > since for line in lines))
    return lines[-count:] if len(lines) >= LEAST else []


def _span(lines: list[dict[str, Any]], now: int, size: int) -> int:
    return max(size, now - int(lines[0]["step"])) if lines else size


def _mean(values: Iterable[Any]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None
