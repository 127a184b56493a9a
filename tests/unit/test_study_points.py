import pytest

from upres.errors import BadSetting
from upres.recipes import RECIPES
from upres.recipes.schema import Recipe
from upres.recipes.text import changed, flattened
from upres.studies.points import Point, points, shared_stages, vary, vary_weights

TINY = RECIPES["tiny"]
ADVERSARIAL = "stages.gan.losses.adversarial.weight"
CONTENT = "stages.gan.losses.content.weight"


def names(found: list[Point]) -> list[str]:
    return [point.name for point in found]


def differing(point: Point, recipe: Recipe) -> dict[str, object]:
    before = flattened(recipe)
    return {k: v for k, v in flattened(point.recipe).items() if before.get(k) != v}


def test_a_tenth_and_ten_times_each_weight_is_what_is_studied_by_default() -> None:
    recipe = RECIPES["usrgan"]  # paper B: 1, 1 and 0.005
    found = points(recipe, vary_weights(recipe), "one-at-a-time")
    assert names(found) == [
        "recipe",
        "pixel=0.1",
        "pixel=10",
        "content=0.1",
        "content=10",
        "adversarial=0.0005",
        "adversarial=0.05",
    ]
    assert found[0].recipe == recipe
    assert differing(found[-1], recipe) == {ADVERSARIAL: 0.05}


def test_a_term_that_never_acts_is_not_varied() -> None:
    recipe = RECIPES["paper-a-srgan"]  # no pixel term in its second stage
    assert [part.label for part in vary_weights(recipe)] == ["content", "adversarial"]


def test_a_factor_acts_on_all_values_of_a_schedule_and_not_on_its_places() -> None:
    recipe = RECIPES["paper-a-srgan"]  # 0.001, then 0.05 from epoch 7 of 37 on
    (part,) = vary(recipe, [f"{ADVERSARIAL}=x0.1,x1,x10"])
    found = points(recipe, [part], "one-at-a-time")
    assert names(found) == ["recipe", "adversarial=x0.1", "adversarial=x10"]
    assert differing(found[2], recipe) == {f"{ADVERSARIAL}.values": [0.01, 0.5]}
    assert [point.levels[0].place for point in found] == [1.0, 0.1, 10.0]


def test_a_grid_has_all_combinations_and_the_recipe_once() -> None:
    varied = vary(TINY, [f"{ADVERSARIAL}=0.005,0.05", f"{CONTENT}=0.1,1"])  # it has 0.05 and 0.1
    assert names(points(TINY, varied, "grid")) == [
        "recipe",
        "adversarial=0.005",
        "adversarial=0.005 content=1",
        "content=1",
    ]


def test_a_grid_away_from_the_recipe_has_the_recipe_too() -> None:
    varied = vary(TINY, [f"{ADVERSARIAL}=0.5,5", f"{CONTENT}=1"])
    found = points(TINY, varied, "grid")
    assert names(found) == ["recipe", "adversarial=0.5 content=1", "adversarial=5 content=1"]
    assert differing(found[2], TINY) == {ADVERSARIAL: 5.0, CONTENT: 1.0}


def test_a_term_that_the_recipe_has_not_can_be_brought_in() -> None:
    varied = vary(TINY, ["stages.gan.losses.structure.weight=0.1,1"])
    found = points(TINY, varied, "one-at-a-time")
    assert names(found) == ["recipe", "structure=0.1", "structure=1"]
    assert found[0].levels[0].text == "none"
    assert found[1].recipe.stages["gan"].losses.structure.weight == 0.1


def test_the_stages_before_the_first_varied_one_are_shared() -> None:
    assert shared_stages(TINY, vary_weights(TINY)) == ("pixel",)
    assert shared_stages(TINY, vary(TINY, ["stages.pixel.optimiser.rate=x10"])) == ()
    both = vary(TINY, ["stages.pixel.optimiser.rate=x10", f"{ADVERSARIAL}=x10"])
    assert shared_stages(TINY, both) == ()
    assert shared_stages(TINY, vary(TINY, ["seed=1,2"])) == ()


def test_products_have_no_digits_that_only_floats_have() -> None:
    recipe = changed(TINY, {CONTENT: 0.07})
    (part,) = vary(recipe, [f"{CONTENT}=x0.1,x3"])
    assert [level.text for level in part.levels] == ["0.007", "0.21"]


def test_a_name_can_be_a_folders() -> None:
    odd = vary(TINY, ["stages.gan.discriminator_optimiser.rate=1e-4,0.0000012345678"])
    assert names(points(TINY, odd, "grid"))[1:] == [
        "discriminator_optimiser.rate=0.0001",
        "discriminator_optimiser.rate=1.2345678e-06",
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["adversarial"], ["'adversarial' is not of the form field=value,value"]),
        ([f"{ADVERSARIAL}="], ["is not of the form"]),
        (["stages.gan.losses.adversarial.weigth=x10"], ["did you mean 'weight'?"]),
        ([f"{ADVERSARIAL}=0.1,much"], [ADVERSARIAL, "'much'"]),
        ([f"{ADVERSARIAL}=-1"], [ADVERSARIAL, "greater than or equal to 0"]),
        ([f"{ADVERSARIAL}=0.05,x1"], ["changes nothing", "recipe tiny has 0.05"]),
        ([f"{CONTENT}=1", f"{CONTENT}=2"], [f"--vary {CONTENT} is there twice"]),
        (["stages.gan.losses.pixel.form=x2"], ["stages.gan.losses.pixel.form"]),
        (["batch=2,4"], ["--vary batch", "fields of stages"]),
        (["validation.side=64"], ["--vary validation.side"]),
        (["stages.gan.steps=5,10"], ["stages.gan.steps", "equally long"]),
    ],
)
def test_what_cannot_be_varied_is_refused(settings: list[str], words: list[str]) -> None:
    with pytest.raises(BadSetting) as refused:
        vary(TINY, settings)
    for word in words:
        assert word in str(refused.value)


def test_a_recipe_without_a_discriminator_has_no_weights_to_vary_by_default() -> None:
    with pytest.raises(BadSetting, match="compact-x4 has no adversarial term to vary"):
        vary_weights(RECIPES["compact-x4"])
