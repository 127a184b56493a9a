"""What a stage may be: terms that move something, balances that make sense."""

from typing import Any

import pytest

from upres.errors import BadSetting
from upres.recipes import RECIPES
from upres.recipes.schedules import Ramp
from upres.recipes.stages import GanStage
from upres.recipes.terms import feature_layers, weights_of
from upres.recipes.text import changed

USRGAN = RECIPES["usrgan"]
LOSSES = "stages.gan.losses"
ALONE = {f"{LOSSES}.pixel.weight": 0, f"{LOSSES}.content.weight": 0}  # the adversarial term
NOT_ADVERSARIAL = {f"{LOSSES}.adversarial.weight": 0}


def gan(changes: dict[str, Any]) -> GanStage:
    stage = changed(USRGAN, changes).stages["gan"]
    assert isinstance(stage, GanStage)
    return stage


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"stages.pixel.losses.pixel.weight": 0},
            "stages.pixel: all terms weigh 0: nothing would move the generator.",
        ),
        (
            ALONE | NOT_ADVERSARIAL,
            "stages.gan: all terms weigh 0: nothing would move the generator.",
        ),
        (
            ALONE | {f"{LOSSES}.adversarial.weight": Ramp(start=0, end=0, finish=5)},
            "stages.gan: all terms weigh 0: nothing would move the generator.",
        ),
        (
            ALONE | {"stages.gan.balance.adaptive": True},
            "stages.gan: balance.adaptive needs another term beside the adversarial one.",
        ),
        (
            NOT_ADVERSARIAL | {"stages.gan.balance.adaptive": True},
            "stages.gan: balance.adaptive needs an adversarial weight above 0.",
        ),
        (
            ALONE | {"stages.gan.balance.generator_only_steps": 1},
            "stages.gan: balance.generator_only_steps needs another term beside the adversarial "
            "one: nothing would move the generator in these steps.",
        ),
        (
            {"stages.gan.balance.accuracy_band": [0.9, 0.6]},
            "stages.gan.balance: accuracy_band must rise within 0..1, not 0.9 to 0.6.",
        ),
        (
            {"stages.gan.balance.accuracy_band": [0.6, 1.1]},
            "stages.gan.balance: accuracy_band must rise within 0..1, not 0.6 to 1.1.",
        ),
        (
            {"stages.gan.balance.accuracy_band": [0.6, 0.6]},
            "stages.gan.balance: accuracy_band must rise within 0..1, not 0.6 to 0.6.",
        ),
        (
            {"stages.gan.balance.discriminator_steps": 0},
            "stages.gan.balance.discriminator_steps is 0: input should be greater than or equal "
            "to 1.",
        ),
        (
            {"stages.gan.balance.penalty_every": 0},
            "stages.gan.balance.penalty_every is 0: input should be greater than or equal to 1.",
        ),
        (
            {"stages.gan.balance.adaptive_limit": 0},
            "stages.gan.balance.adaptive_limit is 0: input should be greater than 0.",
        ),
        (
            {"stages.gan.balance.generator_only_steps": -1},
            "stages.gan.balance.generator_only_steps is -1: input should be greater than or equal "
            "to 0.",
        ),
        (
            {f"{LOSSES}.adversarial.label_smoothing": 1},
            "stages.gan.losses.adversarial: label_smoothing must stay below 1, not reach 1.",
        ),
        (
            {f"{LOSSES}.adversarial.label_smoothing": Ramp(start=0, end=2, finish=5)},
            "stages.gan.losses.adversarial: label_smoothing must stay below 1, not reach 2.",
        ),
        (
            {f"{LOSSES}.style": {"layers": {"conv9_9": 1}}},
            "stages.gan.losses: vgg19 has no layer 'conv9_9'; it has ",
        ),
        (
            {f"{LOSSES}.content.jitter": 65},  # up to 64 pixels are taken away, and 64 are enough
            None,
        ),
        (
            {f"{LOSSES}.content.jitter": 66},
            "crops.hr_patch 128 less a jitter of 65 is too small for the content layer conv5_4.",
        ),
        (
            {f"{LOSSES}.content.jitter": 128},
            "crops.hr_patch 128 less a jitter of 127 is too small for the content layer conv5_4.",
        ),
        (
            {"gradient_scaler": "yes", "precision": "bf16"},
            "gradient_scaler does nothing in bf16: bf16 has float32's range, so a power of two "
            "that is multiplied in and divided out changes no bit",
        ),
        (
            {"gradient_scaler": "yes", "precision": "float32"},
            "gradient_scaler does nothing in float32",
        ),
        ({"gradient_scaler": "yes", "precision": "fp16"}, None),
        ({"gradient_scaler": "auto", "precision": "bf16"}, None),
    ],
)
def test_stages_that_contradict_themselves_are_refused(
    changes: dict[str, Any], told: str | None
) -> None:
    if told is None:
        changed(USRGAN, changes)
        return
    with pytest.raises(BadSetting) as refused:
        changed(USRGAN, changes)
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", ["relativistic", "hinge"])
@pytest.mark.parametrize("smoothing", [0.1, Ramp(start=0, end=0.1, finish=5)])
def test_labels_are_smoothed_only_where_there_are_labels(form: str, smoothing: object) -> None:
    term = {f"{LOSSES}.adversarial.form": form}
    assert gan(term).losses.adversarial.form == form
    with pytest.raises(BadSetting, match=f"the {form} loss has no labels to smooth"):
        changed(USRGAN, term | {f"{LOSSES}.adversarial.label_smoothing": smoothing})


@pytest.mark.parametrize(
    "form", ["non-saturating", "saturating", "relativistic-average", "least-squares"]
)
def test_labels_are_smoothed_where_there_are_some(form: str) -> None:
    term = {f"{LOSSES}.adversarial.form": form, f"{LOSSES}.adversarial.label_smoothing": 0.1}
    assert gan(term).losses.adversarial.label_smoothing == 0.1


def test_what_acts_is_named_in_the_order_of_the_fields() -> None:
    losses = gan(
        {
            f"{LOSSES}.style": {"weight": 0},
            f"{LOSSES}.dists": {"weight": 2},
            f"{LOSSES}.gradient": {"weight": Ramp(start=0, end=3, finish=5)},
            f"{LOSSES}.frequency": {"weight": Ramp(start=0, end=0, finish=5)},
        }
    ).losses
    expected = ["pixel", "gradient", "dists", "content", "adversarial"]
    assert [name for name, _ in weights_of(losses)] == expected


def test_content_and_style_look_through_one_network_at_the_layers_of_both() -> None:
    both = {"layers": {"conv1_2": 1.0, "conv5_4": 2.0}, "weight": 1.0}
    assert feature_layers(gan({}).losses) == ("conv5_4",)
    assert feature_layers(gan({f"{LOSSES}.style": both}).losses) == ("conv5_4", "conv1_2")
    style_alone = {f"{LOSSES}.style": both, f"{LOSSES}.content.weight": 0}
    assert feature_layers(gan(style_alone).losses) == ("conv1_2", "conv5_4")
    assert feature_layers(gan({f"{LOSSES}.content.weight": 0}).losses) == ()
