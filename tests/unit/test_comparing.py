"""Two recipes field by field, as values and as `upres recipe NAME --compare OTHER` prints them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from upres.cli import main as program
from upres.recipes import RECIPES, sources_of
from upres.recipes.comparing import Compared, Value, compare, comparison_text
from upres.recipes.text import changed, flattened, to_yaml

USRGAN = RECIPES["usrgan"]

Upres = Callable[..., tuple[int, str, str]]


@pytest.fixture
def upres(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Upres:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["upres", *arguments])
        with pytest.raises(SystemExit) as ended:
            program.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


# --- the comparison


def test_only_fields_that_differ_are_found_in_the_recipes_order() -> None:
    other = changed(USRGAN, {"seed": 7, "stages.gan.losses.pixel.weight": 2.0, "batch": 8})
    assert compare(USRGAN, other) == [
        Compared(field="batch", first=Value(value=32), second=Value(value=8)),
        Compared(
            field="stages.gan.losses.pixel.weight", first=Value(value=1.0), second=Value(value=2.0)
        ),
        Compared(field="seed", first=Value(value=0), second=Value(value=7)),
    ]


def test_a_recipe_and_itself_do_not_differ() -> None:
    assert compare(USRGAN, USRGAN) == []
    assert comparison_text([], ("usrgan", "mine")) == "usrgan and mine do not differ.\n"


def test_with_equal_ones_every_field_is_there_once() -> None:
    fields = [row.field for row in compare(USRGAN, USRGAN, equal_ones=True)]
    assert sorted(fields) == sorted(set(flattened(USRGAN)) - {"name", "source"})


def test_a_stage_that_one_recipe_lacks_is_shown_field_by_field_and_stays_together() -> None:
    one_stage = {"pixel": USRGAN.stages["pixel"].model_dump(mode="json")}
    alone = changed(USRGAN, {"stages": one_stage})
    found = compare(alone, USRGAN)
    assert all(row.first is None and row.field.startswith("stages.gan.") for row in found)
    assert len(found) == sum(name.startswith("stages.gan.") for name in flattened(USRGAN))
    assert [row.model_copy(update={"first": row.second, "second": None}) for row in found] == (
        compare(USRGAN, alone)
    )


def test_a_field_that_is_absent_differs_from_one_that_is_null() -> None:
    one, other = (Compared(field="x", first=None, second=Value(value=v)) for v in (None, 0))
    assert one.differs
    assert other.differs
    assert not Compared(field="x", first=Value(value=None), second=Value(value=None)).differs


def test_another_kind_of_network_has_other_fields() -> None:
    found = {row.field: row for row in compare(USRGAN, RECIPES["srcnn"])}
    assert found["generator.kind"].second == Value(value="srcnn")
    assert found["generator.blocks"].second is None
    assert found["generator.middle"].first is None


def test_a_number_beside_a_schedule_is_one_field() -> None:
    from upres.recipes.comparing import _fields

    ramp = {"kind": "linear", "end": 1.0}
    assert list(_fields({"w": 0.5}, {"w": ramp}, "")) == [("w", 0.5, ramp)]
    assert [name for name, *_ in _fields({"w": None}, {"w": ramp}, "")] == ["w.kind", "w.end"]


# --- the table


def test_columns_are_aligned_and_sources_stand_last() -> None:
    rows = [
        Compared(
            field="batch", first=Value(value=16, source="4"), second=Value(value=32, source="5.1")
        ),
        Compared(field="generator.blocks", first=None, second=Value(value=23, source="3.2")),
        Compared(field="ema", first=Value(value=0.999), second=Value(value=None)),
        Compared(field="x", first=Value(value=1, source="a"), second=Value(value=2, source="a")),
    ]
    assert comparison_text(rows, ("old", "usrgan")) == (
        "field             old    usrgan  source\n"
        "batch             16     32      old: 4; usrgan: 5.1\n"
        "generator.blocks  -      23      usrgan: 3.2\n"
        "ema               0.999  null\n"
        "x                 1      2       a\n"
    )


def test_without_sources_there_is_no_column_for_them() -> None:
    rows = [Compared(field="batch", first=Value(value=16), second=Value(value=32))]
    assert comparison_text(rows, ("a", "b")) == "field  a   b\nbatch  16  32\n"


def test_a_source_that_only_repeats_the_other_value_is_left_out() -> None:
    other = changed(USRGAN, {"batch": 8})
    sources = (sources_of(USRGAN), sources_of(other))
    assert sources[1]["batch"] == "usrgan: 32"
    (row,) = compare(USRGAN, other, sources=sources)
    last = comparison_text([row], ("usrgan", "mine")).splitlines()[-1]
    assert last == f"batch  32      8     usrgan: {sources[0]['batch']}"


def test_a_long_value_moves_only_its_own_line() -> None:
    rows = [
        Compared(field="at", first=Value(value=list(range(60))), second=Value(value=1)),
        Compared(field="batch", first=Value(value=16), second=Value(value=32)),
    ]
    lines = comparison_text(rows, ("a", "b")).splitlines()
    assert lines[1].startswith("at     [0, 1, 2,")
    assert lines[0].index(" b") == lines[2].index(" 32") == 7 + 48 + 1


# --- the command


def test_the_command_names_both_recipes_and_their_differences(upres: Upres, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    mine = changed(USRGAN, {"name": "mine", "source": "a trial", "batch": 8})
    file.write_text(to_yaml(mine), encoding="utf-8")
    code, out, err = upres("recipe", "usrgan", "--compare", str(file))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == [f"usrgan: {USRGAN.source}", "mine: a trial"]
    assert [line.split()[:3] for line in lines[3:]] == [
        ["field", "usrgan", "mine"],
        ["batch", "32", "8"],
    ]


def test_set_changes_the_first_recipe_only(upres: Upres) -> None:
    code, out, _ = upres("recipe", "usrgan", "--set", "batch=4", "--compare", "usrgan", "--json")
    assert code == 0
    shown = json.loads(out)
    assert shown["recipes"] == ["usrgan --set", "usrgan"]
    (field,) = shown["fields"]
    assert (field["field"], field["first"]["value"], field["second"]["value"]) == ("batch", 4, 32)


def test_all_shows_equal_fields_too(upres: Upres) -> None:
    code, out, _ = upres("recipe", "usrgan", "--compare", "tiny", "--all")
    assert code == 0
    shown = {line.split()[0] for line in out.splitlines() if line}
    assert {"scale", "batch", "stages.gan.kind"} <= shown


def test_json_of_one_recipe_and_of_the_list(upres: Upres) -> None:
    assert json.loads(upres("recipe", "usrgan", "--json")[1])["batch"] == 32
    assert json.loads(upres("recipe", "--json")[1])["usrgan"] == USRGAN.source


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["usrgan", "--compare", "usrgun"],
            "there is no recipe 'usrgun' (one of your own is a file",
        ),
        (["usrgan", "--compare", "no.yaml"], "there is no recipe file 'no.yaml'"),
        (["--compare", "usrgan"], "upres recipe NAME --compare usrgan."),
        (["--set", "batch=4"], "upres recipe NAME --set."),
        (["usrgan", "--all"], "--all is for --compare"),
        (["usrgan", "--set", "bacth=4", "--compare", "tiny"], "did you mean 'batch'?"),
    ],
)
def test_a_wrong_command_is_one_sentence(upres: Upres, arguments: list[str], message: str) -> None:
    code, out, err = upres("recipe", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_a_file_that_is_no_recipe_is_named(upres: Upres, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1\n")
    code, _, err = upres("recipe", "usrgan", "--compare", str(tmp_path / "list.yaml"))
    assert code == 2
    assert "list.yaml is not a recipe" in err
