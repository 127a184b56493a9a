"""Thirty runs that are killed at random moments, and one killed at every file that a run writes.

The contract test tests/contract/test_resume.py has a few of both.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from killing import Death, assert_same_run, drawn_campaign, killed
from upres.data.store import Store
from upres.recipes.schema import Recipe
from upres.training.train import Needs, train

RUNS = 30
FILES = 40  # a few more than the toy recipe writes: then the run just ends

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked processes"),
]


@pytest.fixture(scope="module")
def unbroken(
    toy_recipe: Recipe,
    toy_store: Store,
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    train(toy_recipe, toy_store, folder, needs=untrained_needs(toy_recipe), facts={})
    return folder


def test_thirty_runs_that_are_killed_at_random_moments_end_as_an_unbroken_one(
    toy_recipe: Recipe, toy_store: Store, unbroken: Path, tmp_path: Path
) -> None:
    found = killed(toy_recipe, toy_store, tmp_path, drawn_campaign(RUNS, seed=11))
    assert len(found) == RUNS
    for run, ended in found:
        assert ended[-1] == 0
        assert -9 in ended
        assert_same_run(run, unbroken)
    deaths = [status for _, ended in found for status in ended].count(-9)
    assert deaths > 2 * RUNS  # of three in each; the third may come when the run is over


@pytest.mark.parametrize("place", ["half", "unnamed", "named"])
def test_a_run_that_is_killed_at_any_file_ends_as_an_unbroken_one(
    place: str, toy_recipe: Recipe, toy_store: Store, unbroken: Path, tmp_path: Path
) -> None:
    campaign: list[list[Death]] = [[f"{place} {number}"] for number in range(1, FILES + 1)]
    found = killed(toy_recipe, toy_store, tmp_path, campaign)
    lives = [ended for _, ended in found]
    assert [-9, 0] in lives
    assert lives[-1] == [0, 0]  # all files of a run were reached
    for run, ended in found:
        assert ended in ([-9, 0], [0, 0]), run.name
        assert_same_run(run, unbroken)
