"""Still pictures to enlarge: from a file, and from and to Pillow's images."""

from pathlib import Path

import numpy as np
from PIL import Image

from upres.errors import BadPicture
from upres.images.files import Picture, read_picture

_MODES = ("L", "LA", "RGB", "RGBA", "I;16")


def read_still(path: Path) -> Picture:
    """The picture in a file. Raises BadPicture, also when it is one of several frames or pages."""
    picture = read_picture(path)
    if picture.pages > 1:
        raise BadPicture(
            f"{path} holds {picture.pages} frames or pages; a single picture was expected: "
            f"save each as a file of its own."
        )
    return picture


def from_pil(image: Image.Image) -> Picture:
    """Pillow's image with its profile; palettes are expanded, two-level images become grey.

    A colour that is marked as transparent, as in PNG, becomes alpha.
    Raises ValueError for a mode whose values would not survive, such as CMYK.
    """
    hidden = "transparency" in image.info
    if image.mode in ("P", "RGB"):
        image = image.convert("RGBA" if hidden else "RGB")
    if image.mode in ("1", "L"):
        image = image.convert("LA" if hidden else "L")
    if image.mode not in _MODES:
        raise ValueError(f"an image of mode {image.mode}; expected one of {', '.join(_MODES)}")
    values = np.asarray(image)
    values = values.reshape(*values.shape[:2], -1)
    icc = image.info.get("icc_profile")
    if values.shape[2] in (2, 4):
        return Picture(pixels=values[..., :-1], alpha=values[..., -1], icc=icc)
    return Picture(pixels=values, icc=icc)


def to_pil(picture: Picture, *, like: Image.Image) -> Image.Image:
    """`picture` as Pillow's image, with the descriptions (`info`) of `like` kept."""
    layers = [picture.pixels]
    if picture.alpha is not None:
        layers.append(picture.alpha[..., None])
    values = np.concatenate(layers, axis=2)
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    image.info = {key: value for key, value in like.info.items() if key != "transparency"}
    return image
