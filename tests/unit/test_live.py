"""What the live line says, without a terminal: plain lines on stderr."""

from typing import Any

import pytest

from upres.cli import live
from upres.cli.live import LiveLine

Event = dict[str, Any]
STAGE: Event = {
    "event": "stage",
    "stage": "gan",
    "steps": 900,
    "minutes": None,
    "from_step": 0,
    "batch": 8,
    "photos": 6,
}
VERDICT: Event = {
    "event": "verdict",
    "stage": "gan",
    "step": 500,
    "kind": "discriminator-won",
    "text": "discriminator has won: accuracy 1.00",
    "fields": ["stages.gan.balance.accuracy_band", "stages.gan.balance.r1"],
    "state": "begins",
}


def step(number: int, **more: Any) -> Event:
    return {
        "event": "step",
        "stage": "gan",
        "step": number,
        "rate": 1e-4,
        "images_per_second": 12.3,
        "data_wait_share": 0.01,
        "seconds_left": 50.0,
        "terms": {"pixel": 0.02},
        **more,
    }


@pytest.fixture
def shown(monkeypatch, capsys):
    """Show events with time between them; return the lines of stderr."""
    now = iter(range(100, 10_000, 100))
    monkeypatch.setattr(live.time, "monotonic", lambda: next(now))

    def show(*events: Event, quiet: bool = False) -> list[str]:
        with LiveLine(quiet=quiet) as line:
            line._console.width = 1000
            for event in events:
                line.show(event)
        err: str = capsys.readouterr().err
        return err.splitlines()

    return show


def test_a_verdict_is_kept_when_it_begins_and_when_it_ends(shown):
    ends = {**VERDICT, "step": 700, "state": "ends"}
    assert shown(STAGE, VERDICT, ends)[1:] == [
        "gan step 500: discriminator has won: accuracy 1.00; what changes it: "
        "stages.gan.balance.accuracy_band, stages.gan.balance.r1",
        "gan step 700: over: discriminator-won",
    ]


def test_the_line_names_what_stands_and_what_the_discriminator_pulls(shown):
    judged = {"loss": 0.0004, "accuracy": 1.0, "real": 9.0, "fake": -9.0}
    look = {"gradient_shares": {"pixel": 0.997, "adversarial": 0.003}}
    lines = shown(
        STAGE,
        step(480, discriminator=judged),
        step(500, discriminator=judged, watch=look),
        VERDICT,
        step(520, discriminator=judged),
        {**VERDICT, "state": "ends"},
        step(540, discriminator=judged),
    )
    steps = [line for line in lines if "images/s" in line]
    assert steps[0] == (
        "gan 480/900  12 images/s  data wait 1%  50 s left  pixel 0.0200  "
        "D loss 0.000 accuracy 1.00  rate 1.0e-04"
    )
    assert "accuracy 1.00  adversarial pull 0.3%  rate" in steps[1] and "[" not in steps[1]
    assert steps[2].startswith("gan 520/900  [discriminator-won]  12 images/s")
    assert "pull 0.3%" in steps[2]  # the last that was measured
    assert "[" not in steps[3]


def test_a_stage_begins_with_nothing_of_the_one_before(shown):
    later = {**STAGE, "stage": "second"}
    lines = shown(STAGE, VERDICT, later, step(10, discriminator={"loss": 1.0, "accuracy": 0.5}))
    assert "[" not in lines[-1] and "pull" not in lines[-1]


def test_a_stage_without_discriminator_says_nothing_of_one(shown):
    assert "D loss" not in shown(STAGE, step(10, watch={"gradient_norm": 1.0}))[-1]
    assert "D loss" not in shown(STAGE, step(10, discriminator={}))[-1]


def test_quiet_says_nothing(shown):
    assert shown(STAGE, VERDICT, step(10), quiet=True) == []
