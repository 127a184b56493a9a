"""What papers printed of their methods, as literal tables.

A table may stand beside rows of ours only where protocol, scale, set and metrics are the same, and
even then the last digits are those of other chains. Perceptual distances are not among them: we
found none printed for a whole set together with how it was measured.
"""

from dataclasses import dataclass

MOS = "mos"  # the mean of what people gave, 1 (bad) to 5 (excellent): nothing that we can measure


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """Two numbers of each method on one set, from one source.

    protocols: those of ours by which x and y compare. x, y: names as rows of scores have them,
    or MOS. methods: (name, x, y).
    """

    dataset: str
    scale: int = 4
    protocols: tuple[str, ...]
    x: str
    y: str
    source: str
    methods: tuple[tuple[str, float, float], ...]


_LUMA_SOURCE = "Wang et al. 2018 (ESRGAN) and, for IMDN and SwinIR, Liang et al. 2021 (SwinIR)"
_RGB_SOURCE = "the model zoo of mmagic"
_SRGAN_SOURCE = "Ledig et al. 2017 (SRGAN)"

_LUMA = (
    (
        "Set5",
        (
            ("SRCNN", 30.48, 0.8628),
            ("MemNet", 31.74, 0.8893),
            ("IMDN", 32.21, 0.8948),
            ("EDSR", 32.46, 0.8968),
            ("RCAN", 32.63, 0.9002),
            ("RRDB", 32.73, 0.9011),
            ("SwinIR", 32.92, 0.9044),
        ),
    ),
    (
        "Set14",
        (
            ("SRCNN", 27.50, 0.7513),
            ("MemNet", 28.26, 0.7723),
            ("IMDN", 28.58, 0.7811),
            ("EDSR", 28.80, 0.7876),
            ("RCAN", 28.87, 0.7889),
            ("RRDB", 28.99, 0.7917),
            ("SwinIR", 29.09, 0.7950),
        ),
    ),
    (
        "BSD100",
        (
            ("SRCNN", 26.90, 0.7101),
            ("MemNet", 27.40, 0.7281),
            ("IMDN", 27.56, 0.7353),
            ("EDSR", 27.71, 0.7420),
            ("RCAN", 27.77, 0.7436),
            ("RRDB", 27.85, 0.7455),
            ("SwinIR", 27.92, 0.7489),
        ),
    ),
    (
        "Urban100",
        (
            ("SRCNN", 24.52, 0.7221),
            ("MemNet", 25.50, 0.7630),
            ("IMDN", 26.04, 0.7838),
            ("EDSR", 26.64, 0.8033),
            ("RCAN", 26.82, 0.8087),
            ("RRDB", 27.03, 0.8153),
            ("SwinIR", 27.45, 0.8254),
        ),
    ),
    (
        "Manga109",
        (
            ("SRCNN", 27.58, 0.8555),
            ("MemNet", 29.42, 0.8942),
            ("IMDN", 30.45, 0.9075),
            ("EDSR", 31.02, 0.9148),
            ("RCAN", 31.22, 0.9173),
            ("RRDB", 31.66, 0.9196),
            ("SwinIR", 32.03, 0.9260),
        ),
    ),
)
_RGB = (
    (
        "Set5",
        (
            ("SRCNN", 28.4316, 0.8099),
            ("MSRResNet", 30.2252, 0.8491),
            ("EDSR", 30.2223, 0.8500),
            ("RRDB", 30.6428, 0.8559),
            ("SRGAN", 27.9499, 0.7846),
            ("ESRGAN", 28.2700, 0.7778),
        ),
    ),
    (
        "Set14",
        (
            ("SRCNN", 25.6486, 0.7014),
            ("MSRResNet", 26.7762, 0.7369),
            ("EDSR", 26.7870, 0.7366),
            ("RRDB", 27.0543, 0.7447),
            ("SRGAN", 24.7383, 0.6491),
            ("ESRGAN", 24.6328, 0.6491),
        ),
    ),
)
# PSNR, SSIM by daala, and what 26 people gave
_SRGAN = (
    (
        "Set5",
        (
            ("nearest", 26.26, 0.7552, 1.28),
            ("bicubic", 28.43, 0.8211, 1.97),
            ("SRCNN", 30.07, 0.8627, 2.57),
            ("SelfExSR", 30.33, 0.872, 2.65),
            ("DRCN", 31.52, 0.8938, 3.26),
            ("ESPCN", 30.76, 0.8784, 2.89),
            ("SRResNet", 32.05, 0.9019, 3.37),
            ("SRGAN", 29.40, 0.8472, 3.58),
        ),
    ),
    (
        "Set14",
        (
            ("nearest", 24.64, 0.7100, 1.20),
            ("bicubic", 25.99, 0.7486, 1.80),
            ("SRCNN", 27.18, 0.7861, 2.26),
            ("SelfExSR", 27.45, 0.7972, 2.34),
            ("DRCN", 28.02, 0.8074, 2.84),
            ("ESPCN", 27.66, 0.8004, 2.52),
            ("SRResNet", 28.49, 0.8184, 2.98),
            ("SRGAN", 26.02, 0.7397, 3.72),
        ),
    ),
    (
        "BSD100",
        (
            ("nearest", 25.02, 0.6606, 1.11),
            ("bicubic", 25.94, 0.6935, 1.47),
            ("SRCNN", 26.68, 0.7291, 1.87),
            ("SelfExSR", 26.83, 0.7387, 1.89),
            ("DRCN", 27.21, 0.7493, 2.12),
            ("ESPCN", 27.02, 0.7442, 2.01),
            ("SRResNet", 27.58, 0.7620, 2.29),
            ("SRGAN", 25.16, 0.6688, 3.56),
        ),
    ),
)

PUBLISHED: tuple[PublishedTable, ...] = (
    *(
        PublishedTable(
            dataset=name,
            protocols=("sr-y-float", "sr-y"),
            x="psnr_y",
            y="ssim_y",
            source=_LUMA_SOURCE,
            methods=methods,
        )
        for name, methods in _LUMA
    ),
    *(
        PublishedTable(
            dataset=name,
            protocols=("sr-rgb",),
            x="psnr_rgb",
            y="ssim_rgb",
            source=_RGB_SOURCE,
            methods=methods,
        )
        for name, methods in _RGB
    ),
    *(
        PublishedTable(
            dataset=name,
            protocols=("srgan",),
            x="psnr_y",
            y="ssim_y",
            source=_SRGAN_SOURCE,
            methods=tuple((method, psnr, ssim) for method, psnr, ssim, _ in methods),
        )
        for name, methods in _SRGAN
    ),
    *(
        PublishedTable(
            dataset=name,
            protocols=("srgan",),
            x="psnr_y",
            y=MOS,
            source=_SRGAN_SOURCE,
            methods=tuple((method, psnr, mos) for method, psnr, _, mos in methods),
        )
        for name, methods in _SRGAN
    ),
)


def published_on(dataset: str, scale: int | None) -> list[PublishedTable]:
    """The tables of a set, by the name of its folder: "set5", "Set5" and "Set5/HR" are one."""
    plain = dataset.replace("\\", "/").lower().split("/")
    return [table for table in PUBLISHED if table.scale == scale and table.dataset.lower() in plain]
