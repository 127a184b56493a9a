"""The watch's verdicts on made-up journals that imitate both papers, and its memory."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from upres.recipes import RECIPES
from upres.recipes.stages import GanStage, PixelStage, Stage
from upres.recipes.text import changed
from upres.training.journal import Event
from upres.watch.verdicts import RULES
from upres.watch.watch import Verdict, Watch, changes, replayed, standing, verdicts

HEALTHY = {"loss": 0.6, "accuracy": 0.85, "real": 1.5, "fake": -1.2, "updated": 1.0}
LOOK = {
    "gradient_shares": {"pixel": 0.2, "content": 0.6, "adversarial": 0.2},
    "gradient_norm": 2e-3,
    "ema_distance": 0.02,
    "high_frequency": 0.9,
    "grid": 0.002,
}


def gan(**values: Any) -> GanStage:
    """`usrgan`'s second stage with some fields changed; of 10,000 steps."""
    values = {"steps": 10_000, **values}
    fields = {f"stages.gan.{name.replace('__', '.')}": value for name, value in values.items()}
    stage = changed(RECIPES["usrgan"], fields).stages["gan"]
    assert isinstance(stage, GanStage)
    return stage


def pixel() -> PixelStage:
    stage = changed(RECIPES["usrgan"], {"stages.pixel.steps": 10_000}).stages["pixel"]
    assert isinstance(stage, PixelStage)
    return stage


def line(step: int, judged: Event | None = None, look: Event | None = None, **more: Any) -> Event:
    """A step's event; a look every 100 steps where one is given."""
    event: Event = {"event": "step", "stage": "gan", "step": step, **more}
    event["discriminator"] = {**HEALTHY, **(judged or {})}
    if look is not None and step % 100 == 0:
        event["watch"] = {**LOOK, **look}
    return event


def journal(steps: Iterable[int], judged: Event | None = None, **look: Any) -> list[Event]:
    return [line(step, judged, look) for step in steps]


def shares(adversarial: float, content: float | None = None) -> dict[str, float]:
    """The rest is the pixel term's."""
    content = 0.75 * (1 - adversarial) if content is None else content
    rest = max(0.0, 1 - adversarial - content)
    return {"pixel": rest, "content": content, "adversarial": adversarial}


def kinds(found: Iterable[Verdict]) -> list[str]:
    return [verdict.kind for verdict in found]


def said(judged: Event | None = None, stage: Stage | None = None, **look: Any) -> list[str]:
    return kinds(
        verdicts(journal(range(20, 1001, 20), judged, **look), "gan", stage or gan(ema=0.999))
    )


PAPER_A = {"loss": 0.0002, "accuracy": 1.0, "real": 9.0, "fake": -9.0}
# content 98 % of 7.8, adversarial term 15 at weight 0.005: D(fake) = e^-15 (facts/recipes.md 2.9)
PAPER_B = {"loss": 1e-4, "accuracy": 1.0, "real": 12.0, "fake": -15.0}


def test_a_healthy_stage_gets_no_verdict() -> None:
    assert said() == []
    assert said({"accuracy": 0.97, "loss": 0.2}) == []


def test_paper_a_has_won_and_the_share_is_told() -> None:
    events = journal(range(20, 1001, 20), PAPER_A, gradient_shares=shares(0.003))
    stage = gan(
        discriminator__norm="batch",
        losses__adversarial__weight=1e-3,
    )
    (verdict,) = verdicts(events, "gan", stage)
    assert verdict.kind == "discriminator-won"
    assert verdict.text == (
        "discriminator has won: accuracy 1.00 and loss 0.0002 for 500 steps, "
        "adversarial share of the gradient 0.3 %"
    )
    assert verdict.fields == (
        "stages.gan.balance.accuracy_band",
        "stages.gan.balance.r1",
        "stages.gan.losses.adversarial.label_smoothing",
        "stages.gan.discriminator.norm",
        "stages.gan.discriminator_optimiser.rate",
        "stages.gan.balance.adaptive",
        "stages.gan.losses.adversarial.weight",
    )


