"""The table of all metrics. Distances of features, one for each layer, are in `metrics.known`."""

import math

from upres.metrics.metric import Metric
from upres.metrics.ms_ssim import LEAST_SIDE as MS_SSIM_SIDE
from upres.metrics.niqe import LEAST_SIDE as NIQE_SIDE


def _ssim(name: str, label: str, source: str, least_side: int) -> Metric:
    return Metric(
        name=name,
        label=label,
        higher=True,
        ideal=1.0,
        low=-1.0,
        high=1.0,
        what="closeness of local mean, contrast and structure",
        blind_to="colour; small shifts it punishes hard, invented texture it counts as error",
        source=source,
        spaces=True,
        least_side=least_side,
    )


def _lpips(name: str, label: str, trunk: str, least_side: int) -> Metric:
    return Metric(
        name=name,
        label=label,
        higher=False,
        ideal=0.0,
        what="learnt distance that follows which of two pictures people call more alike",
        blind_to="small errors of colour and brightness, fine regular patterns",
        source=f"Zhang et al. 2018, version 0.1 over {trunk}",
        least_side=least_side,
        weights=(trunk.lower(), name.replace("_", "-")),
    )


def _shift(channel: str) -> Metric:
    return Metric(
        name=f"shift_{channel}",
        label=f"{channel.capitalize()} shift",
        higher=None,
        ideal=0.0,
        low=-255.0,
        high=255.0,
        digits=3,
        unit="levels",
        what=f"mean of SR's {channel} less HR's: a cast over the whole picture",
        blind_to="everything but the mean: shifts that cancel leave nothing",
        source="mean of SR - HR, in levels of 255",
    )


_ALL = (
    Metric(
        name="psnr",
        label="PSNR",
        higher=True,
        ideal=math.inf,
        low=-math.inf,
        unit="dB",
        what="closeness of the values of pixels",
        blind_to="texture and sharpness: a blurred picture scores better than a sharp one whose "
        "detail lies elsewhere",
        source="10 log10(255^2 / mean squared error)",
        spaces=True,
    ),
    _ssim("ssim", "SSIM", "Wang et al. 2004, in the protocol's dialect", 11),
    _ssim("ssim_wang", "SSIM (Wang)", "Wang et al. 2004: Gaussian 11x11, windows inside", 11),
    _ssim("ssim_daala", "SSIM (daala)", "daala's dump_ssim --raw, as in the SRGAN paper", 1),
    _ssim("ssim_scikit_image", "SSIM (scikit-image)", "scikit-image's default: box of 7x7", 7),
    _ssim(
        "ssim_scikit_image_gaussian",
        "SSIM (scikit-image, Gaussian)",
        "scikit-image with gaussian_weights=True: Wang's window, variance of a sample",
        11,
    ),
    _ssim("ssim_torchmetrics", "SSIM (torchmetrics)", "torchmetrics 1.9: mirrored edges", 11),
    Metric(
        name="ms_ssim",
        label="MS-SSIM",
        higher=True,
        ideal=1.0,
        high=1.0,
        what="SSIM's contrast and structure at five sizes of the picture",
        blind_to="colour; the finest detail weighs little (.0448 of the exponents)",
        source="Wang, Simoncelli and Bovik 2003",
        spaces=True,
        least_side=MS_SSIM_SIDE,
    ),
    _lpips("lpips_alex", "LPIPS", "AlexNet", 31),
    _lpips("lpips_vgg", "LPIPS-VGG", "VGG16", 16),
    Metric(
        name="dists",
        label="DISTS",
        higher=False,
        ideal=0.0,
        high=2.0,
        what="learnt distance that forgives another sample of the same texture",
        blind_to="where exactly the texture lies, also where that matters (text, faces)",
        source="Ding et al. 2020",
        least_side=16,
        weights=("vgg16", "dists"),
    ),
    Metric(
        name="niqe",
        label="NIQE",
        higher=False,
        ideal=0.0,
        digits=3,
        what="how unlike undamaged photos the statistics of SR's luma are; it sees no HR",
        blind_to="whether the picture shows what HR shows; colour; noise may please it",
        source="Mittal et al. 2013, the authors' model, blocks of 96",
        least_side=NIQE_SIDE,
        weights=("niqe",),
    ),
    Metric(
        name="lr_psnr",
        label="LR-PSNR",
        higher=True,
        ideal=math.inf,
        low=-math.inf,
        digits=2,
        unit="dB",
        what="does SR, shrunk by the protocol's resizer, still say what the LR said",
        blind_to="all that shrinking removes: detail, its truth and its artefacts",
        source="PSNR of RGB between LR and SR shrunk, no border, as NTIRE 2021 has it",
    ),
    Metric(
        name="ciede2000",
        label="CIEDE2000",
        higher=False,
        ideal=0.0,
        digits=3,
        what="mean difference of colour, pixel by pixel; about 1 can just be seen",
        blind_to="whether the differences make a pattern; texture",
        source="CIE 142-2001, Sharma et al. 2005; sRGB, D65",
    ),
    _shift("red"),
    _shift("green"),
    _shift("blue"),
    Metric(
        name="flat_artefacts",
        label="Flat artefacts",
        higher=None,
        ideal=0.0,
        low=-(255.0**2),
        high=255.0**2,
        digits=3,
        unit="levels²",
        what="above 0: noise, ringing and patterns where HR is flat; below: HR's grain is lost",
        blind_to="everything outside flat regions; slow waves of brightness",
        source="energy of what a 5x5 binomial blur takes, SR's less HR's, where HR deviates by "
        "under 2/255",
        least_side=7,
    ),
    Metric(
        name="edge_gain",
        label="Edge gain",
        higher=None,
        ideal=1.0,
        digits=3,
        what="sharpness of HR's edges in SR: below 1 blurred, above 1 oversharpened",
        blind_to="edges that only SR has; an edge of the right strength in a wrong place",
        source="Sobel energy of SR over HR's, at the steepest tenth of HR's pixels",
        least_side=3,
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
