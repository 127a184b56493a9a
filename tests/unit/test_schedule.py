"""The learning rate over a stage."""

import pytest

from upres.recipes.schedules import Constant, Cosine, Milestones
from upres.training.schedule import Moment, rate_factor


def test_cosine_starts_at_the_rate_and_ends_at_its_final_share() -> None:
    cosine = Cosine(final=0.1)
    assert rate_factor(cosine, Moment(0, 101)) == 1.0
    assert rate_factor(cosine, Moment(50, 101)) == pytest.approx(0.55)
    assert rate_factor(cosine, Moment(100, 101)) == pytest.approx(0.1)


def test_a_step_past_the_end_keeps_the_last_value() -> None:
    assert rate_factor(Cosine(final=0.1), Moment(500, 101)) == pytest.approx(0.1)


def test_warm_up_rises_in_even_steps_to_the_full_rate() -> None:
    warm = [rate_factor(Constant(warmup_steps=4), Moment(step, 100)) for step in range(6)]
    assert warm == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_milestones_count_steps() -> None:
    halved = Milestones(at=(2, 4), factor=0.5)
    assert [rate_factor(halved, Moment(s, 10)) for s in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_while_the_length_is_unknown_only_the_warm_up_acts() -> None:
    assert rate_factor(Cosine(warmup_steps=2), Moment(0, None)) == 0.5
    assert rate_factor(Cosine(warmup_steps=2), Moment(40, None)) == 1.0