def test_paper_a_raised_to_fifty_times_the_weight_has_still_won_and_is_not_told_to_raise() -> None:
    before = journal(range(20, 1001, 20), PAPER_A, gradient_shares=shares(0.02))
    after = journal(range(1020, 2001, 20), PAPER_A, gradient_shares=shares(0.5))
    (verdict,) = verdicts(before + after, "gan", gan())
    assert verdict.text.endswith("for 500 steps, adversarial share of the gradient 50 %")
    assert "stages.gan.losses.adversarial.weight" not in verdict.fields


def test_paper_b_has_won_and_content_does_it_all() -> None:
    events = journal(range(20, 1001, 20), PAPER_B, gradient_shares=shares(0.005, 0.985))
    won, alone = verdicts(events, "gan", gan())
    assert won.kind == "discriminator-won"
    assert "accuracy 1.00 and loss 0.0001 for 500 steps" in won.text
    assert alone.text == (
        "one term does it all: content 98 % of the gradient, pixel 1.0 %, adversarial 0.5 % "
        "(mean of 500 steps)"
    )
    assert alone.fields == (
        "stages.gan.losses.content.weight",
        "stages.gan.losses.pixel.weight",
        "stages.gan.losses.adversarial.weight",
        "stages.gan.balance.adaptive",
    )


GUESSING = {"loss": 1.386, "accuracy": 0.51, "real": -0.004, "fake": -0.006}


@pytest.mark.parametrize(
    ("judged", "look", "kind", "holds"),
    [
        ({"accuracy": 0.991, "loss": 0.04}, {}, "discriminator-won", True),
        ({"accuracy": 0.985, "loss": 0.04}, {}, "discriminator-won", False),
        ({"accuracy": 1.0, "loss": 0.06}, {}, "discriminator-won", False),
        ({"accuracy": 1.0, "loss": 0.06}, {"shares": shares(0.019)}, "discriminator-won", True),
        ({"accuracy": 1.0, "loss": 0.06}, {"shares": shares(0.021)}, "discriminator-won", False),
        (GUESSING, {"shares": shares(0.04)}, "discriminator-guesses", True),
        (GUESSING, {"shares": shares(0.06)}, "discriminator-guesses", False),
        ({**GUESSING, "accuracy": 0.56}, {"shares": shares(0)}, "discriminator-guesses", False),
        ({**GUESSING, "accuracy": 0.44}, {"shares": shares(0)}, "discriminator-guesses", False),
        ({**GUESSING, "real": 0.2}, {"shares": shares(0)}, "discriminator-guesses", False),
        ({}, {"shares": shares(0.91)}, "adversarial-drowns", True),
        ({}, {"shares": shares(0.89)}, "adversarial-drowns", False),
        ({}, {"shares": shares(0.009)}, "adversarial-idle", True),
        ({}, {"shares": shares(0.011)}, "adversarial-idle", False),
        ({}, {"shares": shares(0.005, 0.981)}, "one-term", True),
        ({}, {"shares": shares(0.005, 0.979)}, "one-term", False),
        ({}, {"gradient_norm": 9e-8}, "generator-still", True),
        ({}, {"gradient_norm": 1.1e-7}, "generator-still", False),
        ({}, {"high_frequency": 1.31}, "detail-invented", True),
        ({}, {"high_frequency": 1.29}, "detail-invented", False),
        ({}, {"grid": 0.11}, "grid", True),
        ({}, {"grid": 0.09}, "grid", False),  # as it always was: not rising
        ({}, {"ema_distance": 0.21}, "average-far", True),
        ({}, {"ema_distance": 0.19}, "average-far", False),
    ],
)
def test_both_sides_of_each_limit(judged: Event, look: Event, kind: str, holds: bool) -> None:
    look = {("gradient_shares" if key == "shares" else key): value for key, value in look.items()}
    assert (kind in said(judged, **look)) is holds


