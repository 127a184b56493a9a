"""Both patches of a pair show the same scene, whatever is drawn."""

import numpy as np
import pytest
from pydantic import ValidationError

from upres.data.crops import (
    CropSettings,
    Pair,
    Pixels,
    augment,
    gradient_energy,
    paired_crop,
    textured_crop,
)

ALL = CropSettings(hr_patch=32)


def ramp(height: int, width: int, scale: int) -> Pair:
    """HR pixels hold twice their row and column, so the mean of every block is a whole number."""
    rows, columns = np.mgrid[:height, :width]
    hr = np.stack([2 * rows, 2 * columns, rows + columns], axis=2).astype(np.uint8)
    return Pair("ramp", block_means(hr, scale), hr)


def block_means(hr: Pixels, scale: int) -> Pixels:
    h, w = hr.shape[0] // scale, hr.shape[1] // scale
    return hr.reshape(h, scale, w, scale, 3).mean(axis=(1, 3)).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_lr_patch_is_the_downsample_of_the_hr_patch_in_200_draws(scale: int) -> None:
    pair, settings = ramp(60, 84, scale), CropSettings(hr_patch=12 * scale)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        lr, hr = paired_crop(pair, scale=scale, hr_patch=settings.hr_patch, rng=rng)
        lr, hr = augment(lr, hr, settings, rng=rng)
        assert hr.shape == (12 * scale, 12 * scale, 3)
        np.testing.assert_array_equal(lr, block_means(hr, scale))


def test_patches_reach_every_corner_of_the_picture() -> None:
    pair = ramp(20, 24, 4)
    crops = [
        paired_crop(pair, scale=4, hr_patch=16, rng=np.random.default_rng(seed))[1]
        for seed in range(100)
    ]
    corners = {(int(hr[0, 0, 0]) // 2, int(hr[0, 0, 1]) // 2) for hr in crops}
    assert corners == {(top, left) for top in (0, 4) for left in (0, 4, 8)}


@pytest.mark.parametrize(
    ("flip", "rotate", "views"),
    [
        ("none", False, 1),
        ("horizontal", False, 2),
        ("both", False, 4),
        ("none", True, 4),
        ("horizontal", True, 8),
        ("both", True, 8),
    ],
)
def test_flips_and_quarter_turns_give_as_many_views_as_they_should(
    flip: str, rotate: bool, views: int
) -> None:
    settings = CropSettings.model_validate({"flip": flip, "rotate": rotate})
    pair = ramp(16, 16, 4)
    seen = {
        augment(pair.lr, pair.hr, settings, rng=np.random.default_rng(seed))[1].tobytes()
        for seed in range(200)
    }
    assert len(seen) == views


def test_a_horizontal_flip_swaps_left_and_right_only() -> None:
    pair, settings = ramp(16, 16, 4), CropSettings(flip="horizontal", rotate=False)
    flipped = [
        hr
        for seed in range(20)
        for _, hr in [augment(pair.lr, pair.hr, settings, rng=np.random.default_rng(seed))]
        if not np.array_equal(hr, pair.hr)
    ]
    assert flipped
    for hr in flipped:
        np.testing.assert_array_equal(hr, pair.hr[:, ::-1])


def test_settings_do_not_shift_later_draws() -> None:
    pair, after = ramp(16, 16, 4), []
    for settings in (ALL, CropSettings(flip="none", rotate=False)):
        rng = np.random.default_rng(3)
        augment(pair.lr, pair.hr, settings, rng=rng)
        after.append(rng.random())
    assert after[0] == after[1]


def test_textured_crops_prefer_the_textured_half() -> None:
    hr = np.full((32, 320, 3), 100, np.uint8)
    hr[:, 160:] = np.random.default_rng(0).integers(0, 256, (32, 160, 3))
    pair = Pair("half", block_means(hr, 4), hr)
    share = {}
    for name, crop in (("plain", paired_crop), ("textured", textured_crop)):
        drawn = [
            crop(pair, scale=4, hr_patch=16, rng=np.random.default_rng(seed))[1]
            for seed in range(200)
        ]
        share[name] = np.mean([bool((hr != 100).any()) for hr in drawn])
    assert 0.4 < share["plain"] < 0.65  # about half of the places
    assert share["textured"] > 0.9  # four flat crops in a row: 1/16


def test_four_flat_crops_are_equally_likely() -> None:
    hr = np.full((64, 64, 3), 7, np.uint8)
    lr, patch = textured_crop(
        Pair("flat", hr[::4, ::4], hr), scale=4, hr_patch=16, rng=np.random.default_rng(0)
    )
    assert lr.shape == (4, 4, 3)
    assert patch.shape == (16, 16, 3)


def test_gradient_energy_is_the_mean_squared_step_in_green() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[..., 1] = [[10, 13, 13], [10, 10, 10]]  # down: 0, -3, -3; across: 3, 0, 0, 0
    assert gradient_energy(pixels) == pytest.approx(18 / 3 + 9 / 4)
    assert gradient_energy(pixels[:1, :1]) == 0


def test_a_pair_that_does_not_fit_is_refused() -> None:
    pair = ramp(32, 32, 4)
    rng = np.random.default_rng(0)
    crooked = Pair("crooked", pair.lr, pair.hr[:28])
    with pytest.raises(ValueError, match=r"crooked: hr is .* not 4 times the lr"):
        paired_crop(crooked, scale=4, hr_patch=16, rng=rng)
    for patch in (36, 18, 0):
        with pytest.raises(ValueError, match=f"no patch of {patch} px"):
            paired_crop(pair, scale=4, hr_patch=patch, rng=rng)


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValidationError):
        CropSettings.model_validate({"flips": "both"})
