import json
from pathlib import Path

import pytest

from upres.recipes import RECIPES
from upres.recipes.text import changed, to_yaml
from upres.studies.lengths import as_long, lead_minutes, with_budget

TINY = RECIPES["tiny"]  # two stages


@pytest.mark.parametrize(
    ("shares", "points", "shared", "minutes"),
    [
        # in parts of 80 minutes: pixel once and 7 times gan is 8 parts, the first point has 2
        (None, 7, ("pixel",), 20.0),
        # nothing shared: each of 8 points has an eighth
        (None, 8, (), 10.0),
        # 3 + 1 parts for the first and 1 for each of 4 others: 8 parts, the first has 4
        ((3.0, 1.0), 5, ("pixel",), 40.0),
        (None, 1, ("pixel",), 80.0),
    ],
)
def test_a_studys_minutes_are_parted_by_what_each_point_trains(
    shares: tuple[float, float] | None, points: int, shared: tuple[str, ...], minutes: float
) -> None:
    recipe = changed(TINY, {"budget.minutes": 80.0, "budget.shares": shares})
    assert lead_minutes(recipe, points, shared) == pytest.approx(minutes)


def test_what_has_begun_keeps_its_minutes_and_that_is_said(tmp_path: Path) -> None:
    recipe = changed(TINY, {"budget.minutes": 80.0})
    notes: list[str] = []
    first = with_budget(recipe, tmp_path, 7, ("pixel",), notes.append)
    assert first.budget.minutes == pytest.approx(20.0)
    (tmp_path / "recipe.yaml").write_text(to_yaml(first))
    assert with_budget(recipe, tmp_path, 7, ("pixel",), notes.append) == first
    assert notes == []
    assert with_budget(recipe, tmp_path, 15, ("pixel",), notes.append) == first
    assert notes == [f"{tmp_path} has begun with 20 minutes: all points keep its length"]


def test_a_recipe_without_a_budget_stays_as_it_is(tmp_path: Path) -> None:
    assert with_budget(TINY, tmp_path, 7, ("pixel",), print) == TINY


def test_the_others_get_the_steps_of_the_first_where_that_has_minutes(tmp_path: Path) -> None:
    lead = changed(TINY, {"stages.gan.minutes": 5.0})
    events = [
        {"event": "validation", "stage": "pixel", "step": 1400},
        {"event": "validation", "stage": "gan", "step": 0},
        {"event": "validation", "stage": "gan", "step": 321},
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, events)))
    point = changed(lead, {"stages.gan.losses.adversarial.weight": 0.5})
    assert as_long(point, lead, tmp_path) == changed(point, {"stages.gan.steps": 321})
    timed = changed(TINY, {"budget.minutes": 9.0, "budget.shares": (1.0, 2.0)})
    wanted = {"budget.minutes": None, "stages.pixel.steps": 1400, "stages.gan.steps": 321}
    assert as_long(timed, timed, tmp_path) == changed(timed, wanted)