@pytest.mark.parametrize(("updated", "holds"), [(0.01, True), (0.03, False)])
def test_a_discriminator_outside_its_band_rests(updated: float, holds: bool) -> None:
    stage = gan(balance__accuracy_band=[0.6, 0.8])
    events = journal(range(20, 1001, 20), {"updated": updated})
    found = verdicts(events, "gan", stage)
    assert kinds(found) == (["discriminator-rests"] if holds else [])
    assert said({"updated": 0.0}) == []  # without a band it is not the band
    if holds:
        assert found[0].text == (
            "discriminator rests: updated in 1.0 % of 500 steps, accuracy 0.85 against a band of "
            "0.6 to 0.8"
        )


def test_rise_and_fall_are_against_the_window_before() -> None:
    def after(first: Event, then: Event) -> list[Verdict]:
        events = journal(range(20, 1001, 20), **first) + journal(range(1020, 1501, 20), **then)
        return list(verdicts(events, "gan", gan()))

    (rising,) = after({"grid": 0.01}, {"grid": 0.06})
    assert rising.text == (
        "checkerboard energy rising: 6.0 % of the fine detail repeats with the LR grid, "
        "1.0 % before (mean of 500 steps)"
    )
    assert rising.fields == (
        "stages.gan.losses.content.jitter",
        "stages.gan.losses.adversarial.weight",
        "stages.gan.losses.pixel.weight",
    )
    assert after({"grid": 0.05}, {"grid": 0.06}) == []
    assert after({"grid": 0.001}, {"grid": 0.029}) == []
    assert kinds(after({"grid": -0.01}, {"grid": 0.031})) == ["grid"]
    (falling,) = after({"high_frequency": 0.6}, {"high_frequency": 0.47})
    assert falling.text == (
        "fine detail is falling: 0.47 of the originals' energy, 0.60 before (mean of 500 steps)"
    )
    assert after({"high_frequency": 0.6}, {"high_frequency": 0.49}) == []
    assert after({"high_frequency": 1.29}, {"high_frequency": 1.01}) == []  # back to the photos'


def test_a_pixel_stage_has_no_discriminator_to_judge() -> None:
    stage = pixel()
    look = {**LOOK, "gradient_shares": {"pixel": 1.0}, "high_frequency": 0.1}
    events = [
        {"event": "step", "stage": "pixel", "step": step, "watch": look}
        for step in range(100, 1001, 100)
    ]
    assert verdicts(events, "pixel", stage) == ()
    for event in events:
        event["watch"] = {**look, "high_frequency": 2.0, "gradient_norm": 0.0}
    still, invented = verdicts(events, "pixel", stage)
    assert still.text.startswith("no term moves the generator: gradient at its output 0 ")
    assert still.fields == ("stages.pixel.losses.pixel.weight",)
    assert invented.fields == ("stages.pixel.optimiser.rate", "stages.pixel.ema")


