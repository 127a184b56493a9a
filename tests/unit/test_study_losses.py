"""A study of the toy recipe: what it trains, what it shares, and how it goes on."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from killing import assert_same_run, weights
from upres.data.store import Store
from upres.errors import BadRun, Interrupted
from upres.evaluation.judge import Evaluation
from upres.processes.devices import ALONE
from upres.recipes.schema import Recipe
from upres.recipes.text import changed, from_yaml
from upres.studies.losses import Outcome, Study, Told, run_study
from upres.studies.page import write_page
from upres.studies.points import points, shared_stages, vary
from upres.training.journal import Event, read_events
from upres.training.train import Needs, train

ADVERSARIAL = "stages.gan.losses.adversarial.weight"
WEIGHTS = f"{ADVERSARIAL}=0.005,0.5"
Make = Callable[..., Study]
MakeIn = Callable[..., Study]


class Finished(NamedTuple):
    study: Study
    outcome: Outcome
    events: list[Event]


@pytest.fixture(scope="module")
def make_in(
    toy_recipe: Recipe, toy_store: Store, untrained_needs: Callable[[Recipe], Needs]
) -> MakeIn:
    """Return a study of the toy recipe in a folder."""

    def made(out: Path, *varied: str, **changes: object) -> Study:
        dotted = {name.replace("__", "."): value for name, value in changes.items()}
        recipe = changed(toy_recipe, dotted)
        parts = vary(recipe, varied or [WEIGHTS])
        asked = tuple(points(recipe, parts, "one-at-a-time"))
        shared = shared_stages(recipe, parts)
        return Study(asked, shared, toy_store, out, untrained_needs, ALONE, {})

    return made


@pytest.fixture
def make(make_in: MakeIn, tmp_path: Path) -> Make:
    """Return a study of the toy recipe in a folder of its own."""
    return partial(make_in, tmp_path / "study")


@pytest.fixture(scope="module")
def finished(make_in: MakeIn, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A study that came to its end, its events and what came out. Not to be changed."""
    study = make_in(tmp_path_factory.mktemp("finished") / "study")
    events: list[Event] = []
    return Finished(study, run_study(study, Told(listener=events.append)), events)


def trained_steps(events: list[Event]) -> list[tuple[str, int]]:
    """Stage and number of the logged steps, in the order in which they were trained."""
    return [(event["stage"], event["step"]) for event in events if event["event"] == "step"]


def test_each_point_is_the_run_that_it_would_be_alone(
    finished: Finished,
    toy_store: Store,
    untrained_needs: Callable[[Recipe], Needs],
    tmp_path: Path,
) -> None:
    study, outcome, events = finished
    ends = [step for step in trained_steps(events) if step[1] == 6]
    assert ends == [("pixel", 6), ("gan", 6), ("gan", 6), ("gan", 6)]
    assert [row.model for row in outcome.evaluation.rows] == [
        "bicubic",
        "stage pixel",
        "recipe",
        "adversarial=0.005",
        "adversarial=0.5",
    ]
    assert outcome.failed == {}
    assert len({row.metrics["psnr_y"] for row in outcome.evaluation.rows}) == 5
    point = study.points[2]
    alone = tmp_path / "alone"
    train(point.recipe, toy_store, alone, needs=untrained_needs(point.recipe), facts={})
    folder = study.out / "adversarial=0.5"
    theirs, ours = weights(alone), weights(folder)
    # the shared stage's files say in their headers whose they are: the recipe's
    assert {n: b for n, b in ours.items() if not n.startswith("pixel/")} == {
        n: b for n, b in theirs.items() if not n.startswith("pixel/")
    }
    assert trained_steps(read_events(folder / "metrics.jsonl")) == trained_steps(
        read_events(alone / "metrics.jsonl")
    )


def test_what_is_finished_is_neither_trained_nor_judged_again(
    make: Make, finished: Finished
) -> None:
    study = make()
    shutil.copytree(finished.study.out, study.out)
    stamps = {path: path.stat().st_mtime_ns for path in study.out.rglob("*") if path.is_file()}
    events: list[Event] = []
    longer = make(f"{ADVERSARIAL}=0.005,0.5,1")
    again = run_study(longer, Told(listener=events.append))
    assert [step for step in trained_steps(events) if step[1] == 6] == [("gan", 6)]
    assert again.evaluation.rows[:5] == finished.outcome.evaluation.rows
    assert again.evaluation.rows[5].model == "adversarial=1"
    changed_files = {
        path.relative_to(study.out).parts[0]
        for path, stamp in stamps.items()
        if path.stat().st_mtime_ns != stamp
    }
    assert changed_files <= {"evaluation.json", "pictures"}


