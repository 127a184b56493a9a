"""Make docs/before-after.png: a photo shrunk to a quarter, enlarged by bicubic and by compact-x4.

python docs/before_after.py        (needs scikit-image for its photo of a cat, CC0)
"""

from importlib import util
from pathlib import Path

import numpy as np

from upres import Upscaler
from upres.images.files import Picture, read_rgb, write_picture
from upres.images.resize import crop_to_multiple, enlarge, shrink

SCALE = 4
WINDOW = np.s_[60:260, 110:390]  # of the enlarged picture: the cat's face
GAP = 6


def main() -> None:
    package = util.find_spec("skimage")
    if package is None or package.origin is None:
        raise SystemExit("needs scikit-image: pip install scikit-image")
    photo = read_rgb(Path(package.origin).parent / "data" / "chelsea.png")
    hr = crop_to_multiple(photo, SCALE)
    lr = shrink(hr, SCALE, "matlab")
    panels = [
        enlarge(lr, SCALE, "nearest"),
        enlarge(lr, SCALE, "bicubic"),
        Upscaler.load("compact-x4").enlarge(lr),
        hr,
    ]
    gap = np.full((hr[WINDOW].shape[0], GAP, 3), 255, np.uint8)
    row = [part for panel in panels for part in (panel[WINDOW], gap)][:-1]
    write_picture(Path(__file__).with_name("before-after.png"), Picture(pixels=np.hstack(row)))


if __name__ == "__main__":
    main()