@pytest.mark.parametrize("kind", list(RULES))
def test_every_field_that_a_verdict_names_is_in_the_recipe(kind: str) -> None:
    look = {
        "discriminator-won": (PAPER_A, {"gradient_shares": shares(0.01)}),
        "discriminator-guesses": (GUESSING, {"gradient_shares": shares(0.0)}),
        "discriminator-rests": ({"updated": 0.0}, {}),
        "adversarial-drowns": ({}, {"gradient_shares": shares(0.95)}),
        "adversarial-idle": ({}, {"gradient_shares": shares(0.001)}),
        "one-term": ({}, {"gradient_shares": shares(0.001, 0.99)}),
        "generator-still": ({}, {"gradient_norm": 0.0}),
        "detail-invented": ({}, {"high_frequency": 3.0}),
        "grid": ({}, {"grid": 0.5}),
        "average-far": ({}, {"ema_distance": 0.5}),
    }
    events = journal(range(20, 1001, 20))
    if kind == "detail-falling":
        events += journal(range(1020, 1501, 20), high_frequency=0.3)
    else:
        judged, seen = look[kind]
        events = journal(range(20, 1001, 20), judged, **seen)
    recipe = changed(
        RECIPES["usrgan"],
        {
            "stages.gan.steps": 10_000,
            "stages.gan.balance.accuracy_band": [0.6, 0.8],
            "stages.gan.balance.r1": 1.0,
            "stages.gan.losses.adversarial.form": "saturating",
        },
    )
    stage = recipe.stages["gan"]
    assert isinstance(stage, GanStage)
    found = {verdict.kind: verdict for verdict in verdicts(events, "gan", stage)}
    for name in found[kind].fields:
        value: Any = recipe
        for part in name.split("."):
            value = value[part] if isinstance(value, dict) else getattr(value, part)


def test_a_verdict_needs_a_whole_window_of_the_stage() -> None:
    assert verdicts(journal(range(20, 481, 20), PAPER_A), "gan", gan()) == ()
    assert kinds(verdicts(journal(range(20, 501, 20), PAPER_A), "gan", gan())) == [
        "discriminator-won"
    ]
    warm = gan(balance__generator_only_steps=300)
    assert verdicts(journal(range(20, 781, 20), PAPER_A), "gan", warm) == ()
    assert kinds(verdicts(journal(range(20, 801, 20), PAPER_A), "gan", warm)) == [
        "discriminator-won"
    ]
    assert verdicts([], "gan", gan()) == ()
    rare = journal(range(1000, 5001, 1000), PAPER_A)
    assert verdicts(rare, "gan", gan(balance__generator_only_steps=3000)) == ()


def test_a_short_stage_has_a_short_window() -> None:
    events = journal(range(10, 91, 10), PAPER_A)
    assert verdicts(events[:7], "gan", gan(steps=420)) == ()
    (verdict,) = verdicts(events, "gan", gan(steps=420))
    assert " for 84 steps" in verdict.text
    planned: Event = {"event": "planned", "stage": "gan", "step": 30, "steps": 420}
    timed = gan(steps=None, minutes=3)
    assert verdicts(events, "gan", timed) == ()
    assert kinds(verdicts([planned, *events], "gan", timed)) == ["discriminator-won"]


def test_rare_lines_reach_back_further_than_the_window() -> None:
    events = journal((1000, 2000), PAPER_A)
    assert verdicts(events, "gan", gan()) == ()
    (verdict,) = verdicts([*events, line(3000, PAPER_A)], "gan", gan())
    assert " for 2000 steps" in verdict.text


def test_other_stages_and_values_that_were_not_finite_are_passed_over() -> None:
    events = journal(range(20, 1001, 20), PAPER_A)
    other = [{**line(step), "stage": "pixel"} for step in range(20, 1001, 20)]
    events[-1]["discriminator"]["loss"] = None
    events[-2]["discriminator"]["loss"] = float("nan")
    (verdict,) = verdicts(events + other, "gan", gan())
    assert "accuracy 1.00 and loss 0.0002 for" in verdict.text


def test_a_share_that_was_not_measured_is_not_small() -> None:
    events = [line(step, {"accuracy": 1.0, "loss": 0.06}) for step in range(20, 1001, 20)]
    assert verdicts(events, "gan", gan()) == ()
    events = [line(step, PAPER_A) for step in range(20, 1001, 20)]
    (verdict,) = verdicts(events, "gan", gan())
    assert verdict.text.endswith("accuracy 1.00 and loss 0.0002 for 500 steps")


