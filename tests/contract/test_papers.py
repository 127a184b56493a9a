"""docs/papers.md and docs/concepts/recipes.md say what the recipes have, and their commands run."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
import torch
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from upres.cli import main
from upres.errors import UpresError
from upres.losses.adversarial import ADVERSARIAL_PAIRS
from upres.networks.build import build_discriminator, build_generator, count_parameters
from upres.recipes import RECIPES, get_recipe, sources_of
from upres.recipes.schema import Recipe
from upres.recipes.stages import LENGTHS, Balance, GanStage
from upres.recipes.terms import GanLosses, PixelLosses
from upres.recipes.text import flattened, override, scalar

ROOT = Path(__file__).parents[2]
PAPERS = ROOT / "docs" / "papers.md"
CONCEPTS = ROOT / "docs" / "concepts" / "recipes.md"
REFERENCE = re.compile(r"\b[AB][1-9][0-9]?\b")
SPAN = re.compile(r"`([^`]+)`")


def tables(page: Path) -> list[list[list[str]]]:
    """Return the page's tables as rows of cells, the heads first and without the dashes."""
    found: list[list[list[str]]] = [[]]
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [[table[0], *table[2:]] for table in found if table]


def printed_values() -> list[tuple[str, str]]:
    """Return (recipe, "field: value") for every such span below a head that names recipes."""
    values = []
    for head, *rows in tables(PAPERS):
        for column, title in enumerate(head):
            names = [name for name in SPAN.findall(title) if name in RECIPES]
            spans = [span for row in rows for span in SPAN.findall(row[column])]
            values += [(name, span) for name in names for span in spans if ": " in span]
    return values


def readings() -> list[list[str]]:
    return next(rows[1:] for rows in tables(PAPERS) if rows[0][0] == "field")


def questions() -> list[str]:
    return re.findall(r"^\*\*([AB]\d+)\. ", PAPERS.read_text(encoding="utf-8"), re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for found, block in fences if found == language]


def commands(page: Path) -> list[str]:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.split(" #")[0].strip() for line in lines if line.strip()]


def run(command: str) -> Result:
    if not main.app.registered_commands:
        main._register()
    program, *words = shlex.split(command)
    assert program == "upres"
    return CliRunner().invoke(main.app, words)


def test_the_page_says_many_values_of_each_recipe() -> None:
    count = {name: sum(name == recipe for recipe, _ in printed_values()) for name in RECIPES}
    assert count["usrgan"] >= 35
    assert count["paper-a-srgan"] >= 25
    assert count["paper-a-esrgan"] >= 20


@pytest.mark.parametrize(("recipe", "value"), printed_values())
def test_a_recipe_has_the_value_that_the_page_says(recipe: str, value: str) -> None:
    field, _, text = value.partition(": ")
    chosen = RECIPES[recipe]
    assert override(chosen, f"{field}={text}") == chosen


@pytest.mark.parametrize("row", readings(), ids=lambda row: f"{row[1]} {row[0]}")
def test_a_reading_that_is_a_field_can_be_changed(row: list[str]) -> None:
    field, recipe, has = (SPAN.findall(cell)[0] for cell in row[:3])
    chosen = RECIPES[recipe]
    assert override(chosen, f"{field}={has}") == chosen
    for other in SPAN.findall(row[3].split(";")[0]):
        assert override(chosen, f"{field}={other}") != chosen
    assert set(REFERENCE.findall(row[4])) <= set(questions())


def test_questions_are_numbered_from_one_without_a_gap() -> None:
    for paper in "AB":
        numbers = [int(name[1:]) for name in questions() if name[0] == paper]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= {"A": 21, "B": 27}[paper]


@pytest.mark.parametrize("folder", ["src", "docs", "tests"])
def test_every_reference_to_a_question_leads_to_one(folder: str) -> None:
    known = set(questions())
    files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.md")]
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        if "papers.md" in text or folder == "src":
            assert set(REFERENCE.findall(text)) <= known, file


@pytest.mark.parametrize("recipe", RECIPES)
def test_sources_name_fields_that_the_recipe_has(recipe: str) -> None:
    fields = flattened(RECIPES[recipe])
    for name, source in sources_of(RECIPES[recipe]).items():
        assert any(field == name or field.startswith(f"{name}.") for field in fields), name
        assert set(REFERENCE.findall(source)) <= set(questions())


