"""What can be judged: the plain kernels, networks, and folders of pictures made elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from upres.errors import BadPhotos, BadPicture, BadSetting, suggestion
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
from upres.evaluation.pairs import PairFolder, named_like
from upres.evaluation.protocols import Protocol
from upres.images.files import read_rgb
from upres.images.resize import KERNELS, Kernel, enlarge
from upres.networks.build import receptive_radius
from upres.recipes.learnt import metrics_learnt
from upres.upscaling.upscaler import Upscaler
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


def resolve_rows(names: Sequence[str], scale: int | None) -> tuple[list[Candidate], int]:
    """Return the candidates of these names, and the scale that they share.

    names: nearest, bicubic, lanczos; what `weights.model.load_model` takes; `images:FOLDER`.
    scale: None takes the networks' scale, or 4 without any network.
    Raises BadSetting for an unknown name or unlike scales, BadWeights for a damaged file.
    """
    models = {name: _load(name) for name in names if not _has_any_scale(name)}
    shared = _shared_scale({name: model.scale for name, model in models.items()}, scale)
    return [_candidate(name, models.get(name), shared) for name in names], shared


def compare(
    candidates: Sequence[Candidate],
    pairs: PairFolder | Sequence[JudgedPair],
    protocol: Protocol,
    *,
    scale: int,
    dataset: str,
    measures: Measures,
    seen: Seen = lambda candidate, pair, sr: None,
) -> Evaluation:
    """Return a row for each candidate; `seen` is given each SR picture once it was made.

    A finished picture that cannot be read is left out for all rows and listed as failed.
    Raises BadPhotos for finished pictures that are missing or of a wrong size, BadSetting for a
    network under a protocol that enlarges luma alone; both before any work.
    """
    failed = list(pairs.failed) if isinstance(pairs, PairFolder) else []
    unreadable = _unreadable(candidates, pairs, protocol)
    failed += unreadable
    left_out = {failure.image for failure in unreadable}

    def scored(candidate: Candidate) -> Row:
        scores = judge(
            lambda pair: candidate.super_resolve(pair, protocol),
            (pair for pair in pairs if pair.name not in left_out),
            protocol,
            scale=scale,
            measures=measures,
            seen=partial(seen, candidate),
        )
        return row(candidate.name, dataset, scores, candidate.weights_sha256, candidate.trained_on)

    return evaluation(protocol, scale, [scored(candidate) for candidate in candidates], failed)


def _unreadable(
    candidates: Sequence[Candidate], pairs: PairFolder | Sequence[JudgedPair], protocol: Protocol
) -> list[Failure]:
    """Return what of the finished pictures cannot be read; every one of them is looked at."""
    failed: dict[str, Failure] = {}
    for candidate in candidates:
        if protocol.chain == "y" and candidate.weights_sha256 is not None:
            raise BadSetting(
                f"protocol {protocol.name} enlarges luma alone, which {candidate.name} cannot: it "
                f"takes RGB pictures; judge it by sr-y."
            )
        for pair in pairs if candidate.finished else ():
            try:
                candidate.super_resolve(pair, protocol)
            except BadPicture as error:
                failed.setdefault(pair.name, Failure(image=pair.name, reason=str(error)))
    return list(failed.values())


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
        read = partial(_read_finished, folder=folder, scale=scale)
        return Candidate(name, read, finished=True)
    radius = receptive_radius(model.settings, model.scale)
    # float32: a number in a table must not depend on what the processor is quick in
    upscaler = Upscaler(model.network, model.scale, radius, precision="float32")
    recipe = None if model.header is None else model.header.recipe
    return Candidate(
        name,
        _from_lr(upscaler.enlarge),
        model.sha256,
        trained_on=metrics_learnt(recipe or {}),
    )


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


def _read_finished(pair: JudgedPair, protocol: Protocol, *, folder: Path, scale: int) -> Pixels:
    (path,) = named_like([Path(pair.name)], folder, scale)
    sr = read_rgb(path)
    (height, width), (h, w) = sr.shape[:2], pair.hr.shape[:2]
    if (height, width) != (h, w):
        raise BadPhotos(
            f"{path} is {width}x{height}, but {pair.name} at scale {scale} is judged at {w}x{h}; "
            f"make it again from the same HR."
        )
    return sr
