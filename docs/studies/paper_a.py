"""The numbers of paper A's table 1 for runs of its recipes: paper-a.md's table.

    python docs/studies/paper_a.py --data PICTURES RUN [RUN ...]

PICTURES: a folder of HR pictures. LR is made and bicubic enlarges as in paper A (docs/papers.md,
A6, A12); PSNR and SSIM are of RGB without border, the mean over pictures. VGG distance is A5's:
the mean squared difference of VGG16's conv3_3 before its ReLU (paper A: VGG19's conv3_4).
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from upres.evaluation.pairs import Pixels
from upres.images.files import read_rgb
from upres.images.resize import enlarge, shrink
from upres.losses.content import content
from upres.metrics.lpips import lpips_distance
from upres.metrics.psnr import psnr
from upres.metrics.ssim import ssim
from upres.networks.build import receptive_radius
from upres.networks.features import FeatureNetwork
from upres.networks.lpips import LPIPS
from upres.upscaling.upscaler import Upscaler
from upres.weights.model import load_model
from upres.weights.perceptual import load_features, load_lpips

LAYER = "conv3_3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    rows: dict[str, Callable[[Pixels], Pixels]] = {"bicubic": _bicubic}
    for run in arguments.runs:
        for stage in sorted(p.parent for p in run.glob("*/model.safetensors")):
            rows[f"{run.name}/{stage.name}"] = _network(stage / "model.safetensors")
    pictures = [read_rgb(path) for path in sorted(arguments.data.glob("*.png"))]
    features, lpips = load_features("vgg16", (LAYER,)), load_lpips("alex")
    print("| | PSNR, dB | SSIM | VGG distance | LPIPS |\n|---|---|---|---|---|")
    for name, enlarger in rows.items():
        scores = [_scores(enlarger, hr, features, lpips) for hr in pictures]
        means = {key: np.mean([score[key] for score in scores]) for key in scores[0]}
        cells = f"{means['psnr']:.2f} | {means['ssim']:.4f}"
        print(f"| {name} | {cells} | {means['vgg']:.3f} | {means['lpips']:.4f} |", flush=True)


def _bicubic(lr: Pixels) -> Pixels:
    return enlarge(lr, 4, "bicubic", "paper-a")


def _network(path: Path) -> Callable[[Pixels], Pixels]:
    model = load_model(str(path))
    radius = receptive_radius(model.settings, model.scale)
    return Upscaler(model.network.eval(), model.scale, radius, precision="float32").enlarge


def _scores(
    enlarger: Callable[[Pixels], Pixels], hr: Pixels, features: FeatureNetwork, lpips: LPIPS
) -> Mapping[str, float]:
    sr = enlarger(shrink(hr, 4, "paper-a"))
    exact, expected = (_tensor(picture, 1.0).double() for picture in (sr, hr))
    with torch.no_grad():
        of_sr, of_hr = (features(_tensor(picture, 255.0)) for picture in (sr, hr))
    return {
        "psnr": float(psnr(exact, expected, border=0)),
        "ssim": float(ssim(exact, expected, border=0)),
        "vgg": float(content(of_sr, of_hr, {LAYER: 1.0}, "squared")),
        "lpips": float(lpips_distance(lpips, _tensor(sr, 255.0), _tensor(hr, 255.0))),
    }


def _tensor(picture: Pixels, peak: float) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) / peak)[None]


if __name__ == "__main__":
    main()
