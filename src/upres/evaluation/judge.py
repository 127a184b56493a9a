"""Scores of SR pictures against their HR: one picture, one model, one evaluation.

The result is also a file: `Evaluation.model_dump_json` writes what `model_validate_json` reads.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator

from upres.evaluation.given_lr import LrDifference
from upres.evaluation.measures import Measure, Seen
from upres.evaluation.protocols import Protocol
from upres.images import colour
from upres.metrics.known import Metric, checked

Pixels = NDArray[np.uint8]  # (h, w, 3) RGB, or (h, w) luma that was enlarged alone
Enlarge = Callable[[Pixels], Pixels]
Measures = Mapping[str, tuple[Metric, Measure]]  # by their keys in a row

BATCH_PIXELS = 500_000  # HR pixels that are scored at once, if pictures have one size

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
    """What one picture scored, by the keys of `metrics.known`: `psnr_y` in dB, `lpips_alex`."""

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
    trained_on: tuple[str, ...] = ()  # metrics that were a loss of this model: no headline for it


class Failure(BaseModel, frozen=True):
    """A picture that could not be judged, for any row, and why."""

    image: str
    reason: str


class Evaluation(BaseModel, frozen=True):
    """Rows that may be compared, and the conditions that make them comparable."""

    protocol: str
    rows: list[Row]
    scale: int | None = None
    lr: str | None = None  # the resizer that made it, or "given"
    enlarged_by: str | None = None  # whose bicubic the row `bicubic` is
    border: int | None = None  # HR pixels left out on each side; LPIPS sees the whole picture
    colour: str | None = None
    ssim: str | None = None
    given_lr: LrDifference | None = None  # how given LR differ from the protocol's
    failed: tuple[Failure, ...] = ()


def evaluation(
    protocol: Protocol,
    scale: int,
    rows: list[Row],
    *,
    failed: Sequence[Failure] = (),
    given_lr: LrDifference | None = None,
) -> Evaluation:
    """Return `rows` together with the conditions that they were measured under."""
    return Evaluation(
        protocol=protocol.name,
        rows=rows,
        scale=scale,
        lr=protocol.lr_source,
        enlarged_by=protocol.enlarged_by,
        border=protocol.border_pixels(scale),
        colour=protocol.compared,
        ssim=protocol.ssim,
        given_lr=given_lr,
        failed=tuple(failed),
    )


def judge(
    super_resolve: Callable[[JudgedPair], Pixels],
    pairs: Iterable[JudgedPair],
    protocol: Protocol,
    *,
    scale: int,
    measures: Measures,
    seen: Callable[[JudgedPair, Pixels], None] = lambda pair, sr: None,
) -> list[ImageScores]:
    """Return the scores of what `super_resolve` makes of each pair, in the order of `pairs`.

    measures: `evaluation.measures.measures_for`. seen: is given each SR picture once it was made.
    Neighbours of one size are scored together.
    """

    def made() -> Iterator[tuple[JudgedPair, Pixels]]:
        for pair in pairs:
            sr = super_resolve(pair)
            seen(pair, sr)
            yield pair, sr

    return list(
        chain.from_iterable(
            score(batch, protocol, scale=scale, measures=measures) for batch in _batches(made())
        )
    )


def score(
    batch: Sequence[tuple[JudgedPair, Pixels]],
    protocol: Protocol,
    *,
    scale: int,
    measures: Measures,
) -> list[ImageScores]:
    """Return the scores of SR pictures that all have one size, with the pairs they are made of.

    Raises ValueError if an SR has another size than its HR, or a metric a value out of its range.
    """
    for pair, sr in batch:
        if sr.shape[:2] != pair.hr.shape[:2]:
            raise ValueError(f"{pair.name}: sr is {sr.shape} but hr is {pair.hr.shape}")
    pairs, srs = [pair for pair, _ in batch], [sr for _, sr in batch]
    hrs = [pair.hr for pair in pairs]
    seen = Seen(
        names=tuple(pair.name for pair in pairs),
        sr=np.stack(srs),
        hr=np.stack(hrs),
        lr=np.stack([pair.lr for pair in pairs]),
        compared=(_compared(srs, pairs, protocol), _compared(hrs, pairs, protocol)),
        border=protocol.border_pixels(scale),
        scale=scale,
        protocol=protocol,
    )
    columns = {
        key: [checked(metric, value) for value in measure(seen).tolist()]
        for key, (metric, measure) in measures.items()
    }
    return [
        ImageScores(image=pair.name, metrics={key: column[i] for key, column in columns.items()})
        for i, pair in enumerate(pairs)
    ]


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
    model: str,
    dataset: str,
    scores: list[ImageScores],
    weights_sha256: str | None = None,
    trained_on: tuple[str, ...] = (),
) -> Row:
    """Return the row of one model: its scores and their means."""
    exact = sum(any(math.isinf(s.metrics[name]) for name in _psnr(s)) for s in scores)
    return Row(
        model=model,
        dataset=dataset,
        metrics=mean_metrics(scores),
        per_image=scores,
        exact_images=exact,
        weights_sha256=weights_sha256,
        trained_on=trained_on,
    )


def _psnr(scores: ImageScores) -> list[str]:
    return [name for name in scores.metrics if name.startswith("psnr_")]


def _batches(
    made: Iterable[tuple[JudgedPair, Pixels]],
) -> Iterator[list[tuple[JudgedPair, Pixels]]]:
    """Yield neighbours whose pictures have one size, at most BATCH_PIXELS together."""
    batch: list[tuple[JudgedPair, Pixels]] = []
    for pair, sr in made:
        height, width = sr.shape[:2]
        full = (len(batch) + 1) * height * width > BATCH_PIXELS
        if batch and (full or batch[0][1].shape != sr.shape):
            yield batch
            batch = []
        batch.append((pair, sr))
    if batch:
        yield batch


def _compared(
    pictures: Sequence[Pixels], pairs: Sequence[JudgedPair], protocol: Protocol
) -> torch.Tensor:
    """Return (n, c, h, w), float64, 0..255: what the protocol compares of pictures."""
    planes = [_planes(p, protocol, pair.grey) for p, pair in zip(pictures, pairs, strict=True)]
    return torch.from_numpy(np.stack(planes))


def _planes(picture: Pixels, protocol: Protocol, grey: bool) -> NDArray[np.float64]:
    if picture.ndim == 2:
        return picture.astype(np.float64)[None]
    if protocol.space == "rgb":
        return picture.transpose(2, 0, 1).astype(np.float64)
    return colour.luma(colour.grey(picture) if grey else picture, protocol.y_rounded)[None]
