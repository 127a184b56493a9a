"""The published recipes have the numbers of their papers and of BasicSR's options, typed anew.

SRGAN: Ledig et al. 2017. ESRGAN: Wang et al. 2018. BasicSR: its option files. Sizes are those of
the public networks. Papers A and B are told value by value in docs/papers.md.
"""

import math
from collections.abc import Mapping

import pytest
import torch

from upres.networks.build import build_discriminator, build_generator, count_parameters
from upres.recipes import RECIPES
from upres.recipes.stages import SGD, Adam, GanStage, PixelStage
from upres.recipes.terms import weights_of
from upres.training.length import epoch_steps, stage_steps
from upres.training.schedule import Moment, rate_factor, value_at, weights_at

MILLION = 1_000_000
BASICSR = ("msrresnet", "msrgan", "rrdb-psnr", "esrgan")


def pixel(name: str) -> PixelStage:
    stage = RECIPES[name].stages["pixel"]
    assert isinstance(stage, PixelStage)
    return stage


def gan(name: str) -> GanStage:
    stage = RECIPES[name].stages["gan"]
    assert isinstance(stage, GanStage)
    return stage


def adam(stage: PixelStage | GanStage) -> Adam:
    assert isinstance(stage.optimiser, Adam)
    return stage.optimiser


def rate(stage: PixelStage | GanStage, step: int, length: int) -> float:
    return stage.optimiser.rate * rate_factor(stage.schedule, Moment(step, length))


# --- networks


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("srcnn", 69_251),
        ("srcnn-955", 69_251),
        ("srresnet", 1_549_462),
        ("srgan", 1_549_462),
        ("msrresnet", 1_517_571),
        ("msrgan", 1_517_571),
        ("rrdb-psnr", 16_697_987),
        ("esrgan", 16_697_987),
        ("esrgan-paper", 16_697_987),
        ("paper-a-srgan", 956_558),
        ("paper-a-esrgan", 8_784_323),
        ("usrgan", 16_697_987),
    ],
)
def test_generators_have_the_published_size(name: str, count: int) -> None:
    recipe = RECIPES[name]
    with torch.device("meta"):
        generator = build_generator(recipe.generator, recipe.scale, seed=0)
    assert count_parameters(generator) == count


@pytest.mark.parametrize(
    ("name", "patch", "count"),
    [
        ("srgan", 96, 23_563_649),  # 23,565,505 with biases before batch norm
        ("paper-a-srgan", 96, 23_563_649),
        ("paper-a-esrgan", 96, 23_563_649),
        ("msrgan", 128, 14_499_401),
        ("esrgan", 128, 14_499_401),
        ("esrgan-paper", 128, 14_499_401),
        ("usrgan", 128, 14_496_521),
    ],
)
def test_discriminators_have_the_published_size(name: str, patch: int, count: int) -> None:
    assert RECIPES[name].crops.hr_patch == patch
    with torch.device("meta"):
        discriminator = build_discriminator(gan(name).discriminator, patch, seed=0)
    assert count_parameters(discriminator) == count


# --- data


@pytest.mark.parametrize(
    ("name", "batch", "patch", "flip", "rotate", "resizer"),
    [
        ("srresnet", 16, 96, "none", False, "matlab"),  # SRGAN 3.2
        ("srgan", 16, 96, "none", False, "matlab"),
        ("msrresnet", 16, 128, "both", True, "matlab"),  # gt_size, use_hflip, use_rot
        ("msrgan", 16, 128, "both", True, "matlab"),
        ("rrdb-psnr", 16, 128, "both", True, "matlab"),
        ("esrgan", 16, 128, "both", True, "matlab"),
        ("esrgan-paper", 16, 128, "horizontal", True, "matlab"),  # ESRGAN 4.1, 4.2
        ("paper-a-srgan", 16, 96, "both", True, "paper-a"),  # A1, A2, A6
        ("paper-a-esrgan", 16, 96, "both", True, "paper-a"),
        ("usrgan", 32, 128, "horizontal", False, "matlab"),  # B 3.1, 5.1
    ],
)
def test_batches_and_crops(
    name: str, batch: int, patch: int, flip: str, rotate: bool, resizer: str
) -> None:
    recipe = RECIPES[name]
    assert (recipe.scale, recipe.batch, recipe.resizer) == (4, batch, resizer)
    crops = recipe.crops
    assert (crops.hr_patch, crops.flip, crops.rotate, crops.texture) == (patch, flip, rotate, False)


