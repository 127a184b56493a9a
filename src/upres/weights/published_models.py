"""Published networks that enlarge pictures, by the names that other programs know them by.

Addresses are those of xinntao/Real-ESRGAN's releases. Checksums and sizes are those that several
independent programs pin; ESRGAN's file carries the first digits of its checksum in its name.
"""

from dataclasses import dataclass

from upres.weights.published_file import PublishedFile

_RELEASES = "https://github.com/xinntao/Real-ESRGAN/releases/download"


@dataclass(frozen=True)
class PublishedModel:
    """A network and its file."""

    file: PublishedFile
    network: str  # its kind here
    scale: int
    gan: bool  # trained against a discriminator, so it invents detail
    also: tuple[str, ...] = ()  # what else it is called

    @property
    def name(self) -> str:
        """The name that it is listed by."""
        return self.file.name


def _real_esrgan(
    name: str, what: str, release: str, sha256: str, n_bytes: int | None, file_name: str = ""
) -> PublishedFile:
    address = f"{_RELEASES}/{release}/{file_name or name}.pth"
    return PublishedFile(name, what, address, sha256, n_bytes, "BSD-3-Clause")


PUBLISHED_MODELS: tuple[PublishedModel, ...] = (
    PublishedModel(
        _real_esrgan(
            "RealESRGAN_x4plus",
            "Real-ESRGAN for photos: removes noise and JPEG blocks",
            "v0.1.0",
            "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
            67_040_989,
        ),
        *("rrdbnet", 4, True),
        also=("realesrgan-x4plus", "x4plus"),
    ),
    PublishedModel(
        _real_esrgan(
            "RealESRNet_x4plus",
            "the same before its GAN training: smoother, invents less",
            "v0.1.1",
            "a820b9bde89a874d7599d545567308ce6c128fc8754a53208eda016d40aa81df",
            67_040_989,
        ),
        *("rrdbnet", 4, False),
        also=("realesrnet-x4plus",),
    ),
    PublishedModel(
        _real_esrgan(
            "RealESRGAN_x2plus",
            "Real-ESRGAN for photos, twice as large",
            "v0.2.1",
            "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
            67_061_725,
        ),
        *("rrdbnet", 2, True),
        also=("realesrgan-x2plus", "x2plus"),
    ),
    PublishedModel(
        _real_esrgan(
            "RealESRGAN_x4plus_anime_6B",
            "Real-ESRGAN for drawings",
            "v0.2.2.4",
            "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",
            17_938_799,
        ),
        *("rrdbnet", 4, True),
        also=("realesrgan-x4plus-anime", "anime_6B"),
    ),
    PublishedModel(
        _real_esrgan(
            "realesr-general-x4v3",
            "Real-ESRGAN's small network for photos: removes much noise",
            "v0.2.5.0",
            "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
            4_885_111,
        ),
        *("compact", 4, True),
        also=("general-x4v3", "realesrgan-x4fast", "upscayl-lite-4x"),
    ),
    PublishedModel(
        _real_esrgan(
            "realesr-general-wdn-x4v3",
            "its twin that removes less noise; -dn mixes the two",
            "v0.2.5.0",
            "1641f8c4464b9f097c9fdda5589273713f67cf59f3d909e0bd688f0cee269dca",
            4_885_111,
        ),
        *("compact", 4, True),
        also=("general-wdn-x4v3",),
    ),
    PublishedModel(
        _real_esrgan(
            "realesr-animevideov3",
            "Real-ESRGAN's smallest network, for drawn films",
            "v0.2.5.0",
            "b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d",
            2_504_012,
        ),
        *("compact", 4, True),
        also=("animevideov3", "realesr-animevideov3-x4"),
    ),
    PublishedModel(
        _real_esrgan(
            "ESRGAN",
            "ESRGAN for clean pictures that were shrunk",
            "v0.1.1",
            "ff704c30",
            None,
            "ESRGAN_SRx4_DF2KOST_official-ff704c30",
        ),
        *("rrdbnet", 4, True),
        also=("ESRGAN_SRx4_DF2KOST_official", "ESRGAN_SRx4_DF2KOST_official-ff704c30", "esrgan-x4"),
    ),
)


def published_model(name: str) -> PublishedModel | None:
    """Return the published network of this name, in any of its spellings, or None.

    Upper and lower case are one, as on many file systems that the names come from.
    """
    for model in PUBLISHED_MODELS:
        if name.lower() in (known.lower() for known in (model.name, *model.also)):
            return model
    return None
