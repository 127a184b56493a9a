"""One road to a trained generator, whatever it is called: our models, runs, checkpoints, files."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from upres.errors import BadSetting, BadWeights, suggestion
from upres.networks.build import GeneratorSettings, build_generator, receptive_radius
from upres.weights import hub
from upres.weights.checkpoint import CheckpointHeader, is_ours, parse_header
from upres.weights.download import Progress
from upres.weights.foreign import read_with_spandrel
from upres.weights.ncnn import is_ncnn, read_ncnn
from upres.weights.published import check_sha256, fetch, find
from upres.weights.published_models import PUBLISHED_MODELS, PublishedModel, published_model
from upres.weights.recognise import Foreign, UnknownNetwork, recognise, unwrap
from upres.weights.tensors import file_sha256, fill, read_any

FAR = 1 << 16  # LR pixels: how far a network may see of which nothing is known

_ZOO = Path(__file__).parent / "zoo"
_RUN_FILE = "model.safetensors"


@dataclass(frozen=True)
class Model:
    """A generator that is ready to enlarge pictures."""

    network: nn.Module  # eval mode, float32, on the CPU
    architecture: GeneratorSettings | str  # ours, or the name that spandrel gives it
    scale: int
    name: str  # as the user called it
    sha256: str  # of its file
    header: CheckpointHeader | None  # None: the file of another program
    published: PublishedModel | None = None  # what it was downloaded as

    @property
    def settings(self) -> GeneratorSettings:
        """How to build it again. Raises BadWeights for a network that only spandrel has."""
        if isinstance(self.architecture, str):
            raise BadWeights(
                f"{self.name} is a {self.architecture} network, which is read by spandrel and can "
                "only enlarge and be judged, expected a network of this program (`upres describe "
                "RECIPE` shows each): take another model."
            )
        return self.architecture

    @property
    def borrowed(self) -> bool:
        """Whether spandrel made it: it computes in float32 alone."""
        return isinstance(self.architecture, str)

    @property
    def radius(self) -> int:
        """How many LR pixels around a pixel can change it; FAR where nothing is known."""
        if isinstance(self.architecture, str):
            return FAR
        return receptive_radius(self.architecture, self.scale)


def zoo_names() -> tuple[str, ...]:
    """Return the names of the models that are installed with the program, sorted."""
    return tuple(sorted(path.stem for path in _ZOO.glob("*.safetensors")))


def zoo_file(name: str) -> Path:
    """Return the file of an installed model; `name` is one of `zoo_names`."""
    return _ZOO / f"{name}.safetensors"


def load_model(name_or_path: str | Path, *, progress: Progress | None = None) -> Model:
    """Return the model of that name, or in that file or folder.

    A name is one of `zoo_names`, or of a published network (`published_models`), which is
    downloaded where it is not on this machine (progress: bytes so far, bytes in all), or
    `hf:owner/name` on the Hugging Face hub. A folder is a run, or a stage of one, or what
    `save_pretrained` wrote. A file is a checkpoint of ours, another program's `.pth` or
    `.safetensors`, recognised by its tensors, or one of an ncnn pair `.param` and `.bin`.
    Raises BadSetting for an unknown name (the nearest is named), MissingWeights where a download
    fails, BadWeights for a file that is unsafe, damaged, incomplete, or of an unknown network.
    """
    name = str(name_or_path)
    published = None if name in zoo_names() else published_model(name)
    path = _file_of(name) if published is None else _published_file(published, progress)
    if is_ncnn(path):
        return _filled(read_ncnn(path), path.with_suffix(".bin"), name)
    metadata, content = read_any(path)
    header = parse_header(path, metadata) if is_ours(metadata) else None
    tensors = unwrap(content, str(path))
    if header is not None:
        found = Foreign(header.generator, header.scale, tensors)
        return _filled(found, path, name, header)
    try:
        found = recognise(tensors, str(path))
    except UnknownNetwork as unknown:
        network, scale, architecture = read_with_spandrel(tensors, str(path), unknown)
        return Model(network, architecture, scale, name, file_sha256(path), None)
    return _filled(found, path, name, published=published)


def _filled(
    found: Foreign,
    path: Path,
    name: str,
    header: CheckpointHeader | None = None,
    published: PublishedModel | None = None,
) -> Model:
    network = build_generator(found.settings, found.scale, seed=0)
    fill(network, found.tensors, str(path))
    sha256 = file_sha256(path)
    return Model(network.eval(), found.settings, found.scale, name, sha256, header, published)


def _published_file(model: PublishedModel, progress: Progress | None) -> Path:
    found = find(model.name)
    if found is None:
        return fetch(model.name, progress)
    check_sha256(model.name, found)
    return found.path


def _file_of(name: str) -> Path:
    if name in zoo_names():
        return zoo_file(name)
    if name.startswith(hub.PREFIX):
        return hub.fetch_from_hub(name)
    path = Path(name)
    if path.is_dir():
        if not (path / _RUN_FILE).is_file():
            raise BadWeights(
                f"{path} is a folder without {_RUN_FILE}, expected a run that is finished or one "
                "of its stages: finish the run, or give a checkpoint file inside it."
            )
        return path / _RUN_FILE
    if path.suffix or len(path.parts) > 1 or path.is_file():
        return path  # said to be missing, where it is read
    known = (*zoo_names(), *(model.name for model in PUBLISHED_MODELS))
    raise BadSetting(
        f"{name!r} is neither a model of this program nor a file or a folder, "
        f"{suggestion(name, known)}"
    )
