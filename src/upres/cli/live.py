"""The live line of a training: what the journal's events look like on a terminal."""

import sys
import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

_QUIET_SECONDS = 20.0  # between plain lines where there is no terminal


class LiveLine:
    """Shows step events in one line that is drawn over, and keeps validations above it.

    Verdicts of the watch are kept too, when they begin and when they end; between that the line
    names them. Without a terminal, a plain line is printed now and then.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._shown = 0.0
        self._steps: int | None = None
        self._share: float | None = None  # the adversarial term's of the gradient, last measured
        self._verdicts: dict[str, None] = {}  # kinds that stand, in the order they began

    def __enter__(self) -> "LiveLine":
        if not self._quiet and sys.stderr.isatty():
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: dict[str, Any]) -> None:
        """Show one event of the journal."""
        if self._quiet:
            return
        match event["event"]:
            case "stage":
                self._steps, self._share, self._verdicts = event["steps"], None, {}
                self.note(_opening(event))
            case "planned":
                self._steps = event["steps"]
                self.note(f"{event['stage']}: {event['steps']} steps fit into its time")
            case "step":
                shares = (event.get("watch") or {}).get("gradient_shares") or {}
                self._share = shares.get("adversarial", self._share)
                self._draw(_step(event, self._steps, self._share, self._verdicts))
            case "verdict":
                self._verdicts.pop(event["kind"], None)
                if event["state"] == "begins":
                    self._verdicts[event["kind"]] = None
                self.note(_verdict(event))
            case "validation":
                self.note(_validation(event))

    def note(self, line: str) -> None:
        """Keep a line above the live one."""
        self._console.print(line, soft_wrap=True, markup=False)

    def _draw(self, line: str) -> None:
        if self._live is not None:
            self._live.update(Text(line, overflow="ellipsis", no_wrap=True), refresh=True)
        elif time.monotonic() - self._shown > _QUIET_SECONDS:
            self._shown = time.monotonic()
            self.note(line)


def duration(seconds: float) -> str:
    """Return seconds as people say them: 48 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def _opening(event: dict[str, Any]) -> str:
    length = f"{event['steps']} steps" if event["steps"] else f"{event['minutes']:g} minutes"
    begun = f", going on from step {event['from_step']}" if event["from_step"] else ""
    return (
        f"stage {event['stage']}: {length} of {event['batch']} patches "
        f"from {event['photos']} photos{begun}"
    )


def _step(
    event: dict[str, Any], steps: int | None, share: float | None, verdicts: Iterable[str]
) -> str:
    parts = [f"{event['stage']} {event['step']}{f'/{steps}' if steps else ''}"]
    parts += [f"[{kind}]" for kind in verdicts]
    parts.append(f"{event['images_per_second']:.0f} images/s")
    parts.append(f"data wait {event['data_wait_share']:.0%}")
    if event["seconds_left"] is not None:
        parts.append(f"{duration(event['seconds_left'])} left")
    parts += [f"{name} {value:.4f}" for name, value in event["terms"].items()]
    if event.get("discriminator"):
        judged = event["discriminator"]
        parts.append(f"D loss {judged['loss']:.3f} accuracy {judged['accuracy']:.2f}")
        if share is not None:
            parts.append(f"adversarial pull {share:.1%}")
    parts.append(f"rate {event['rate']:.1e}")
    return "  ".join(parts)


def _verdict(event: dict[str, Any]) -> str:
    where = f"{event['stage']} step {event['step']}"
    if event["state"] == "ends":
        return f"{where}: over: {event['kind']}"
    return f"{where}: {event['text']}; what changes it: {', '.join(event['fields'])}"


def _validation(event: dict[str, Any]) -> str:
    metrics = "  ".join(f"{name} {value:.4f}" for name, value in event["metrics"].items())
    best = f"  best {', '.join(event['best'])}" if event["best"] else ""
    return f"{event['stage']} step {event['step']}: {metrics}  ({event['protocol']}){best}"
