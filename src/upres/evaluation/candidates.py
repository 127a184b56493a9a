"""What can be judged: the plain kernels, networks, and folders of pictures made elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from upres.errors import BadPhotos, BadPicture, BadSetting, suggestion
from upres.evaluation.given_lr import Counted, LrDifference, count_equal, lr_difference
from upres.evaluation.judge import (
    Enlarge,
    Evaluation,
    Failure,
    JudgedPair,
    Measures,
    Pixels,
    Row,
    evaluation,
    judge,
    row,
)
from upres.evaluation.luma_chain import enlarged_luma
from upres.evaluation.pairs import PairFolder, file_like, pictures_by_stem
from upres.evaluation.protocols import Protocol, make_lr
from upres.evaluation.sharing import ALONE, Hands, Numbers, by_all
from upres.images.files import read_rgb
from upres.images.resize import KERNELS, Kernel, enlarge
from upres.recipes.learnt import metrics_learnt
from upres.upscaling.upscaler import Upscaler
from upres.weights.checkpoint import recipes_in
from upres.weights.model import Model, load_model, zoo_names

DEFAULT_SCALE = 4
IMAGES = "images:"  # what stands before a folder of finished SR pictures

SuperResolve = Callable[[JudgedPair, Protocol], Pixels]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A row to be: its name as given, and how it comes to the SR of a pair."""

    name: str
    super_resolve: SuperResolve
    weights_sha256: str | None = None
    finished: bool = False  # the SR are files, so they can be missing or have wrong sizes
    trained_on: tuple[str, ...] = ()  # metrics that were among its losses


Seen = Callable[[Candidate, JudgedPair, Pixels], None]
Pairs = PairFolder | Sequence[JudgedPair]


def resolve_rows(
    names: Sequence[str], scale: int | None, *, device: torch.device | str = "cpu"
) -> tuple[list[Candidate], int]:
    """Return the candidates of these names, and the scale that they share.

    names: nearest, bicubic, lanczos; what `weights.model.load_model` takes; `images:FOLDER`.
    scale: None takes the networks' scale, or 4 without any network. device: the networks'.
    Raises BadSetting for an unknown name, one that is given twice and unlike scales, BadWeights for
    a damaged file, BadPhotos for a folder without pictures.
    """
    for name in names:
        if names.count(name) > 1:
            raise BadSetting(f"{name} is given {names.count(name)} times; once is one row.")
    models = {name: _load(name) for name in names if not _has_any_scale(name)}
    for model in models.values():
        model.network.to(device)
    shared = _shared_scale({name: model.scale for name, model in models.items()}, scale)
    return [_candidate(name, models.get(name), shared) for name in names], shared


def network_candidate(name: str, model: Model) -> Candidate:
    """Return the row of a network; of an interpolated one, what its parents were trained on."""
    # float32: a number in a table must not depend on what the processor is quick in
    upscaler = Upscaler(model.network, model.scale, model.radius, precision="float32")
    learnt = {name for recipe in recipes_in(model.header) for name in metrics_learnt(recipe)}
    return Candidate(
        name,
        _from_lr(upscaler.enlarge),
        model.sha256,
        trained_on=tuple(sorted(learnt)),
    )


def compare(
    candidates: Sequence[Candidate],
    pairs: Pairs,
    protocol: Protocol,
    *,
    scale: int,
    dataset: str,
    measures: Measures,
    seen: Seen = lambda candidate, pair, sr: None,
    hands: Hands = ALONE,
) -> Evaluation:
    """Return a row for each candidate; `seen` is given each SR picture once it was made.

    A finished picture that cannot be read is left out for all rows and listed as failed.
    hands: how the pictures are shared out; each process has `seen` its own, and returns all.
    Raises BadPhotos for finished pictures that are missing or of a wrong size or all unreadable,
    BadSetting for what the protocol cannot judge; all before any work. Raises WorkFailed where a
    network's values are not finite.
    """
    _refuse(candidates, protocol, scale)
    found = by_all(len(pairs), partial(_failures, candidates, pairs, protocol), hands)
    good = [number for number, failure in enumerate(found) if failure is None]
    failed = [failure for failure in found if failure is not None]
    if not good:
        raise BadPhotos(f"none of the pictures can be judged; the first: {failed[0].reason}")

    def scored(candidate: Candidate) -> Row:
        scores = by_all(
            len(good),
            lambda places: judge(
                lambda pair: candidate.super_resolve(pair, protocol),
                (pairs[good[place]] for place in places),
                protocol,
                scale=scale,
                measures=measures,
                seen=partial(seen, candidate),
            ),
            hands,
        )
        return row(candidate.name, dataset, scores, candidate.weights_sha256, candidate.trained_on)

    return evaluation(
        protocol,
        scale,
        [scored(candidate) for candidate in candidates],
        failed=[*pairs.failed, *failed] if isinstance(pairs, PairFolder) else failed,
        given_lr=_given_lr(pairs, protocol, scale, hands) if protocol.given_lr else None,
    )