# --- optimisers, averages, lengths


@pytest.mark.parametrize(
    ("name", "pixel_rate", "gan_rate", "beta2"),
    [
        ("srgan", 1e-4, 1e-4, 0.999),  # SRGAN 3.2; beta2 is Adam's own
        ("msrgan", 2e-4, 1e-4, 0.99),
        ("esrgan", 2e-4, 1e-4, 0.99),
        ("esrgan-paper", 2e-4, 1e-4, 0.999),  # ESRGAN 4.1
        ("paper-a-srgan", 1e-4, 1e-4, 0.999),
        ("paper-a-esrgan", 1e-4, 1e-4, 0.999),
        ("usrgan", 1e-4, 1e-4, 0.999),
    ],
)
def test_adams(name: str, pixel_rate: float, gan_rate: float, beta2: float) -> None:
    first, second = adam(pixel(name)), adam(gan(name))
    assert first == Adam(rate=pixel_rate, beta1=0.9, beta2=beta2, weight_decay=0)
    assert second == Adam(rate=gan_rate, beta1=0.9, beta2=beta2, weight_decay=0)
    assert gan(name).discriminator_optimiser == second
    assert gan(name).discriminator_schedule is None  # it follows the generator's


@pytest.mark.parametrize(
    ("name", "averages"),
    [(name, (0.999,) * len(RECIPES[name].stages)) for name in BASICSR]
    + [
        ("srresnet", (None,)),
        ("srgan", (None, None)),
        ("esrgan-paper", (None, None)),
        ("paper-a-srgan", (None, None)),
        ("paper-a-esrgan", (None, None)),
        ("usrgan", (None, None)),
    ],
)
def test_averages_of_weights(name: str, averages: tuple[float | None, ...]) -> None:
    assert tuple(stage.ema for stage in RECIPES[name].stages.values()) == averages


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("srresnet", [MILLION]),
        ("srgan", [MILLION, 200_000]),
        ("msrresnet", [MILLION]),
        ("msrgan", [MILLION, 400_000]),
        ("rrdb-psnr", [MILLION]),
        ("esrgan", [MILLION, 400_000]),
        ("esrgan-paper", [MILLION, 400_000]),
    ],
)
def test_lengths_in_steps(name: str, lengths: list[int]) -> None:
    assert [stage.steps for stage in RECIPES[name].stages.values()] == lengths


@pytest.mark.parametrize(
    ("name", "photos", "epoch", "steps"),
    [
        ("paper-a-srgan", 19_570, 1_223, [24_460, 45_251]),  # 20 and 37 epochs
        ("paper-a-esrgan", 19_570, 1_223, [4_892, 8_561]),  # 4 and 7
        ("usrgan", 2_385, 74, [14_800, 14_800]),  # B 5.1: 74 iterations, 200 epochs
        ("srcnn", 91, 5, [2_000]),  # 400 epochs
    ],
)
def test_lengths_in_epochs(name: str, photos: int, epoch: int, steps: list[int]) -> None:
    recipe = RECIPES[name]
    assert epoch_steps(recipe, range(photos)) == epoch
    assert [stage_steps(recipe, stage, photos) for stage in recipe.stages] == steps


def test_srcnn_955_descends_slower_in_its_last_layer() -> None:
    recipe, stage = RECIPES["srcnn-955"], pixel("srcnn-955")
    assert stage.optimiser == SGD(rate=1e-4, momentum=0.9, last_layer=0.1)  # 1e-5 there
    assert stage.steps is not None
    assert stage.steps * recipe.batch == 8e8  # backpropagations
    assert stage.losses.pixel.form == "mse"


# --- rates


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("srgan", 0, 1e-4),
        ("srgan", 99_999, 1e-4),
        ("srgan", 100_000, 1e-5),
        ("srgan", 199_999, 1e-5),
        *(
            (name, step, expected)
            for name in ("msrgan", "esrgan", "esrgan-paper")
            for step, expected in (
                (0, 1e-4),
                (49_999, 1e-4),
                (50_000, 5e-5),
                (99_999, 5e-5),
                (100_000, 2.5e-5),
                (199_999, 2.5e-5),
                (200_000, 1.25e-5),
                (299_999, 1.25e-5),
                (300_000, 6.25e-6),
                (399_999, 6.25e-6),
            )
        ),
    ],
)
def test_rates_of_gan_stages(name: str, step: int, expected: float) -> None:
    stage = gan(name)
    assert stage.steps is not None
    assert rate(stage, step, stage.steps) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", BASICSR)
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2e-4),
        (125_000, (2e-4 + 1e-7) / 2),
        (249_999, 1e-7),
        (250_000, 2e-4),
        (499_999, 1e-7),
        (500_000, 2e-4),
        (750_000, 2e-4),
        (999_999, 1e-7),
    ],
)
def test_basicsrs_cosine_begins_again_four_times(name: str, step: int, expected: float) -> None:
    assert rate(pixel(name), step, MILLION) == pytest.approx(expected, rel=2e-5)


