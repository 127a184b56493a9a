"""Shrinking and enlarging by fixed kernels, in the dialects that published numbers depend on.

A resizer is a choice of kernel, antialiasing, edge and rounding. The names and what they mean:

matlab         imresize on doubles, rounded once: the LR of `sr-y` and `sr-y-float`
matlab-legacy  imresize of old releases on uint8: the LR files that SelfExSR published
pillow         Pillow's BICUBIC, by Pillow itself
opencv         cv2.INTER_CUBIC: a = -0.75 and no antialiasing, so a shrunk picture is aliased
torch          torch's bicubic with antialias=True, computed on floats, rounded once
paper-a        paper A's chain: Pillow makes a blurry HR, OpenCV shrinks it

Pictures are arrays (H, W) or (H, W, C). All but Pillow run through one computation: for each
output position of an axis the input positions it reads and their weights.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Resizer = Literal["matlab", "matlab-legacy", "pillow", "opencv", "torch"]
ResizerName = Literal["matlab", "matlab-legacy", "pillow", "opencv", "torch", "paper-a"]
RESIZERS: tuple[ResizerName, ...] = get_args(ResizerName)
Kernel = Literal["nearest", "bicubic", "lanczos"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

Depth = TypeVar("Depth", np.uint8, np.uint16)
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def shrink(hr: Bytes, scale: int, resizer: ResizerName = "matlab") -> Bytes:
    """Return the LR picture: `hr` made `scale` times as small with the bicubic of `resizer`.

    hr: uint8, (H, W) or (H, W, C), sides multiples of `scale` (see `crop_to_multiple`).
    Raises ValueError for other sides.
    """
    height, width = hr.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"hr is {width}x{height}, whose sides are no multiples of {scale}")
    if resizer == "paper-a":
        return shrink_blurred(hr, scale)
    return _resized(hr, height // scale, width // scale, "bicubic", resizer)


def shrink_blurred(hr: Bytes, scale: int) -> Bytes:
    """Return paper A's LR: HR to LR and back by Pillow ("blurry"), then OpenCV's bicubic.

    The blur acts as the antialias filter that OpenCV lacks; without it bicubic scores 1.4 dB
    less. The paper does not say how it blurs: this chain meets its bicubic row to 0.06 dB.
    """
    blurry = enlarge(shrink(hr, scale, "pillow"), scale, "bicubic", "pillow")
    return shrink(blurry, scale, "opencv")


def enlarge(
    lr: NDArray[Depth],
    scale: int,
    kernel: Kernel = "bicubic",
    resizer: ResizerName = "matlab",
) -> NDArray[Depth]:
    """Return `lr` made `scale` times as large; `paper-a` enlarges as `opencv` does.

    lr: uint8 or uint16, (H, W) or (H, W, C). "lanczos" has three lobes.
    Raises ValueError for lanczos in the dialects `opencv` and `torch`, which lack this one,
    and for uint16 in `pillow`.
    """
    if kernel == "nearest":
        return lr.repeat(scale, axis=0).repeat(scale, axis=1)
    dialect: Resizer = "opencv" if resizer == "paper-a" else resizer
    if kernel == "lanczos" and dialect in ("opencv", "torch"):
        raise ValueError(f"{dialect} has no Lanczos kernel of three lobes")
    return _resized(lr, lr.shape[0] * scale, lr.shape[1] * scale, kernel, dialect)


def taps_for(size: int, out: int, kernel: Kernel, resizer: Resizer) -> "Taps":
    """Return which samples of an axis of `size` make each of the `out` samples, and how much.

    Raises ValueError for `nearest`.
    """
    return _taps(size, out, kernel, _DIALECTS[resizer])


def resize_float(
    picture: Floats, height: int, width: int, resizer: Resizer, kernel: Kernel = "bicubic"
) -> Floats:
    """Return `picture` at (height, width), neither rounded nor clamped.

    `pillow` is here the same kernel and edges as Pillow's, without its rounding.
    Raises ValueError for `nearest`.
    """
    rows = _taps(picture.shape[0], height, kernel, _DIALECTS[resizer])
    columns = _taps(picture.shape[1], width, kernel, _DIALECTS[resizer])
    return along_columns(_along_rows(picture, rows), columns)


def crop_to_multiple(picture: NDArray[Depth], scale: int) -> NDArray[Depth]:
    """Return the top left part of `picture` whose sides are multiples of `scale` (a view)."""
    height, width = picture.shape[:2]
    return picture[: height - height % scale, : width - width % scale]


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """What tells one bicubic from another."""

    a: float  # of Keys' cubic
    antialias: bool  # is the kernel widened when shrinking
    edge: Literal["symmetric", "replicate", "drop"]  # c b a|a b c, a a a|a b c, renormalised
    rounds_each_pass: bool = False


_DIALECTS: dict[Resizer, _Dialect] = {
    "matlab": _Dialect(a=-0.5, antialias=True, edge="symmetric"),
    "matlab-legacy": _Dialect(a=-0.5, antialias=True, edge="replicate", rounds_each_pass=True),
    "pillow": _Dialect(a=-0.5, antialias=True, edge="drop", rounds_each_pass=True),
    "opencv": _Dialect(a=-0.75, antialias=False, edge="replicate"),
    "torch": _Dialect(a=-0.5, antialias=True, edge="drop"),
}


@dataclass(frozen=True)
class Taps:
    """For each output position of an axis: input positions and weights, (outputs, taps)."""

    positions: Indices
    weights: Floats


def _resized(
    picture: NDArray[Depth], height: int, width: int, kernel: Kernel, resizer: Resizer
) -> NDArray[Depth]:
    if resizer == "pillow":
        return _by_pillow(picture, height, width, kernel)
    dialect = _DIALECTS[resizer]
    rows = _taps(picture.shape[0], height, kernel, dialect)
    columns = _taps(picture.shape[1], width, kernel, dialect)
    half = _along_rows(picture, rows)
    if dialect.rounds_each_pass:
        half = _rounded(half, picture.dtype).astype(np.float64)
    return _rounded(along_columns(half, columns), picture.dtype)


def _by_pillow(picture: NDArray[Depth], height: int, width: int, kernel: Kernel) -> NDArray[Depth]:
    if picture.dtype != np.uint8:
        raise ValueError(f"Pillow resizes 8-bit pictures, not {picture.dtype}")
    method = Image.Resampling.LANCZOS if kernel == "lanczos" else Image.Resampling.BICUBIC
    planes = picture.reshape(*picture.shape[:2], -1)
    resized = [
        np.asarray(Image.fromarray(planes[..., c]).resize((width, height), method))
        for c in range(planes.shape[2])  # one by one: Pillow has no mode for every channel count
    ]
    return np.stack(resized, axis=-1).reshape(height, width, *picture.shape[2:])


def _rounded(picture: Floats, depth: np.dtype[Depth]) -> NDArray[Depth]:
    """Round half up, as MATLAB does with positive numbers, and clamp to the depth's range."""
    return np.floor(picture + 0.5).clip(0, np.iinfo(depth).max).astype(depth)