def test_a_stopped_study_says_how_far_it_is_and_goes_on_to_the_same_end(make: Make) -> None:
    study = make()
    steps = 0

    def count(event: Event) -> None:
        nonlocal steps
        steps += event["event"] == "step" and event["stage"] == "gan"

    with pytest.raises(Interrupted, match=r"1 of 3 points are done; .* the same command goes on"):
        run_study(study, Told(listener=count, should_stop=lambda: steps > 4))
    assert (study.out / "adversarial=0.005" / "gan" / "state.safetensors").exists()
    assert not (study.out / "adversarial=0.5").exists()
    stopped = run_study(study, Told())
    whole = replace(study, out=study.out.with_name("whole"))
    assert run_study(whole, Told()).evaluation == stopped.evaluation
    for point in study.points:
        assert_same_run(study.folder(point), whole.folder(point))


def test_a_study_can_be_stopped_while_it_judges(make: Make) -> None:
    study = make()
    asked = [False]

    def stop_at_the_end(event: Event) -> None:
        asked[0] = event["event"] == "validation" and (event["stage"], event["step"]) == ("gan", 6)

    with pytest.raises(Interrupted, match="stopped while recipe was judged"):
        run_study(study, Told(listener=stop_at_the_end, should_stop=lambda: asked[0]))
    assert (study.out / "recipe" / "model.safetensors").exists()


def test_minutes_are_measured_once_and_all_points_train_as_many_steps(make: Make) -> None:
    study = make(f"{ADVERSARIAL}=0.5", budget__minutes=0.003, validation__every=50, save_every=50)
    run_study(study, Told())
    first, other = (study.folder(point) for point in study.points)
    recipe = from_yaml((other / "recipe.yaml").read_text(), name="other")
    assert recipe.budget.minutes is None
    given = {name: stage.steps for name, stage in recipe.stages.items()}
    assert min(given.values()) >= 50  # so many are timed
    for folder in (first, other):
        steps = trained_steps(read_events(folder / "metrics.jsonl"))
        assert {stage: max(n for s, n in steps if s == stage) for stage in given} == given


def test_a_point_that_diverges_is_listed_and_the_others_go_on(make: Make) -> None:
    rate = "stages.gan.optimiser.rate"
    study = make(f"{rate}=1e30", f"{ADVERSARIAL}=0.5")
    outcome = run_study(study, Told())
    assert list(outcome.failed) == ["optimiser.rate=1e+30"]
    assert "loss is nan at step" in outcome.failed["optimiser.rate=1e+30"]
    assert outcome.evaluation.rows[-1].model == "adversarial=0.5"


def test_another_recipe_in_the_folder_is_refused_and_stays(
    make_in: MakeIn, finished: Finished
) -> None:
    out = finished.study.out
    before = weights(out)
    with pytest.raises(BadRun, match=r"batch was 2, now 1"):
        run_study(make_in(out, batch=1), Told())
    assert weights(out) == before


def test_what_is_no_run_in_a_points_place_is_refused_and_stays(make: Make) -> None:
    study = make()
    folder = study.out / "adversarial=0.5"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("words")
    with pytest.raises(BadRun, match=r"adversarial=0\.5 is no run but holds thesis\.txt"):
        run_study(study, Told())
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_fork_that_was_killed_half_way_is_completed(make: Make) -> None:
    study = make()
    half = study.out / "adversarial=0.5"
    (half / "pixel").mkdir(parents=True)
    (half / "pixel" / "model.safetensors").write_bytes(b"half")
    (half / "run.json").write_text("{}")
    run_study(study, Told())
    copied, original = (study.out / name / "pixel" for name in (half.name, "recipe"))
    assert weights(copied) == weights(original)


def test_where_no_stage_can_be_shared_each_point_trains_all(make: Make) -> None:
    study = make("stages.pixel.optimiser.rate=x10")
    events: list[Event] = []
    outcome = run_study(study, Told(listener=events.append))
    ends = [step for step in trained_steps(events) if step[1] == 6]
    assert ends == 2 * [("pixel", 6), ("gan", 6)]
    names = [row.model for row in outcome.evaluation.rows]
    assert names == ["bicubic", "recipe", "pixel.optimiser.rate=0.005"]


def test_the_page_and_the_evaluation_hold_every_point(finished: Finished) -> None:
    study, outcome, _ = finished
    parts = vary(study.points[0].recipe, [WEIGHTS])
    page = write_page(study, parts, outcome, "upres study-losses tiny")
    text = page.read_text(encoding="utf-8")
    for words in (
        "PSNR-Y against adversarial",
        "SSIM-Y against adversarial",
        f"adversarial: {ADVERSARIAL}",
        "Shares of the generator",
        "stage pixel",
        "upres study-losses tiny",
    ):
        assert words in text, words
    assert text.count("http://www.w3.org") == text.count("http")  # nothing is fetched
    written = json.loads((study.out / "evaluation.json").read_text())
    assert Evaluation.model_validate(written) == outcome.evaluation
    rows = {folder.name for folder in (study.out / "pictures" / "test").iterdir()}
    assert {"bicubic", "stage pixel", "recipe", "adversarial=0.5"} <= rows


def test_shared_weights_are_stored_once(finished: Finished) -> None:
    study = finished.study
    files = [study.folder(p) / "pixel" / "state.safetensors" for p in study.points]
    if os.name == "posix":
        assert len({path.stat().st_ino for path in files}) == 1
