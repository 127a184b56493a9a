"""From a pair of pictures to an aligned pair of patches: crop, flip, quarter turn."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

Pixels: TypeAlias = NDArray[np.uint8]

CANDIDATES = 4  # crops that compete when `texture` is on


@dataclass(frozen=True)
class Pair:
    """One picture of a store: `lr` (h, w, 3) and `hr` (h * scale, w * scale, 3), RGB uint8."""

    name: str
    lr: Pixels
    hr: Pixels


class CropSettings(BaseModel, frozen=True, extra="forbid"):
    hr_patch: int = Field(default=128, gt=0)  # side in HR pixels, a multiple of the scale
    flip: Literal["none", "horizontal", "both"] = "both"  # each flip with probability 1/2
    rotate: bool = True  # 0, 1, 2 or 3 quarter turns; with a flip all eight symmetries
    texture: bool = False  # one of four crops, in proportion to gradient energy


def paired_crop(
    pair: Pair, *, scale: int, hr_patch: int, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Return `hr_patch / scale` squared LR pixels and the HR pixels that show the same scene.

    The patches are views. One state of `rng` gives one pair of patches, on any machine.
    Raises ValueError when the patch is no multiple of the scale or larger than the picture,
    or when `hr` is not exactly `scale` times as large as `lr`.
    """
    lr, hr = pair.lr, pair.hr
    h, w = lr.shape[:2]
    side = hr_patch // scale
    if hr.shape[:2] != (h * scale, w * scale):
        raise ValueError(f"{pair.name}: hr is {hr.shape}, not {scale} times the lr of {lr.shape}")
    if side * scale != hr_patch or not 0 < side <= min(h, w):
        raise ValueError(f"{pair.name}: no patch of {hr_patch} px from {hr.shape} at x{scale}")
    top = int(rng.integers(h - side + 1))
    left = int(rng.integers(w - side + 1))
    lr_patch = lr[top : top + side, left : left + side]
    top, left = top * scale, left * scale
    return lr_patch, hr[top : top + hr_patch, left : left + hr_patch]


def textured_crop(
    pair: Pair, *, scale: int, hr_patch: int, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Return one of four random crops, drawn in proportion to the gradient energy of its LR.

    Photos are mostly sky and wall; this shows the network more of what is hard. Four flat crops
    are equally likely. Raises ValueError as `paired_crop` does.
    """
    crops = [paired_crop(pair, scale=scale, hr_patch=hr_patch, rng=rng) for _ in range(CANDIDATES)]
    energies = np.array([gradient_energy(lr) for lr, _ in crops])
    rising = np.cumsum(energies if energies.any() else np.ones(CANDIDATES))
    return crops[int(np.searchsorted(rising, rng.random() * rising[-1], side="right"))]


def gradient_energy(pixels: Pixels) -> float:
    """Return the mean squared difference of neighbours in the green channel, down plus across.

    pixels: (h, w, 3). 0 for a flat patch, and along a direction with one pixel only.
    """
    green = pixels[..., 1].astype(np.float32)
    steps = (green[1:] - green[:-1], green[:, 1:] - green[:, :-1])
    return sum(float(np.vdot(step, step)) / max(step.size, 1) for step in steps)


def augment(
    lr: Pixels, hr: Pixels, settings: CropSettings, *, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Return both patches flipped and turned in the same way; they are views.

    Always takes the same three numbers from `rng`, so that settings do not shift later draws.
    """
    across, down, turns = rng.random() < 0.5, rng.random() < 0.5, int(rng.random() * 4)
    if settings.flip != "none" and across:
        lr, hr = lr[:, ::-1], hr[:, ::-1]
    if settings.flip == "both" and down:
        lr, hr = lr[::-1], hr[::-1]
    if settings.rotate:
        lr, hr = np.rot90(lr, turns), np.rot90(hr, turns)
    return lr, hr
