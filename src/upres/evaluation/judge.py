"""Scores of SR pictures against their HR: one picture, one model, one evaluation.

The result is also a file: `Evaluation.model_dump_json` writes what `model_validate_json` reads.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator

from upres.evaluation.protocols import Protocol
from upres.images import colour
from upres.metrics.lpips import lpips_distance
from upres.metrics.psnr import psnr
from upres.metrics.ssim import ssim
from upres.networks.lpips import LPIPS

Pixels = NDArray[np.uint8]  # (h, w, 3) RGB
Enlarge = Callable[[Pixels], Pixels]

# JSON has no infinity, so the PSNR of a picture that was restored exactly is null there
Score = Annotated[float, BeforeValidator(lambda value: math.inf if value is None else value)]


@dataclass(frozen=True, eq=False)
class JudgedPair:
    """An HR picture whose sides are multiples of the scale, and its LR.

    grey: the picture has one channel, repeated here; its value is compared, not its luma.
    """

    name: str
    lr: Pixels
    hr: Pixels
    grey: bool = False


class ImageScores(BaseModel, frozen=True):
    """What one picture scored: `psnr_y` in dB, `ssim_y`, `lpips_alex`, or `..._rgb`."""

    image: str
    metrics: dict[str, Score]


class Row(BaseModel, frozen=True):
    """What one model scored on one set: means, and the pictures they are the means of."""

    model: str
    dataset: str
    metrics: dict[str, Score]
    per_image: list[ImageScores]
    exact_images: int = 0  # restored exactly: PSNR is infinite, left out of its mean
    weights_sha256: str | None = None


class Evaluation(BaseModel, frozen=True):
    """Rows that may be compared, and the conditions that make them comparable."""

    protocol: str
    rows: list[Row]
    scale: int | None = None
    lr: str | None = None  # the resizer that made it, or "given"
    border: int | None = None  # HR pixels left out on each side; LPIPS sees the whole picture
    colour: str | None = None
    ssim: str | None = None


def evaluation(protocol: Protocol, scale: int, rows: list[Row]) -> Evaluation:
    """Return `rows` together with the conditions that they were measured under."""
    luma = "BT.601 luma, rounded" if protocol.y_rounded else "BT.601 luma, not rounded"
    return Evaluation(
        protocol=protocol.name,
        rows=rows,
        scale=scale,
        lr="given" if protocol.given_lr else protocol.lr_resizer,
        border=protocol.border_pixels(scale),
        colour=luma if protocol.space == "y" else "RGB",
        ssim=protocol.ssim,
    )


def judge(
    enlarge: Enlarge,
    pairs: Iterable[JudgedPair],
    protocol: Protocol,
    *,
    scale: int,
    lpips: LPIPS | None = None,
) -> list[ImageScores]:
    """Return the scores of what `enlarge` makes of each LR, in the order of `pairs`."""
    return [score(enlarge(pair.lr), pair, protocol, scale=scale, lpips=lpips) for pair in pairs]


def score(
    sr: Pixels, pair: JudgedPair, protocol: Protocol, *, scale: int, lpips: LPIPS | None = None
) -> ImageScores:
    """Return the scores of one SR picture. LPIPS sees all of its 8-bit RGB, border included.

    Raises ValueError if `sr` has another size than the HR.
    """
    if sr.shape != pair.hr.shape:
        raise ValueError(f"{pair.name}: sr is {sr.shape} but hr is {pair.hr.shape}")
    compared, expected = (_compared(p, protocol, pair.grey) for p in (sr, pair.hr))
    border = protocol.border_pixels(scale)
    metrics = {
        f"psnr_{protocol.space}": float(psnr(compared, expected, border=border)),
        f"ssim_{protocol.space}": float(ssim(compared, expected, border=border)),
    }
    if lpips is not None:
        metrics["lpips_alex"] = lpips_distance(lpips, sr, pair.hr)
    return ImageScores(image=pair.name, metrics=metrics)


def mean_metrics(scores: Sequence[ImageScores]) -> dict[str, float]:
    """Return the mean of each metric over the pictures; infinite values are left out.

    One picture restored exactly would make the mean infinite; where all were, it is.
    """
    means = {}
    for name in scores[0].metrics if scores else ():
        finite = [s.metrics[name] for s in scores if not math.isinf(s.metrics[name])]
        means[name] = math.fsum(finite) / len(finite) if finite else math.inf
    return means


def row(
    model: str, dataset: str, scores: list[ImageScores], weights_sha256: str | None = None
) -> Row:
    """Return the row of one model: its scores and their means."""
    exact = sum(any(math.isinf(value) for value in s.metrics.values()) for s in scores)
    return Row(
        model=model,
        dataset=dataset,
        metrics=mean_metrics(scores),
        per_image=scores,
        exact_images=exact,
        weights_sha256=weights_sha256,
    )


def _compared(picture: Pixels, protocol: Protocol, grey: bool) -> torch.Tensor:
    """Return (1, c, h, w), float64, 0..255: what the protocol compares of a picture."""
    if protocol.space == "rgb":
        planes = picture.transpose(2, 0, 1).astype(np.float64)
    elif grey:
        planes = colour.luma(colour.grey(picture), protocol.y_rounded)[None]
    else:
        planes = colour.luma(picture, protocol.y_rounded)[None]
    return torch.from_numpy(planes)[None]
