"""Bicubic rows of the benchmarks: as papers print them, and as each chain computes them.

The printed rows are those that papers copy from each other. The computed ones come from a separate
float64 implementation, which reproduces MATLAB's table for BasicSR (six digits) and SelfExSR's
stored scores (0.0001 dB). Their HR are those of the SelfExSR collection, at every scale; its folder
of Urban100 at x2 holds halved pictures, so the HR are those of its x4 folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PICTURES: Mapping[str, int] = {
    "Set5": 5,
    "Set14": 14,
    "BSD100": 100,
    "Urban100": 100,
    "Manga109": 109,
}

# As much as another edge rule of the resizer changes; another cropping of HR changes ten times that
PSNR_TOLERANCE = 0.003  # dB
SSIM_TOLERANCE = 0.0003

CHAINS = ("vdsr", "srcnn", "sr-y", "selfexsr", "sr-y-float")  # protocols, as the tables have them


@dataclass(frozen=True)
class Score:
    """Means over a set."""

    psnr: float  # dB
    ssim: float


@dataclass(frozen=True)
class Reference:
    """What is known of the bicubic row of one set at one scale."""

    published: Score | None  # two digits of PSNR, four of SSIM
    chains: Mapping[str, Score]  # by the name of the protocol


def reference(dataset: str, scale: int) -> Reference:
    """Return what is known of the bicubic row of a set of `PICTURES`, which may be nothing."""
    psnrs, ssims = _PSNR.get((dataset, scale), ()), _SSIM.get((dataset, scale), ())
    scores = [Score(psnr, ssim) for psnr, ssim in zip(psnrs, ssims, strict=True)]
    return Reference(
        published=scores[0] if scores else None,
        chains=dict(zip(CHAINS, scores[1:], strict=False)),
    )


_Row = Mapping[tuple[str, int], tuple[float, ...]]  # by set and scale

# As printed; then vdsr, srcnn, sr-y, selfexsr, sr-y-float
_PSNR: _Row = {
    ("Set5", 2): (33.66, 33.6615, 33.6614, 33.6486, 33.6404, 33.6818),
    ("Set5", 3): (30.39, 30.3924, 30.3922, 30.3863, 30.3864, 30.4047),
    ("Set5", 4): (28.42, 28.4211, 28.4207, 28.4189, 28.4177, 28.4314),
    ("Set14", 2): (30.24, 30.2374, 30.2318, 30.2239, 30.2200, 30.2357),
    ("Set14", 3): (27.55, 27.5457, 27.5405, 27.5334, 27.5328, 27.5397),
    ("Set14", 4): (26.00, 26.0043, 26.0001, 25.9933, 25.9933, 25.9973),
    ("BSD100", 2): (29.56, 29.5604, 29.5579, 29.5525, 29.5480, 29.5648),
    ("BSD100", 3): (27.21, 27.2088, 27.2072, 27.2037, 27.2024, 27.2110),
    ("BSD100", 4): (25.96, 25.9619, 25.9606, 25.9579, 25.9565, 25.9634),
    ("Urban100", 2): (26.88, 26.8802, 26.8745, 26.8733, 26.8699, 26.8798),
    ("Urban100", 3): (24.46, 24.4616, 24.4580, 24.4563, 24.4548, 24.4598),
    ("Urban100", 4): (23.14, 23.1443, 23.1411, 23.1397, 23.1381, 23.1421),
    ("Manga109", 4): (24.89,),  # ESRGAN's table; the chains were not computed
}
_SSIM: _Row = {
    ("Set5", 2): (0.9299, 0.92988, 0.92988, 0.92945, 0.92922, 0.93052),
    ("Set5", 3): (0.8682, 0.86821, 0.86821, 0.86788, 0.86779, 0.86897),
    ("Set5", 4): (0.8104, 0.81040, 0.81037, 0.81025, 0.81008, 0.81127),
    ("Set14", 2): (0.8688, 0.86880, 0.86865, 0.86849, 0.86831, 0.86923),
    ("Set14", 3): (0.7742, 0.77418, 0.77361, 0.77384, 0.77374, 0.77457),
    ("Set14", 4): (0.7027, 0.70273, 0.70186, 0.70240, 0.70226, 0.70308),
    ("BSD100", 2): (0.8431, 0.84315, 0.84310, 0.84281, 0.84255, 0.84364),
    ("BSD100", 3): (0.7385, 0.73855, 0.73844, 0.73831, 0.73821, 0.73917),
    ("BSD100", 4): (0.6675, 0.66754, 0.66738, 0.66737, 0.66723, 0.66821),
    ("Urban100", 2): (0.8403, 0.84028, 0.84009, 0.83992, 0.83969, 0.84069),
    ("Urban100", 3): (0.7349, 0.73485, 0.73442, 0.73456, 0.73446, 0.73532),
    ("Urban100", 4): (0.6577, 0.65769, 0.65702, 0.65748, 0.65733, 0.65821),
    ("Manga109", 4): (0.7866,),
}
