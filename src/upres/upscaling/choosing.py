"""Which weights are used: a model as it is named, or the network between two that belong together.

A pair is two networks of one kind, one trained on from the other: a model of the zoo and its
NAME-gan, the stages of a run, Real-ESRGAN and the Real-ESRNet that it was trained from, and
realesr-general-x4v3 with its twin.
"""

from pathlib import Path

from upres.errors import BadSetting
from upres.weights.checkpoint import CheckpointHeader
from upres.weights.download import Progress
from upres.weights.interpolate import interpolated
from upres.weights.model import Model, load_model, zoo_names
from upres.weights.published_models import published_model

GENERAL = "realesr-general-x4v3"
GENERAL_NOISY = "realesr-general-wdn-x4v3"
GAN = "-gan"  # behind the name of a shipped model, the name of its twin
DEFAULT = "compact-x4"
DEFAULTS = ((2, "compact-x2"), (3, "compact-x3"))  # where a scale up to this one is asked for
PUBLISHED_PAIR = ("RealESRNet_x4plus", "RealESRGAN_x4plus")


def default_model(scale: float | None, fidelity: float | None) -> str:
    """Return the shipped model that is used where none is named.

    scale: times as large, None for another way of asking for a size; fidelity: as below.
    The smallest that reaches the scale: what it makes beyond is thrown away. A size in pixels
    would ask for another model by each picture, so it does not count; nor does fidelity, which
    only one of them has a twin for.
    """
    if scale is None or fidelity is not None:
        return DEFAULT
    return next((name for most, name in DEFAULTS if scale <= most), DEFAULT)


def choose_model(
    name: str | Path,
    *,
    fidelity: float | None = None,
    denoise: float | None = None,
    progress: Progress | None = None,
) -> Model:
    """Return the model `name`, or the one between it and its twin.

    fidelity: 0..1, the share of the network trained for PSNR. denoise: 0..1, the share of
    realesr-general-x4v3 (the rest is its twin that keeps noise). progress: of downloads.
    Raises BadSetting for a model without a twin and values outside 0..1, and as `load_model`.
    """
    if fidelity is None and denoise is None:
        return load_model(name, progress=progress)
    if fidelity is not None and denoise is not None:
        raise BadSetting(
            "--fidelity and --denoise-strength both mix two networks; give one of them."
        )
    if denoise is not None:
        _refuse_outside("--denoise-strength", denoise)
        if _published(name) not in (GENERAL, GENERAL_NOISY):
            raise BadSetting(
                f"--denoise-strength mixes {GENERAL} with its twin, and the model is {name}; "
                f"give --model {GENERAL}, or leave it out."
            )
        pair, share = (GENERAL, GENERAL_NOISY), denoise
    else:
        assert fidelity is not None
        _refuse_outside("--fidelity", fidelity)
        pair, share = pair_of(name), fidelity
    first, second = (load_model(end, progress=progress) for end in pair)
    return interpolated(first, second, 1 - share)


def pair_of(name: str | Path) -> tuple[str, str]:
    """Return what the PSNR and the GAN network are called that belong to the model `name`.

    name: either of a shipped pair, a run with a GAN stage, or one of that run's stages.
    Raises BadSetting where there are not both.
    """
    if _published(name) in PUBLISHED_PAIR:
        return PUBLISHED_PAIR
    first = str(name).removesuffix(GAN)
    if {first, first + GAN} <= set(zoo_names()):
        return first, first + GAN
    found = _pair_in_run(Path(name))
    if found is None:
        pairs = sorted(n for n in zoo_names() if n + GAN in zoo_names())
        raise BadSetting(
            f"--fidelity mixes a network trained for PSNR with one trained on from it against a "
            f"discriminator, and {name} is one network alone; give a run with both stages"
            + (f", or {' or '.join(pairs)}." if pairs else ".")
        )
    return found


def is_adversarial(model: Model) -> bool:
    """Return whether a discriminator had a part in the weights.

    A file of another program does not say how it was trained, so it is held possible.
    """
    if model.published is not None:
        return model.published.gan
    return _is_adversarial(model.header)


def _published(name: str | Path) -> str | None:
    known = published_model(str(name).removesuffix(".pth"))
    return None if known is None else known.name


def _is_adversarial(header: CheckpointHeader | None) -> bool:
    if header is None:
        return True
    acting = [parent.header for parent in header.parents if parent.share > 0]
    return "gan" in _kinds_until(header) or any(map(_is_adversarial, acting))


def _kinds_until(header: CheckpointHeader) -> list[str]:
    """Return the kinds of the stages that the weights went through."""
    stages = (header.recipe or {}).get("stages", {})
    names = list(stages)
    until = names.index(header.stage) + 1 if header.stage in names else len(names)
    return [stages[name].get("kind", "") for name in names[:until]]


def _pair_in_run(path: Path) -> tuple[str, str] | None:
    """Return the finished stages that are the two ends, if `path` is a run or a stage of one."""
    if not path.is_dir():
        return None
    header = load_model(path).header
    stages = (header.recipe or {}).get("stages", {}) if header is not None else {}
    run = path.parent if path.name in stages and not (path / path.name).is_dir() else path
    kinds = {name: stage.get("kind") for name, stage in stages.items()}
    done = [name for name in kinds if (run / name / "model.safetensors").is_file()]
    ends = [[name for name in done if kinds[name] == kind] for kind in ("pixel", "gan")]
    if not all(ends):
        return None
    return str(run / ends[0][-1]), str(run / ends[1][-1])


def _refuse_outside(flag: str, value: float) -> None:
    if not 0 <= value <= 1:  # also nan
        raise BadSetting(f"{flag} is {value}, expected 0 to 1.")
