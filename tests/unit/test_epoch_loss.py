import math

import pytest

from upres.report.epoch_loss import epoch_loss_charts, epoch_means, total
from upres.report.run_log import DiscriminatorScores, StageLog, StepEvent, ValidationEvent


def stage(count: int, every: int, *, epoch_steps: float | None = 10.0) -> StageLog:
    steps = tuple(
        StepEvent(
            stage="gan",
            step=number * every,
            terms={"pixel": 9.0},
            weighted={"pixel": 1.0, "adversarial": 0.5},
            discriminator=DiscriminatorScores(loss=0.25),
        )
        for number in range(1, count + 1)
    )
    last = count * every
    epoch = None if epoch_steps is None else last / epoch_steps
    validation = ValidationEvent(stage="gan", step=last, epoch=epoch)
    return StageLog("gan", last, steps, (validation,))


def test_each_epoch_has_the_mean_of_its_steps():
    found = [(step, float(step)) for step in range(1, 21)]
    assert epoch_means(found, 10) == [(1, 5.5), (2, 15.5)]


def test_what_is_not_finite_leaves_no_mark():
    assert epoch_means([(1, math.nan), (2, 3.0), (11, math.inf)], 10) == [(1, 3.0)]


def test_epochs_taken_together_stand_at_their_last():
    found = [(step, 1.0 if step <= 20 else 2.0) for step in range(1, 41)]
    assert epoch_means(found, 10, 2) == [(2, 1.0), (4, 2.0)]


def test_an_epoch_may_end_between_two_steps():
    # an epoch has 2.5 steps: the first ends within step 3
    assert epoch_means([(step, float(step)) for step in range(1, 6)], 2.5) == [(1, 1.5), (2, 4.0)]


def test_the_loss_is_the_weighted_sum():
    assert total(StepEvent(stage="s", step=1, weighted={"a": 1.0, "b": 0.5})) == 1.5
    assert math.isnan(total(StepEvent(stage="s", step=1, terms={"a": 1.0})))


def test_both_players_are_drawn():
    (chart,) = epoch_loss_charts(stage(40, 1))
    assert "generator" in chart.svg and "discriminator" in chart.svg
    assert "mean of an epoch's logged steps" in chart.caption


def test_rare_log_lines_are_gathered_over_epochs():
    # a line every 10 steps is one an epoch; five of them make a point
    (chart,) = epoch_loss_charts(stage(40, 10))
    assert "the logged steps of 5 epochs" in chart.caption


@pytest.mark.parametrize("found", [stage(40, 1, epoch_steps=None), stage(20, 1), stage(0, 1)])
def test_without_epochs_there_is_nothing_to_draw(found):
    assert epoch_loss_charts(found) == []
