"""Curves of the watch: which there are, and what they need."""

from typing import Any

from upres.report.curves import run_charts
from upres.report.drawing import style
from upres.report.loss_curves import BAND, discriminator_charts, loss_charts
from upres.report.run_log import DiscriminatorScores, Look, RunLog, StageLog, StepEvent
from upres.report.watch_curves import watch_charts, weight_charts

FULL = Look(
    gradient_shares={"pixel": 0.4, "adversarial": 0.6},
    gradient_norm=1e-3,
    ema_distance=0.02,
    high_frequency=0.4,
    grid=0.01,
)


def stage(*looks: Look | None, band: tuple[float, float] | None = None, **more: Any) -> StageLog:
    steps = tuple(
        StepEvent(
            stage="gan",
            step=100 * number,
            terms={"pixel": 0.1, "adversarial": 1.0},
            watch=look,
            **{name: values[number] for name, values in more.items()},
        )
        for number, look in enumerate(looks)
    )
    return StageLog("gan", 300, steps, (), accuracy_band=band)


def test_each_measured_number_has_its_curve() -> None:
    assert [chart.title for chart in watch_charts(stage(FULL, None, FULL))] == [
        "Fine detail",
        "Pattern of the LR grid",
        "Distance of the average",
        "Gradient at the output",
    ]
    assert [chart.title for chart in watch_charts(stage(Look(grid=0.1), None))] == [
        "Pattern of the LR grid"
    ]
    assert watch_charts(stage(None, None)) == []


def test_shares_come_from_the_watch_and_from_old_logs_alike() -> None:
    old = stage(None, None, gradient_shares=[{"pixel": 0.4, "adversarial": 0.6}, {}])
    new = stage(FULL, None)
    ours, theirs = ([c for c in loss_charts(s) if "gradient" in c.title] for s in (new, old))
    assert ours == theirs and len(ours) == 1


def test_weights_are_drawn_where_they_change() -> None:
    still = [{"pixel": 1.0, "adversarial": 0.001}] * 2
    assert weight_charts(stage(None, None, weights=still)) == []
    raised = [still[0], {"pixel": 1.0, "adversarial": 0.05}]
    assert [c.title for c in weight_charts(stage(None, None, weights=raised))] == [
        "Weights of the terms"
    ]


def test_updates_are_drawn_where_the_discriminator_waited() -> None:
    def titles(*updated: float) -> list[str]:
        scores = [DiscriminatorScores(updated=value) for value in updated]
        return [c.title for c in watch_charts(stage(*[None] * len(scores), discriminator=scores))]

    assert titles(1.0, 1.0) == []
    assert titles(1.0, 0.2) == ["Updates of the discriminator"]


def test_the_accuracy_has_its_band_where_one_is_set() -> None:
    scores = [DiscriminatorScores(accuracy=0.7, loss=1.0, real=0.1, fake=0.0)] * 2
    plain = discriminator_charts(stage(None, None, discriminator=scores))[0]
    banded = discriminator_charts(stage(None, None, band=(0.6, 0.9), discriminator=scores))[0]
    assert banded.caption == plain.caption + BAND
    assert ">band<" in banded.svg and ">band<" not in plain.svg


def test_the_page_groups_them_by_stage() -> None:
    run = RunLog(
        name="r",
        recipe="x",
        scale=4,
        stages=(stage(FULL, FULL),),
        facts=dict[str, Any](),
        unread_lines=0,
    )
    assert "Pictures and average, stage gan" in [group.title for group in run_charts(run)]


def test_thirty_lines_look_different() -> None:
    looks = {(look["color"], str(look["linestyle"])) for look in map(style, range(30))}
    assert len(looks) == 30
