"""Speed, waiting and means between two lines of the journal."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest
import torch

from upres.training.meter import Meter
from upres.training.state import Sums
from upres.training.step import Found, Judgement

SR = torch.zeros(1)
NOTHING: Mapping[str, float] = {}


def found(pixel: float, content: float) -> Found:
    terms = {"pixel": pixel, "content": content}
    weights = {"pixel": 1.0, "content": 0.5}
    return Found(SR, terms, weights, {"pixel": pixel, "content": 0.5 * content})


def one_step(
    meter: Meter, what: Found, *judgements: Judgement, watched: Mapping[str, float] = NOTHING
) -> None:
    with meter.waiting():
        pass
    with meter.working():
        pass
    meter.add(what, judgements, watched)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait takes one second and every step's work three."""

    def ticks() -> Iterator[float]:
        now = 0.0
        while True:
            for pause in (0, 1, 0, 3):
                now += pause
                yield now

    now = ticks()
    counter = SimpleNamespace(perf_counter=lambda: next(now))
    monkeypatch.setattr("upres.training.meter.time", counter)


@pytest.mark.usefixtures("clock")
def test_speed_waiting_and_time_left_are_of_the_steps_since_the_last_line() -> None:
    meter = Meter(batch=4)
    for _ in range(2):
        one_step(meter, found(1, 1))
    fields = meter.summary(steps_left=10)
    assert fields["images_per_second"] == 2 * 4 / 8
    assert fields["data_wait_share"] == 2 / 8
    assert fields["seconds_left"] == 10 * 8 / 2
    assert meter.seconds == [3.0, 3.0]  # all of them stay: a stage's length is measured by them
    one_step(meter, found(1, 1))
    assert meter.summary(steps_left=None)["images_per_second"] == 4 / 4
    assert meter.seconds == [3.0, 3.0, 3.0]


def test_terms_are_means_of_steps_and_start_anew_after_a_line() -> None:
    meter = Meter(batch=1)
    one_step(meter, found(1.0, 4.0))
    one_step(meter, found(3.0, 8.0))
    fields = meter.summary(steps_left=None)
    assert fields["terms"] == {"pixel": 2.0, "content": 6.0}
    assert fields["weighted"] == {"pixel": 2.0, "content": 3.0}
    assert fields["total"] == 5.0
    assert fields["seconds_left"] is None
    assert "discriminator" not in fields
    one_step(meter, found(7.0, 0.0))
    assert meter.summary(steps_left=None)["terms"] == {"pixel": 7.0, "content": 0.0}


def test_what_the_discriminator_found_is_a_mean_too() -> None:
    meter = Meter(batch=1)
    one_step(meter, found(1, 1), Judgement(1.0, 0.5, 2.0, -1.0, 1.0))
    one_step(meter, found(1, 1), Judgement(2.0, 1.0, 4.0, -2.0, 0.0))
    judged = meter.summary(steps_left=None)["discriminator"]
    assert judged == {"loss": 1.5, "accuracy": 0.75, "real": 3.0, "fake": -1.5, "updated": 0.5}


def test_what_the_watch_saw_is_on_the_line_after_it_looked_and_on_no_other() -> None:
    meter = Meter(batch=1)
    one_step(meter, found(1, 1), watched={"grid": 0.25})
    one_step(meter, found(1, 1))
    assert meter.summary(steps_left=1)["watch"] == {"grid": 0.25}
    one_step(meter, found(1, 1))
    assert "watch" not in meter.summary(steps_left=1)


def test_a_term_that_acts_only_at_times_is_a_mean_of_those_times() -> None:
    meter = Meter(batch=1)
    one_step(meter, Found(SR, {"pixel": 1.0}, {"pixel": 1.0}, {"pixel": 1.0}))
    one_step(meter, found(3.0, 8.0), Judgement(1.0, 0.5, 2.0, -1.0, 1.0))
    fields = meter.summary(steps_left=None)
    assert fields["terms"] == {"pixel": 2.0, "content": 8.0}
    assert fields["discriminator"]["accuracy"] == 0.5


def test_a_summary_of_no_steps_is_no_error() -> None:
    fields = Meter(batch=1).summary(steps_left=5)
    assert fields["images_per_second"] >= 0
    assert fields["total"] == 0


def test_a_resumed_run_writes_the_means_of_an_unbroken_one() -> None:
    judgement = Judgement(loss=0.1 + 0.2, accuracy=0.5, real=1.0, fake=-1.0, updated=1.0)
    steps = [found(0.1, 0.7), found(0.3, 0.9), found(0.2, 0.1)]
    unbroken, stopped = Meter(batch=2), Meter(batch=2)
    for number, what in enumerate(steps):
        one_step(unbroken, what, judgement, watched={} if number else {"grid": 0.5})
    for number, what in enumerate(steps[:2]):
        one_step(stopped, what, judgement, watched={} if number else {"grid": 0.5})
    kept = Sums.model_validate_json(stopped.sums.model_dump_json())
    resumed = Meter(2, kept)
    one_step(resumed, steps[2], judgement)
    ours, expected = (meter.summary(steps_left=None) for meter in (resumed, unbroken))
    for name in ("terms", "weighted", "total", "discriminator", "weights", "watch"):
        assert ours[name] == expected[name], name


@pytest.mark.usefixtures("clock")
def test_speed_is_of_the_steps_that_this_program_did_itself() -> None:
    meter = Meter(4, Sums(totals={"terms": {"pixel": 9.0}}, counts={"terms": {"pixel": 9}}))
    one_step(meter, found(1, 1))
    fields = meter.summary(steps_left=10)
    assert fields["images_per_second"] == 4 / 4
    assert fields["seconds_left"] == 10 * 4
    assert fields["terms"] == {"pixel": 1.0, "content": 1.0}
