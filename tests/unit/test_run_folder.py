"""A run's folder: what it holds, and which runs may go on in it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from upres.errors import BadRun, NoSpace
from upres.recipes import RECIPES
from upres.recipes.schema import Recipe
from upres.recipes.text import changed, from_yaml
from upres.training.run import open_run, read_facts, remember

FACTS = {"data_hash": "abc", "init_sha256": None, "command": "upres train"}


def recipe_in(folder: Path) -> Recipe:
    return from_yaml((folder / "recipe.yaml").read_text(encoding="utf-8"), name="recipe.yaml")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def begin(folder: Path, stage: str) -> None:
    (folder / stage).mkdir()
    (folder / stage / "state.safetensors").write_bytes(b"")


@pytest.fixture
def run(tmp_path: Path, toy_recipe: Recipe) -> Path:
    open_run(tmp_path / "run", toy_recipe, FACTS)
    return tmp_path / "run"


def test_a_new_run_says_what_it_is(run: Path, toy_recipe: Recipe) -> None:
    assert sorted(content(run)) == ["recipe.yaml", "run.json"]
    assert recipe_in(run) == toy_recipe
    facts = read_facts(run)
    assert {name: facts[name] for name in FACTS} == FACTS
    assert set(facts) - set(FACTS) == {"versions", "commit", "machine"}
    assert set(facts["versions"]) == {"upres", "python", "torch", "numpy"}


def test_a_folder_that_is_there_and_empty_is_taken(tmp_path: Path, toy_recipe: Recipe) -> None:
    open_run(tmp_path, toy_recipe, FACTS)
    assert recipe_in(tmp_path) == toy_recipe


def test_the_same_run_goes_on_and_nothing_is_rewritten(run: Path, toy_recipe: Recipe) -> None:
    before = content(run)
    open_run(run, toy_recipe, {**FACTS, "command": "upres train --quiet"})
    assert content(run) == before


def test_what_became_known_later_is_kept_with_the_rest(run: Path) -> None:
    remember(run, compile_trial={"chosen": False})
    facts = read_facts(run)
    assert facts["compile_trial"] == {"chosen": False}
    assert facts["command"] == "upres train"


# --- another run


def test_other_values_are_listed_field_by_field(run: Path, toy_recipe: Recipe) -> None:
    before = content(run)
    other = changed(toy_recipe, {"batch": 4, "stages.gan.losses.content.weight": 0.5, "seed": 1})
    with pytest.raises(BadRun) as caught:
        open_run(run, other, FACTS)
    assert str(caught.value) == (
        f"{run} holds another run (batch was 2, now 4; "
        "stages.gan.losses.content.weight was 0.1, now 0.5; seed was 0, now 1): "
        "give --out another folder, or the values that it was started with."
    )
    assert content(run) == before


def test_another_recipe_is_another_run(run: Path) -> None:
    with pytest.raises(BadRun, match=r"holds another run .*name was 'tiny', now 'srcnn'"):
        open_run(run, RECIPES["srcnn"], FACTS)


@pytest.mark.parametrize(
    ("fact", "what"), [("data_hash", "other photos"), ("init_sha256", "other --init")]
)
def test_other_photos_and_other_first_weights_are_refused(
    run: Path, toy_recipe: Recipe, fact: str, what: str
) -> None:
    with pytest.raises(BadRun, match=rf"a run with {what} \({fact} was .*, now xyz\)"):
        open_run(run, toy_recipe, {**FACTS, fact: "xyz"})


def test_a_folder_with_something_else_is_refused_and_stays(
    tmp_path: Path, toy_recipe: Recipe
) -> None:
    (tmp_path / "thesis.txt").write_text("words")
    with pytest.raises(BadRun, match="is not empty and holds no run"):
        open_run(tmp_path, toy_recipe, FACTS)
    assert content(tmp_path) == {"thesis.txt": b"words"}


def test_another_programs_run_json_is_something_else(tmp_path: Path, toy_recipe: Recipe) -> None:
    (tmp_path / "run.json").write_text('{"versions": {"marathon": 2}}')
    with pytest.raises(BadRun, match="is not empty and holds no run"):
        open_run(tmp_path, toy_recipe, FACTS)


def test_a_damaged_run_json_is_refused(run: Path, toy_recipe: Recipe) -> None:
    (run / "run.json").write_text('{"data_hash": "ab')
    with pytest.raises(BadRun, match=r"has no readable run.json"):
        open_run(run, toy_recipe, FACTS)


@pytest.mark.parametrize("below", [False, True])
def test_a_file_in_the_place_of_the_folder_is_one_sentence(
    tmp_path: Path, toy_recipe: Recipe, below: bool
) -> None:
    (tmp_path / "file").write_text("words")
    out = tmp_path / "file" / "run" if below else tmp_path / "file"
    with pytest.raises(NoSpace, match="could not be written: a part of its path is a file"):
        open_run(out, toy_recipe, FACTS)
    assert (tmp_path / "file").read_text() == "words"


# --- what a killed process leaves


def test_a_run_that_was_killed_before_its_recipe_was_written_starts_anew(
    run: Path, toy_recipe: Recipe
) -> None:
    (run / "recipe.yaml").unlink()
    (run / ".recipe.0123abcd.part.yaml").write_text("name: ti")
    open_run(run, toy_recipe, FACTS)
    assert sorted(content(run)) == ["recipe.yaml", "run.json"]


def test_half_written_files_of_a_killed_process_are_removed(run: Path, toy_recipe: Recipe) -> None:
    begin(run, "pixel")
    half = run / "pixel" / ".state.0123abcd.part.safetensors"
    half.write_bytes(b"half")
    notes = run / "pixel" / ".notes.part.txt"
    notes.write_text("somebody's own")
    open_run(run, toy_recipe, FACTS)
    assert not half.exists()
    assert notes.exists()


# --- longer and shorter


def test_a_longer_stage_extends_the_run(run: Path, toy_recipe: Recipe) -> None:
    begin(run, "pixel")
    longer = changed(toy_recipe, {"stages.pixel.steps": 8, "stages.gan.steps": 9})
    open_run(run, longer, FACTS)
    assert recipe_in(run) == longer


def test_a_shorter_stage_is_refused(run: Path, toy_recipe: Recipe) -> None:
    shorter = changed(toy_recipe, {"stages.pixel.steps": 5})
    with pytest.raises(BadRun, match=r"a longer run: stages.pixel.steps was 6, now 5"):
        open_run(run, shorter, FACTS)
    assert recipe_in(run) == toy_recipe


def test_another_unit_of_length_is_refused(run: Path, toy_recipe: Recipe) -> None:
    epochs = changed(toy_recipe, {"stages.pixel.epochs": 100})
    with pytest.raises(BadRun, match=r"stages.pixel.* keep its unit"):
        open_run(run, epochs, FACTS)


def test_a_stage_whose_result_is_in_use_is_not_extended(run: Path, toy_recipe: Recipe) -> None:
    begin(run, "pixel")
    begin(run, "gan")
    longer = changed(toy_recipe, {"stages.pixel.steps": 8})
    with pytest.raises(BadRun, match=r"stages.pixel.steps cannot grow from 6 to 8 .* gan has"):
        open_run(run, longer, FACTS)
    assert recipe_in(run) == toy_recipe


def test_the_last_stage_is_extended_at_any_time(run: Path, toy_recipe: Recipe) -> None:
    begin(run, "pixel")
    begin(run, "gan")
    longer = changed(toy_recipe, {"stages.gan.steps": 8})
    open_run(run, longer, FACTS)
    assert recipe_in(run) == longer


@pytest.mark.parametrize("begun", [("pixel",), ("pixel", "gan")])
def test_a_budget_grows_until_the_second_stage_has_begun(
    tmp_path: Path, toy_recipe: Recipe, begun: tuple[str, ...]
) -> None:
    def budget(minutes: float) -> Recipe:
        changes: Mapping[str, object] = {"budget.minutes": minutes}
        return changed(toy_recipe, changes)

    open_run(tmp_path, budget(10.0), FACTS)
    for stage in begun:
        begin(tmp_path, stage)
    if begun == ("pixel",):
        open_run(tmp_path, budget(20.0), FACTS)
        assert recipe_in(tmp_path) == budget(20.0)
        return
    with pytest.raises(BadRun, match=r"budget.minutes cannot grow from 10.0 to 20.0"):
        open_run(tmp_path, budget(20.0), FACTS)


def test_machine_and_processor_are_words_for_people(run: Path) -> None:
    machine = json.loads((run / "run.json").read_text())["machine"]
    assert set(machine) == {"system", "processor", "threads", "capability"}
    assert machine["threads"] >= 1
