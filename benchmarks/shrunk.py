"""The shipped model for a scale against compact-x4, shrunk: how near the original, and how dear.

    OMP_NUM_THREADS=1 python benchmarks/shrunk.py ORIGINALS [--scales 1.5 2 3]

Each original is shrunk by MATLAB's bicubic and enlarged again by `upscale_file`, PNG to PNG.
Printed are the mean PSNR on Y without a border of the scale, and the seconds of the processor.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import upres
from upres.images.colour import luma
from upres.images.files import read_rgb
from upres.images.resize import resize_float
from upres.metrics.psnr import psnr
from upres.upscaling.choosing import DEFAULT, default_model
from upres.upscaling.sizes import SizeWish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("originals", type=Path)
    parser.add_argument("--scales", type=float, nargs="+", default=[1.5, 2, 3])
    asked = parser.parse_args()
    for scale in asked.scales:
        for model in (default_model(scale, None), DEFAULT):
            upscaler = upres.Upscaler.load(model)
            found = [judged(path, scale, upscaler) for path in sorted(asked.originals.glob("*.*"))]
            near, seconds = np.mean(found, axis=0)
            print(f"--scale {scale:<4g} {model}: {near:6.2f} dB, {seconds:6.2f} s a picture")


def judged(path: Path, scale: float, upscaler: upres.Upscaler) -> tuple[float, float]:
    """Return PSNR in dB and seconds."""
    hr = read_rgb(path)
    height, width = (side // 6 * 6 for side in hr.shape[:2])  # whole pixels by 1.5, 2 and 3
    hr = hr[:height, :width]
    lr = resize_float(hr.astype(np.float64), round(height / scale), round(width / scale), "matlab")
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "lr.png"), Path(folder, "sr.png")
        Image.fromarray(np.floor(lr.clip(0, 255) + 0.5).astype(np.uint8)).save(small)
        began = time.process_time()
        upres.upscale_file(small, large, upscaler, wish=SizeWish(scale=scale))
        seconds = time.process_time() - began
        sr = read_rgb(large)
    pair = [torch.from_numpy(luma(picture, rounded=False))[None, None] for picture in (sr, hr)]
    return float(psnr(*pair, border=math.ceil(scale))), seconds


if __name__ == "__main__":
    main()
