"""What can be judged: the plain kernels, networks, and folders of pictures made elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from upres.errors import BadPhotos, BadSetting, suggestion
from upres.evaluation.judge import Enlarge, Evaluation, JudgedPair, Pixels, evaluation, row, score
from upres.evaluation.pairs import PairFolder, named_like
from upres.evaluation.protocols import Protocol
from upres.images.files import read_rgb
from upres.images.resize import KERNELS, Kernel, enlarge
from upres.networks.build import receptive_radius
from upres.networks.lpips import LPIPS
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import Model, load_model, zoo_names

DEFAULT_SCALE = 4
IMAGES = "images:"  # what stands before a folder of finished SR pictures

SuperResolve = Callable[[JudgedPair], Pixels]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A row to be: its name as given, and how it comes to the SR of a pair."""

    name: str
    super_resolve: SuperResolve
    weights_sha256: str | None = None
    finished: bool = False  # the SR are files, so they can be missing or have wrong sizes


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
    lpips: LPIPS | None = None,
    seen: Seen = lambda candidate, pair, sr: None,
) -> Evaluation:
    """Return a row for each candidate; `seen` is given each SR picture once it was scored.

    Raises BadPhotos for finished pictures that are missing or of a wrong size, before any work.
    """
    for candidate in candidates:
        for pair in pairs if candidate.finished else ():
            candidate.super_resolve(pair)
    rows = []
    for candidate in candidates:
        scores = []
        for pair in pairs:
            sr = candidate.super_resolve(pair)
            scores.append(score(sr, pair, protocol, scale=scale, lpips=lpips))
            seen(candidate, pair, sr)
        rows.append(row(candidate.name, dataset, scores, candidate.weights_sha256))
    return evaluation(protocol, scale, rows)


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
            return Candidate(name, _from_lr(partial(_by_kernel, scale=scale, kernel=kernel)))
    if model is None:
        folder = Path(name.removeprefix(IMAGES))
        read = partial(_read_finished, folder=folder, scale=scale)
        return Candidate(name, read, finished=True)
    radius = receptive_radius(model.settings, model.scale)
    # float32: a number in a table must not depend on what the processor is quick in
    upscaler = Upscaler(model.network, model.scale, radius, precision="float32")
    return Candidate(name, _from_lr(upscaler.enlarge), model.sha256)


def _from_lr(enlarge_lr: Enlarge) -> SuperResolve:
    return lambda pair: enlarge_lr(pair.lr)


def _by_kernel(lr: Pixels, *, scale: int, kernel: Kernel) -> Pixels:
    return enlarge(lr, scale, kernel, "matlab")


def _read_finished(pair: JudgedPair, *, folder: Path, scale: int) -> Pixels:
    (path,) = named_like([Path(pair.name)], folder, scale)
    sr = read_rgb(path)
    (height, width), (h, w) = sr.shape[:2], pair.hr.shape[:2]
    if (height, width) != (h, w):
        raise BadPhotos(
            f"{path} is {width}x{height}, but {pair.name} at scale {scale} is judged at {w}x{h}; "
            f"make it again from the same HR."
        )
    return sr
