"""How a generator is judged while it trains."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from upres.data.crops import Pair
from upres.errors import BadPhotos
from upres.evaluation.judge import JudgedPair
from upres.evaluation.protocols import PROTOCOLS, make_lr
from upres.processes.fabric import fabric_for
from upres.recipes.schema import Validation
from upres.training.validation import Validator, centre, is_better, validation_pairs

PROTOCOL = PROTOCOLS["sr-y-float"]
Pixels = np.ndarray


def picture(number: int, height: int = 64, width: int = 80) -> Pair:
    rng = np.random.default_rng(number)
    hr = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Pair(f"{number}.png", hr[::4, ::4], hr)


def settings(pictures: int, side: int = 48) -> Validation:
    return Validation(pictures=pictures, side=side)


# --- which pictures


def test_pictures_are_spread_over_the_whole_list() -> None:
    pairs = validation_pairs([picture(n) for n in range(10)], settings(4), PROTOCOL, 4)
    assert [pair.name for pair in pairs] == ["0.png", "2.png", "5.png", "7.png"]


@pytest.mark.parametrize("asked", [3, 4])
def test_fewer_pictures_than_asked_are_taken_once_each(asked: int) -> None:
    pairs = validation_pairs([picture(n) for n in range(3)], settings(asked), PROTOCOL, 4)
    assert [pair.name for pair in pairs] == ["0.png", "1.png", "2.png"]


def test_pictures_too_small_to_be_judged_are_left_out() -> None:
    # SSIM's window of 11 and a border of 4 on each side are 19 pixels; LPIPS needs more
    sizes = {0: 18, 1: 20, 2: 64}
    pictures = [picture(number, height) for number, height in sizes.items()]
    without = Validation(pictures=3, side=48, metrics=("psnr_y",))
    pairs = validation_pairs(pictures, without, PROTOCOL, 4)
    assert [pair.name for pair in pairs] == ["1.png", "2.png"]
    (pair,) = validation_pairs(pictures, settings(3), PROTOCOL, 4)
    assert pair.name == "2.png"


def test_only_pictures_too_small_to_be_judged_are_refused() -> None:
    with pytest.raises(BadPhotos, match=r"no validation picture has the 19 px .* use larger"):
        without = Validation(pictures=3, side=48, metrics=("psnr_y",))
        validation_pairs([picture(0, 18)], without, PROTOCOL, 4)


def test_a_pair_is_the_centre_and_its_lr_is_the_protocols() -> None:
    source = picture(1)
    (pair,) = validation_pairs([source], settings(1), PROTOCOL, 4)
    assert np.array_equal(pair.hr, source.hr[8:56, 16:64])
    assert np.array_equal(pair.lr, make_lr(pair.hr, PROTOCOL, 4))
    assert pair.lr.shape == (12, 12, 3)


@pytest.mark.parametrize(
    ("size", "side", "scale", "expected"),
    [
        ((64, 80), 48, 4, (48, 48)),
        ((40, 80), 48, 4, (40, 48)),  # shorter than asked: all of it
        ((64, 80), 50, 4, (48, 48)),  # multiples of the scale
        ((41, 80), 50, 3, (39, 48)),
    ],
)
def test_the_centre_is_cut_to_multiples_of_the_scale(
    size: tuple[int, int], side: int, scale: int, expected: tuple[int, int]
) -> None:
    assert centre(picture(0, *size).hr, side, scale).shape[:2] == expected


# --- better


@pytest.mark.parametrize("metric", ["psnr_y", "ssim_y"])
def test_more_psnr_and_ssim_is_better(metric: str) -> None:
    assert is_better(metric, 2.0, 1.0)
    assert not is_better(metric, 1.0, 2.0)


def test_less_lpips_is_better() -> None:
    assert is_better("lpips_alex", 0.1, 0.2)
    assert not is_better("lpips_alex", 0.2, 0.1)


@pytest.mark.parametrize("metric", ["psnr_y", "ssim_y", "lpips_alex"])
def test_equal_and_not_a_number_are_not_better(metric: str) -> None:
    assert not is_better(metric, 0.5, 0.5)
    assert not is_better(metric, math.nan, 0.5)


# --- judging


class Enlarger(nn.Module):
    """Repeats pixels and adds what its batch norm makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.seen: list[tuple[bool, torch.dtype, bool]] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.seen.append((self.training, lr.dtype, torch.is_grad_enabled()))
        grown = nn.functional.interpolate(lr, scale_factor=4, mode="nearest")
        return grown + 0 * nn.functional.interpolate(self.norm(lr), scale_factor=4)


@pytest.fixture
def judged() -> Callable[[nn.Module], dict[str, float]]:
    flat = [np.full((48, 48, 3), grey, np.uint8) for grey in (100, 104)]
    darker = [np.full((12, 12, 3), grey, np.uint8) for grey in (99, 100)]
    pairs = tuple(
        JudgedPair(str(n), lr, hr) for n, (lr, hr) in enumerate(zip(darker, flat, strict=True))
    )
    return Validator(pairs, PROTOCOL, 4, 1, ("psnr_y",), None)


def test_the_score_is_the_mean_over_the_pictures(
    judged: Validator,
) -> None:
    # repeated pixels are 1 and 4 levels of grey too dark, in luma 219/255 as much
    step = 219 / 255
    expected = [20 * math.log10(255 / (levels * step)) for levels in (1, 4)]
    assert judged(Enlarger(), fabric_for("float32")) == {
        "psnr_y": pytest.approx(sum(expected) / 2, rel=1e-6)
    }


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_judged_in_eval_mode_and_left_in_its_own(
    judged: Validator, training: bool
) -> None:
    network = Enlarger().train(training)
    judged(network, fabric_for("float32"))
    assert [network.training, network.norm.training] == [training, training]
    assert int(network.norm.num_batches_tracked) == 0
    assert network.seen == [(False, torch.float32, False)] * 2


def test_judging_moves_no_random_numbers(
    judged: Validator,
) -> None:
    network = Enlarger()
    before = torch.get_rng_state()
    judged(network, fabric_for("float32"))
    assert torch.equal(before, torch.get_rng_state())