def _taps(size: int, out: int, kernel: Kernel, dialect: _Dialect) -> Taps:
    """Return which samples of an axis of `size` make each of the `out` samples."""
    widening = max(size / out, 1.0) if dialect.antialias else 1.0
    support = _radius(kernel) * widening
    centres = (np.arange(out) + 0.5) * (size / out) - 0.5
    first = np.floor(centres - support).astype(np.int64)
    positions = first[:, None] + np.arange(math.ceil(2 * support) + 2)
    weights = _kernel((positions - centres[:, None]) / widening, kernel, dialect.a)
    if dialect.edge == "drop":
        weights = weights * ((positions >= 0) & (positions < size))
    weights /= weights.sum(axis=1, keepdims=True)
    used = (weights != 0).any(axis=0)
    return Taps(_folded(positions[:, used], size, dialect.edge), weights[:, used])


def _folded(positions: Indices, size: int, edge: str) -> Indices:
    if edge == "symmetric":
        positions = positions % (2 * size)
        return np.minimum(positions, 2 * size - 1 - positions)
    return positions.clip(0, size - 1)


def _radius(kernel: Kernel) -> float:
    if kernel == "nearest":
        raise ValueError("nearest is no kernel with weights: use enlarge()")
    return 3.0 if kernel == "lanczos" else 2.0


def _kernel(x: Floats, kernel: Kernel, a: float) -> Floats:
    """Return the kernel's values: Keys' cubic of parameter `a`, or Lanczos with three lobes."""
    t = np.abs(x)
    if kernel == "lanczos":
        return np.where(t < 3, np.sinc(t) * np.sinc(t / 3), 0.0)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def _along_rows(picture: NDArray[Depth] | Floats, taps: Taps) -> Floats:
    """Return the weighted sums of whole rows: (H, ...) to (outputs, ...)."""
    flat = picture.reshape(picture.shape[0], -1)
    total = np.zeros((len(taps.weights), flat.shape[1]))
    for t in range(taps.weights.shape[1]):
        total += flat[taps.positions[:, t]] * taps.weights[:, t, None]
    return total.reshape(-1, *picture.shape[1:])


def along_columns(picture: Floats, taps: Taps) -> Floats:
    """Return the weighted sums of columns: (H, W, ...) to (H, outputs, ...)."""
    return _along_rows(picture.swapaxes(0, 1), taps).swapaxes(0, 1)
