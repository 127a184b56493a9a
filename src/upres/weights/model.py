"""One road to a trained generator, whatever it is called: our models, runs, checkpoints, files."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from upres.errors import BadSetting, BadWeights, suggestion
from upres.networks.build import GeneratorSettings, build_generator
from upres.weights.checkpoint import CheckpointHeader, is_ours, parse_header
from upres.weights.recognise import recognise, unwrap
from upres.weights.tensors import file_sha256, fill, read_any

_ZOO = Path(__file__).parent / "zoo"
_RUN_FILE = "model.safetensors"


@dataclass(frozen=True)
class Model:
    """A generator that is ready to enlarge pictures."""

    network: nn.Module  # eval mode, float32, on the CPU
    settings: GeneratorSettings
    scale: int
    name: str  # as the user called it
    sha256: str  # of its file
    header: CheckpointHeader | None  # None: the file of another program


def zoo_names() -> tuple[str, ...]:
    """Return the names of the models that are installed with the program, sorted."""
    return tuple(sorted(path.stem for path in _ZOO.glob("*.safetensors")))


def zoo_file(name: str) -> Path:
    """Return the file of an installed model; `name` is one of `zoo_names`."""
    return _ZOO / f"{name}.safetensors"


def load_model(name_or_path: str | Path) -> Model:
    """Return the model of that name, or in that file or folder.

    A name is one of `zoo_names`. A folder is a run, or a stage of one, that holds
    model.safetensors. A file is a checkpoint of ours or another program's `.pth` or
    `.safetensors`, recognised by its tensors.
    Raises BadSetting for an unknown name (the nearest is named), BadWeights for a file that is
    unsafe, damaged, incomplete, or of an unknown network.
    """
    name = str(name_or_path)
    path = _file_of(name)
    metadata, content = read_any(path)
    header = parse_header(path, metadata) if is_ours(metadata) else None
    tensors = unwrap(content, str(path))
    if header is not None:
        settings, scale = header.generator, header.scale
    else:
        settings, scale, tensors = recognise(tensors, str(path))
    network = build_generator(settings, scale, seed=0)
    fill(network, tensors, str(path))
    return Model(network.eval(), settings, scale, name, file_sha256(path), header)


def _file_of(name: str) -> Path:
    if name in zoo_names():
        return zoo_file(name)
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
    raise BadSetting(
        f"{name!r} is neither a model of this program nor a file or a folder, "
        f"{suggestion(name, zoo_names())}"
    )