def test_basicsrs_cosine_falls_by_its_formula() -> None:
    step, period = 60_000, 250_000
    expected = 1e-7 + (2e-4 - 1e-7) / 2 * (1 + math.cos(math.pi * step / period))
    assert rate(pixel("rrdb-psnr"), step, MILLION) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(
    ("step", "halvings"), [(0, 0), (199_999, 0), (200_000, 1), (600_000, 3), (999_999, 4)]
)
def test_esrgans_paper_halves_the_first_rate_each_200000_steps(step: int, halvings: int) -> None:
    expected = 2e-4 / 2**halvings
    assert rate(pixel("esrgan-paper"), step, MILLION) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["paper-a-srgan", "paper-a-esrgan", "usrgan"])
def test_the_papers_that_state_no_schedule_have_a_constant_rate(name: str) -> None:
    for stage in RECIPES[name].stages.values():
        assert rate(stage, 0, 1000) == rate(stage, 999, 1000) == 1e-4


# --- losses

L1_ESRGAN = {"pixel": 1e-2, "content": 1.0, "adversarial": 5e-3}


@pytest.mark.parametrize(
    ("name", "form", "weight"),
    [
        ("srcnn", "mse", 1.0),
        ("srresnet", "mse", 4.0),  # SRGAN's pictures lie in -1..1: (2 x)^2
        ("srgan", "mse", 4.0),
        ("msrresnet", "l1", 1.0),
        ("msrgan", "l1", 1.0),
        ("rrdb-psnr", "l1", 1.0),
        ("esrgan", "l1", 1.0),
        ("esrgan-paper", "l1", 1.0),
        ("paper-a-srgan", "mse", 1.0),
        ("paper-a-esrgan", "l1", 1.0),
        ("usrgan", "l1", 1.0),
    ],
)
def test_first_stages_learn_pixels_alone(name: str, form: str, weight: float) -> None:
    losses = pixel(name).losses
    assert losses.pixel.form == form
    assert dict(weights_of(losses)) == {"pixel": weight}


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("srgan", {"content": 1.0, "adversarial": 1e-3}),  # equation 3 has no pixel term
        ("msrgan", L1_ESRGAN),
        ("esrgan", L1_ESRGAN),
        # ESRGAN's 5e-3 is for the sum of two halves whose mean is taken here
        ("esrgan-paper", {"pixel": 1e-2, "content": 1.0, "adversarial": 1e-2}),
        ("usrgan", {"pixel": 1.0, "content": 1.0, "adversarial": 5e-3}),  # B 4
    ],
)
def test_weights_of_gan_stages(name: str, weights: Mapping[str, float]) -> None:
    assert dict(weights_of(gan(name).losses)) == weights
    if "pixel" in weights:
        assert gan(name).losses.pixel.form == "l1"


@pytest.mark.parametrize(
    ("name", "content", "content_form", "adversarial"),
    [
        ("srgan", {"relu5_4": 512 / 162.5625}, "squared", "non-saturating"),  # 12.75^2
        ("msrgan", {"conv5_4": 1.0}, "l1", "non-saturating"),
        ("esrgan", {"conv5_4": 1.0}, "l1", "relativistic-average"),
        ("esrgan-paper", {"conv5_4": 1.0}, "l1", "relativistic-average"),
        ("paper-a-srgan", {"relu3_4": 1.0}, "squared", "non-saturating"),  # features[:18]
        ("paper-a-esrgan", {"conv3_4": 1.0}, "squared", "relativistic-average"),  # features[:17]
        ("usrgan", {"conv5_4": 1.0}, "squared", "non-saturating"),
    ],
)
def test_content_and_adversarial_terms(
    name: str, content: Mapping[str, float], content_form: str, adversarial: str
) -> None:
    losses = gan(name).losses
    assert losses.content.network == "vgg19"
    assert losses.content.layers == pytest.approx(content)
    assert (losses.content.form, losses.content.precision) == (content_form, "float32")
    assert losses.content.jitter == 1
    assert losses.adversarial.form == adversarial
    assert value_at(losses.adversarial.label_smoothing, Moment(0, 10)) == 0