def _refuse(candidates: Sequence[Candidate], protocol: Protocol, scale: int) -> None:
    """Raise BadSetting for a candidate that the protocol cannot judge."""
    small, large = (np.zeros((8 * times, 8 * times, 3), np.uint8) for times in (1, scale))
    for candidate in candidates:
        if protocol.chain == "y" and candidate.weights_sha256 is not None:
            raise BadSetting(
                f"protocol {protocol.name} enlarges luma alone, which {candidate.name} cannot: it "
                f"takes RGB pictures; judge it by sr-y."
            )
        if candidate.weights_sha256 is None and not candidate.finished:
            candidate.super_resolve(JudgedPair("", small, large), protocol)  # quick with kernels


def _failures(
    candidates: Sequence[Candidate], pairs: Pairs, protocol: Protocol, numbers: Numbers
) -> list[Failure | None]:
    """Return for each pair why one of its finished pictures cannot be read, or None."""
    finished = [candidate for candidate in candidates if candidate.finished]
    if not finished:
        return [None for _ in numbers]
    return [_failure(finished, pairs[number], protocol) for number in numbers]


def _failure(finished: Sequence[Candidate], pair: JudgedPair, protocol: Protocol) -> Failure | None:
    for candidate in finished:
        try:
            candidate.super_resolve(pair, protocol)
        except BadPicture as error:
            return Failure(image=pair.name, reason=str(error))
    return None


def _given_lr(pairs: Pairs, protocol: Protocol, scale: int, hands: Hands) -> LrDifference:
    def work(numbers: Numbers) -> list[tuple[Counted, Counted]]:
        chosen = (pairs[number] for number in numbers)
        return [count_equal(pair.lr, make_lr(pair.hr, protocol, scale)) for pair in chosen]

    return lr_difference(by_all(len(pairs), work, hands), protocol.lr_resizer)


def _has_any_scale(name: str) -> bool:
    return name in KERNELS or name.startswith(IMAGES)


def _load(name: str) -> Model:
    try:
        return load_model(name)
    except BadSetting as error:
        known = (*KERNELS, *zoo_names())
        raise BadSetting(
            f"{name!r} is no model, no file, no folder of a run; {suggestion(name, known)}"
        ) from error


def _shared_scale(scales: dict[str, int], asked: int | None) -> int:
    shared = asked or next(iter(scales.values()), DEFAULT_SCALE)
    for name, scale in scales.items():
        if scale != shared:
            other = f"--scale is {asked}" if asked else f"{next(iter(scales))} x{shared}"
            raise BadSetting(
                f"{name} enlarges x{scale}, but {other}: models are compared at one scale, "
                f"so give it an evaluation of its own."
            )
    return shared


def _candidate(name: str, model: Model | None, scale: int) -> Candidate:
    for kernel in KERNELS:
        if name == kernel:
            return Candidate(name, partial(_by_kernel, scale=scale, kernel=kernel))
    if model is None:
        folder = Path(name.removeprefix(IMAGES))
        by_stem = pictures_by_stem(folder)
        read = partial(_read_finished, by_stem=by_stem, folder=folder, scale=scale)
        return Candidate(name, read, finished=True)
    return network_candidate(name, model)


def _from_lr(enlarge_lr: Enlarge) -> SuperResolve:
    return lambda pair, protocol: enlarge_lr(pair.lr)


def _by_kernel(pair: JudgedPair, protocol: Protocol, *, scale: int, kernel: Kernel) -> Pixels:
    if protocol.chain == "y":
        return enlarged_luma(pair.hr, protocol, scale=scale, kernel=kernel, grey=pair.grey)
    try:
        return enlarge(pair.lr, scale, kernel, protocol.enlarged_by)
    except ValueError as error:
        raise BadSetting(
            f"protocol {protocol.name} cannot judge {kernel}: {error}; ask for bicubic."
        ) from error


def _read_finished(
    pair: JudgedPair, protocol: Protocol, *, by_stem: Mapping[str, Path], folder: Path, scale: int
) -> Pixels:
    path = file_like(pair.name, by_stem, folder, scale)
    sr = read_rgb(path)
    (height, width), (h, w) = sr.shape[:2], pair.hr.shape[:2]
    if (height, width) != (h, w):
        raise BadPhotos(
            f"{path} is {width}x{height}, but {pair.name} at scale {scale} is judged at {w}x{h}; "
            f"make it again from the same HR."
        )
    return sr
