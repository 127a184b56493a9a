"""Recipes as YAML, and single fields changed by name."""

import pytest

from upres.errors import BadSetting
from upres.recipes import RECIPES, get_recipe, sources_of
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage
from upres.recipes.text import changed, differences, from_yaml, override, to_yaml

USRGAN = RECIPES["usrgan"]


def gan(recipe: Recipe) -> GanStage:
    stage = recipe.stages["gan"]
    assert isinstance(stage, GanStage)
    return stage


def test_a_number_that_yaml_takes_for_text_is_read_as_a_number() -> None:
    assert gan(override(USRGAN, "stages.gan.optimiser.rate=1e-3")).optimiser.rate == 1e-3


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("scale=2", "scale", 2),
        ("crops.rotate=true", "crops.rotate", True),
        ("generator.skip=none", "generator.skip", "none"),
        ("budget.minutes=20", "budget.minutes", 20.0),
        ("seed=5", "seed", 5),
    ],
)
def test_a_value_is_read_by_the_type_of_its_field(setting: str, path: str, value: object) -> None:
    field: object = override(USRGAN, setting)
    for part in path.split("."):
        field = getattr(field, part)
    assert field == value
    assert type(field) is type(value)


def test_null_takes_a_value_away() -> None:
    assert override(RECIPES["usrgan-small"], "stages.gan.ema=null").stages["gan"].ema is None


def test_a_new_length_replaces_the_old_unit() -> None:
    stage = override(USRGAN, "stages.pixel.steps=500").stages["pixel"]
    assert (stage.steps, stage.epochs, stage.minutes) == (500, None, None)


def test_a_change_of_kind_starts_the_section_anew() -> None:
    recipe = override(USRGAN, "stages.pixel.schedule.kind=cosine")
    assert recipe.stages["pixel"].schedule == Cosine()


def test_content_layers_can_be_set_as_a_whole_and_one_by_one() -> None:
    recipe = override(USRGAN, "stages.gan.losses.content.layers={conv3_4: 0.5}")
    assert gan(recipe).losses.content.layers == {"conv3_4": 0.5}
    recipe = override(recipe, "stages.gan.losses.content.layers.relu4_4=2")
    assert gan(recipe).losses.content.layers == {"conv3_4": 0.5, "relu4_4": 2.0}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("stages.pixle.steps=5", "in stages: did you mean 'pixel'?"),
        ("stages.gan.losses.adversarial.wieght=5", "did you mean 'weight'?"),
        ("bacth=4", "there is no field 'bacth': did you mean 'batch'?"),
        ("scale.x=4", "there is no field 'scale.x': scale has no parts."),
        ("batch=many", "batch is 'many': input should be a valid integer"),
        ("scale=5", "scale is '5': input should be 2, 3 or 4"),
        ("stages.gan.optimiser.rate=-1", "input should be greater than 0"),
        ("batch", "--set 'batch' is not of the form field=value."),
        ("crops.hr_patch=90", "crops.hr_patch 90 is not a multiple of scale 4"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(setting: str, message: str) -> None:
    with pytest.raises(BadSetting) as refused:
        override(USRGAN, setting)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": {"gan": USRGAN.stages["gan"].model_dump()}}, "put a pixel stage before it"),
        ({"stages.gan.losses.content.layers": {"conv9_1": 1.0}}, "has no layer 'conv9_1'"),
        ({"crops.hr_patch": 48}, "too small for the content layer conv5_4"),
        ({"stages.pixel.best": ["lpips_alex"], "validation.metrics": ["psnr_y"]}, "asks for"),
        ({"budget.minutes": 5.0, "budget.shares": (1.0,)}, "2 stages"),
        ({"stages.pixel.epochs": None}, "a stage has one length"),
        ({"stages.gan.losses.adversarial.form": "wgan"}, "input should be 'non-saturating'"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadSetting, match=message):
        changed(USRGAN, changes)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_reads_back_from_its_yaml(name: str) -> None:
    recipe = RECIPES[name]
    assert from_yaml(to_yaml(recipe, sources_of(recipe)), name=name) == recipe
    assert recipe.name == name


def test_every_source_is_of_a_field_that_exists() -> None:
    from upres.recipes import _SOURCES
    from upres.recipes.text import flattened

    for recipe, sources in _SOURCES.values():
        fields = flattened(recipe)
        sections = {".".join(f.split(".")[:n]) for f in fields for n in range(1, f.count(".") + 2)}
        assert set(sources) <= sections


def test_yaml_shows_sources_and_what_a_derived_recipe_changed() -> None:
    text = to_yaml(RECIPES["tiny"], sources_of(RECIPES["tiny"]))
    assert "blocks: 2  # usrgan: 23" in text
    assert "(B15)" in text


def test_differences_name_each_field_with_both_values() -> None:
    other = override(override(USRGAN, "batch=8"), "stages.gan.losses.pixel.weight=2")
    assert differences(USRGAN, other) == [
        ("batch", 32, 8),
        ("stages.gan.losses.pixel.weight", 1.0, 2.0),
    ]


@pytest.mark.parametrize("text", ["- a\n- b\n", "scale: [", "just words"])
def test_a_file_that_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match=r"my\.yaml is not"):
        from_yaml(text, name="my.yaml")


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(BadSetting, match="did you mean 'usrgan-small'"):
        get_recipe("usrgan-smal")


def test_paper_b_is_what_the_paper_says() -> None:
    stage = gan(USRGAN)
    weights = [getattr(stage.losses, t).weight for t in ("pixel", "content", "adversarial")]
    assert weights == [1.0, 1.0, 0.005]  # section 4
    assert (USRGAN.batch, USRGAN.crops.hr_patch, USRGAN.scale) == (32, 128, 4)  # 5.1, 3.1, 3.2
    assert [s.epochs for s in USRGAN.stages.values()] == [200, 200]  # section 4