def test_no_source_stands_beside_a_length_that_is_not_used() -> None:
    for recipe in RECIPES.values():
        fields, sources = flattened(recipe), sources_of(recipe)
        lengths = [f"stages.{stage}.{length}" for stage in recipe.stages for length in LENGTHS]
        unused = [name for name in lengths if fields[name] is None]
        assert recipe.source.startswith("derived") or not set(unused) & set(sources), recipe.name


def test_what_the_papers_do_not_state_has_a_question() -> None:
    for recipe in ("usrgan", "paper-a-srgan", "paper-a-esrgan"):
        for name, source in sources_of(RECIPES[recipe]).items():
            if source.startswith(("not stated", "not described")):
                assert REFERENCE.search(source), name


@pytest.fixture
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in a folder with the page's YAML files, which its commands name; return their names."""
    monkeypatch.chdir(tmp_path)
    written = []
    for block in blocks(CONCEPTS, "yaml"):
        written.append(block.splitlines()[0].removeprefix("# "))
        Path(written[-1]).write_text(block, encoding="utf-8")
    return written


@pytest.mark.usefixtures("own_files")
@pytest.mark.parametrize("command", [*commands(PAPERS), *commands(CONCEPTS)])
def test_the_pages_commands_run(command: str) -> None:
    ended = run(command)
    assert ended.exit_code == 0, (ended.output, ended.exception)


def test_a_recipe_file_on_the_page_is_one(own_files: list[str]) -> None:
    assert own_files
    for file in own_files:
        assert get_recipe(file).name == Path(file).stem


def test_the_pages_refusals_are_the_programs() -> None:
    shown = [block.splitlines() for page in (PAPERS, CONCEPTS) for block in blocks(page, "")]
    refused = [lines for lines in shown if lines[-1].startswith("Error: ")]
    assert len(refused) == 2
    for command, message in refused:
        error = run(command).exception
        assert isinstance(error, UpresError)
        assert message == f"Error: {error}"


def test_the_concepts_list_every_recipe_with_its_size() -> None:
    published, derived = tables(CONCEPTS)[:2]
    assert published[0][:4] == ["recipe", "generator", "parameters", "discriminator"]
    named = [SPAN.findall(row[0]) for row in [*published[1:], *derived[1:]]]
    assert sorted(name for names in named for name in names) == sorted(RECIPES)
    for name, kind, parameters, discriminator, length, _ in published[1:]:
        recipe = RECIPES[name.strip("`")]
        assert kind == f"`{recipe.generator.kind}`"
        with torch.device("meta"):
            generator = build_generator(recipe.generator, recipe.scale, seed=0)
        assert parameters == f"{count_parameters(generator):,}"
        assert discriminator == _discriminator(recipe)
        assert length == _lengths(recipe)


def _discriminator(recipe: Recipe) -> str:
    if "gan" not in recipe.stages:
        return "-"
    stage = recipe.stages["gan"]
    assert isinstance(stage, GanStage)
    with torch.device("meta"):
        network = build_discriminator(stage.discriminator, recipe.crops.hr_patch, seed=0)
    return f"{count_parameters(network):,}"


def _lengths(recipe: Recipe) -> str:
    stages = recipe.stages.values()
    unit = "steps" if all(stage.steps is not None for stage in stages) else "epochs"
    return " + ".join(f"{getattr(stage, unit):,.0f}" for stage in stages) + f" {unit}"


def test_the_concepts_list_every_term_and_form_and_field_of_the_balance() -> None:
    terms, forms, balance = (
        {SPAN.findall(row[0])[0]: row for row in rows[1:]}
        for rows in tables(CONCEPTS)
        if rows[0][0] in ("term", "`adversarial.form`", "field") and "`crops`" not in str(rows)
    )
    assert list(terms) == list(GanLosses.model_fields)
    assert list(terms)[: len(PixelLosses.model_fields)] == list(PixelLosses.model_fields)
    assert set(forms) == set(ADVERSARIAL_PAIRS)
    settings = Balance().model_dump(mode="json")
    assert {name: SPAN.findall(row[1])[0] for name, row in balance.items()} == {
        name: scalar(value) for name, value in settings.items()
    }
    for name, term in GanLosses.model_fields.items():
        settings_of = {arg for arg in get_args(term.annotation) if arg is not type(None)}
        (kind,) = settings_of or {term.annotation}
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        listed = set(re.findall(r"`(\w+)`", terms[name][1]))
        assert set(kind.model_fields) - {"weight"} <= listed, name
