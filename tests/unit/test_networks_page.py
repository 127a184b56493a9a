"""docs/concepts/networks.md says what the program says: tables and diagrams are made from it."""

import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from upres.networks import build

DOCS = Path(__file__).parents[2] / "docs"
REMEDY = "run `python docs/networks.py` and look at what changed"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        spec = importlib.util.spec_from_file_location("docs_networks", DOCS / "networks.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def test_the_tables_are_those_of_the_program(script: ModuleType) -> None:
    page = (DOCS / "concepts" / "networks.md").read_text(encoding="utf-8")
    assert script.with_tables(page) == page, REMEDY
    # numbers of the public implementations, as tests/contract/test_parameter_counts.py has them
    for count in ("69,251", "1,549,462", "1,517,571", "16,697,987", "621,424"):
        assert f"| {count} |" in page
    for count in ("14,499,401", "14,496,521", "38,243,713", "4,376,897"):
        assert f"| {count} |" in page


def test_the_diagrams_are_those_of_the_program_and_are_shown(script: ModuleType) -> None:
    page = (DOCS / "concepts" / "networks.md").read_text(encoding="utf-8")
    drawn = script.diagrams()
    for name, text in drawn.items():
        assert (DOCS / "concepts" / name).read_text(encoding="utf-8") == text, REMEDY
        assert f"]({name})" in page
        ET.fromstring(text)
    assert {path.name for path in (DOCS / "concepts").glob("*.svg")} == set(drawn)


def test_every_kind_has_its_chapter(script: ModuleType) -> None:
    page = (DOCS / "concepts" / "networks.md").read_text(encoding="utf-8")
    for union in (build.GeneratorSettings, build.DiscriminatorSettings):
        for settings in get_args(get_args(union)[0]):
            kind = settings.model_fields["kind"].default
            assert f"\n### `{kind}`\n" in page


def test_every_command_of_the_page_names_a_recipe_or_a_model() -> None:
    from upres.cli.describe import described

    assert described("usrgan")[1]["stage"] == "gan"
    assert described("compact-x4")[0]["network"] == "compact"