@pytest.mark.parametrize(
    ("name", "step", "weights"),
    [
        ("paper-a-srgan", 0, {"content": 1.0, "adversarial": 1e-3}),
        ("paper-a-srgan", 7 * 1_223 - 1, {"content": 1.0, "adversarial": 1e-3}),
        ("paper-a-srgan", 7 * 1_223, {"content": 1.0, "adversarial": 5e-2}),
        ("paper-a-srgan", 45_250, {"content": 1.0, "adversarial": 5e-2}),
        ("paper-a-esrgan", 0, {"pixel": 1e-2, "content": 1.0, "adversarial": 5e-3}),
        ("paper-a-esrgan", 1_222, {"pixel": 1e-2, "content": 1.0, "adversarial": 5e-3}),
        ("paper-a-esrgan", 1_223, {"pixel": 1e-2, "content": 1.0, "adversarial": 5e-2}),
        ("paper-a-esrgan", 8_560, {"pixel": 1e-2, "content": 1.0, "adversarial": 5e-2}),
    ],
)
def test_paper_a_raises_the_adversarial_weight_after_an_epoch_is_over(
    name: str, step: int, weights: Mapping[str, float]
) -> None:
    steps = stage_steps(RECIPES[name], "gan", 19_570)
    assert weights_at(gan(name), Moment(step, steps, 1_223)) == weights


@pytest.mark.parametrize("photos", [16, 97, 560, 2_000])
def test_paper_as_weight_rises_between_the_seventh_and_the_eighth_epoch(photos: int) -> None:
    recipe = RECIPES["paper-a-srgan"]
    epoch, steps = epoch_steps(recipe, range(photos)), stage_steps(recipe, "gan", photos)
    moments = (Moment(7 * epoch - 1, steps, epoch), Moment(7 * epoch, steps, epoch))
    assert [weights_at(gan(recipe.name), m)["adversarial"] for m in moments] == [1e-3, 5e-2]


@pytest.mark.parametrize("name", ["srgan", "msrgan", "esrgan", "paper-a-esrgan", "usrgan"])
def test_published_players_take_turns_step_by_step(name: str) -> None:
    balance = gan(name).balance
    assert (balance.discriminator_steps, balance.generator_only_steps) == (1, 0)
    assert (balance.accuracy_band, balance.adaptive, balance.r1, balance.r2) == (None, False, 0, 0)


# --- the rest


def test_basicsrs_gan_starts_from_the_last_weights_of_the_pixel_stage() -> None:
    for name in ("msrgan", "esrgan"):
        assert pixel(name).handover == "last"  # net_g_1000000.pth


@pytest.mark.parametrize(
    ("name", "norm", "layout", "dense"),
    [
        ("srgan", "batch", "srgan", 1024),
        ("msrgan", "batch", "basicsr", 100),
        ("esrgan", "batch", "basicsr", 100),
        ("paper-a-srgan", "batch", "srgan", 1024),
        ("usrgan", "spectral", "basicsr", 100),
    ],
)
def test_discriminators(name: str, norm: str, layout: str, dense: int) -> None:
    settings = gan(name).discriminator
    assert settings.kind == "vgg"
    assert (settings.norm, settings.layout, settings.dense) == (norm, layout, dense)
    assert settings.spectral_gain == 1.0


def test_precision_is_the_papers_or_left_to_the_machine() -> None:
    assert RECIPES["usrgan"].precision == "bf16"  # B 4
    assert RECIPES["usrgan"].gradient_scaler == "auto"  # none beside bf16: B16
    assert RECIPES["paper-a-srgan"].precision == "float32"  # A1


def test_a_gan_of_a_method_begins_with_the_methods_own_pixel_stage() -> None:
    for method, plain in (("srgan", "srresnet"), ("msrgan", "msrresnet"), ("esrgan", "rrdb-psnr")):
        assert pixel(method) == pixel(plain)
        assert RECIPES[method].generator == RECIPES[plain].generator
        assert RECIPES[method].crops == RECIPES[plain].crops
