"""How far a GAN moves colours and leaves its input, as it comes and with each remedy.

    python benchmarks/look.py PHOTOS [--pictures 6] [--side 192]

The top left part of each photo is enlarged. Printed, in levels of 255: the shift of a channel's
mean, and the difference between the input and the result shrunk by MATLAB's bicubic.
"""

import argparse
from pathlib import Path

import numpy as np

import upres
from upres.images.files import read_rgb
from upres.images.resize import resize_float

WAYS = {
    "--no-keep-colour": {"keep_colour": False},
    "as it comes": {},
    "--no-keep-colour --consistent": {"keep_colour": False, "consistent": True},
    "--fidelity 0.5": {"fidelity": 0.5},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--side", type=int, default=192)
    asked = parser.parse_args()
    files = sorted(asked.photos.glob("*.jpg"))[: asked.pictures]
    pictures = [read_rgb(path)[: asked.side, : asked.side] for path in files]
    print(f"{'compact-x4-gan':32} worst shift  mean shift  rms, shrunk")
    for name, how in WAYS.items():
        upscaler = upres.Upscaler.load("compact-x4-gan", upres.UpscaleSettings(**how))
        shifts, differences = [], []
        for lr in pictures:
            sr = upscaler(lr).astype(np.float64)
            shifts.append(np.abs(sr.mean((0, 1)) - lr.mean((0, 1))).max())
            again = resize_float(sr, *lr.shape[:2], "matlab")
            differences.append(np.sqrt(np.square(again - lr).mean()))
        print(f"{name:32} {max(shifts):11.2f} {np.mean(shifts):11.2f} {np.mean(differences):12.2f}")


if __name__ == "__main__":
    main()