def test_journals_of_the_first_version_are_judged_by_what_they_have() -> None:
    events = [
        line(step, GUESSING, gradient_shares=shares(0.0, 0.997)) for step in range(50, 1001, 50)
    ]
    for event in events:
        del event["discriminator"]["updated"]
    assert kinds(verdicts(events, "gan", gan())) == ["discriminator-guesses", "one-term"]


def test_an_idle_term_is_told_after_two_windows() -> None:
    events = journal(range(20, 1001, 20))
    events += journal(range(1020, 2501, 20), gradient_shares=shares(0.003))
    (begins,) = replayed(events, "gan", gan())
    assert (begins["kind"], begins["step"]) == ("adversarial-idle", 2000)


def swaying(steps: Iterable[int]) -> list[Event]:
    """Accuracy sways about the limit, then falls for good."""
    return [
        line(
            step,
            {"accuracy": 1.0 - 0.02 * (step // 300 % 2) if step < 3000 else 0.8, "loss": 0.01},
            {},
        )
        for step in steps
    ]


def test_verdicts_do_not_flicker() -> None:
    events = replayed(swaying(range(20, 4001, 20)), "gan", gan())
    assert [(event["kind"], event["state"]) for event in events] == [
        ("discriminator-won", "begins"),
        ("discriminator-won", "ends"),
    ]
    assert events[1]["step"] > 3000


def unbroken() -> list[Event]:
    return (
        swaying(range(20, 4001, 20))
        + journal(range(4020, 5001, 20), GUESSING, gradient_shares=shares(0.0))
        + journal(range(5020, 6001, 20), grid=0.2, high_frequency=0.5)
        + journal(range(6020, 8001, 20))
    )


def test_a_resumed_watch_says_what_an_unbroken_one_says() -> None:
    whole = replayed(unbroken(), "gan", gan())
    # 24 lines 0.002 apart and one 2.7 apart have the mean 0.11; two of 25 have 0.218
    assert [(e["step"], e["kind"], e["state"]) for e in whole][2:4] == [
        (4500, "discriminator-guesses", "begins"),
        (5040, "discriminator-guesses", "ends"),
    ]
    assert {"grid", "detail-falling"} <= {event["kind"] for event in whole}
    for stop in (700, 3020, 4500, 5200, 6400):
        written: list[Event] = []
        watch = Watch("gan", gan())
        for event in unbroken():
            if event["step"] == stop:  # killed and started again, from the file
                watch = Watch("gan", gan(), json.loads(json.dumps(written)))
            written += [event, *watch.see(event)]
        assert tuple(e for e in written if e["event"] == "verdict") == whole


def test_what_is_forgotten_changes_no_verdict() -> None:
    steps = [
        {**event, "step": 10 * event["step"]} for event in unbroken()
    ]  # looks every 1000 steps: rarer than the window
    forgetting, remembering = Watch("gan", gan()), list[Event]()
    for event in steps:
        news = forgetting.see(event)
        remembering.append(event)
        before = standing(remembering, "gan")
        now = verdicts(remembering, "gan", gan())
        assert news == changes(before, now, stage="gan", step=event["step"])
        remembering += news
    assert len(forgetting._events) < 300 < len(remembering)
    assert forgetting.standing == standing(remembering, "gan")


def test_changes_are_events_of_the_journal() -> None:
    old = Verdict("grid", "text", ("a",))
    new = Verdict("one-term", "words", ("b", "c"))
    ends, begins = changes([old], [new], stage="gan", step=7)
    assert ends == {
        "event": "verdict",
        "stage": "gan",
        "step": 7,
        "kind": "grid",
        "text": "text",
        "fields": ["a"],
        "state": "ends",
    }
    assert (begins["kind"], begins["state"], begins["fields"]) == ("one-term", "begins", ["b", "c"])
    assert changes([old], [Verdict("grid", "other numbers", ("a",))], stage="gan", step=7) == ()
    assert standing([begins], "gan") == (new,)
    assert standing([begins], "pixel") == ()
