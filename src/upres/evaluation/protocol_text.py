"""A protocol in words: every condition of a number, for people who want to repeat it."""

from textwrap import fill

from upres.evaluation.protocols import Protocol, SSIMDialect
from upres.evaluation.reference import reference
from upres.images.resize import ResizerName

RESIZER_WORDS: dict[ResizerName, str] = {
    "matlab": "MATLAB's bicubic: a = -0.5, antialiased, edge mirrored, rounded once",
    "matlab-legacy": "the older MATLAB's bicubic on 8-bit pictures: a = -0.5, antialiased, edge "
    "repeated, rounded after each of its two passes",
    "pillow": "Pillow's bicubic: a = -0.5, antialiased, samples outside left out, rounded after "
    "each pass",
    "opencv": "OpenCV's INTER_CUBIC: a = -0.75, never antialiased, edge repeated, rounded once",
    "torch": "torch's bicubic with antialias=True: a = -0.5, samples outside left out, rounded "
    "once",
    "paper-a": "Pillow's bicubic down and up again, then OpenCV's INTER_CUBIC down",
}
SSIM_WORDS: dict[SSIMDialect, str] = {
    "wang": "Wang's own code: Gaussian window 11x11, sigma 1.5, variances of a population, windows "
    "wholly inside the picture",
    "daala": "daala's dump_ssim: Gaussian whose sigma is 1.5 times height / 256, windows cut at "
    "the edge and weighted by what is left of them",
    "scikit-image": "scikit-image's default: box of 7x7, variances of a sample",
    "torchmetrics": "torchmetrics: Gaussian window 11x11, sigma 1.5, the picture mirrored outwards",
}
_EXAMPLE = ("Set5", 4)
_WIDTH = 96


def border_words(protocol: Protocol) -> str:
    """Return how many HR pixels are left out on each side, in terms of the scale."""
    return str(protocol.border).replace("+", " + ")


def listed(protocol: Protocol) -> str:
    """Return the protocol in two lines: its conditions, and whose numbers have them."""
    conditions = (
        f"{protocol.compared}; border {border_words(protocol)}; LR {protocol.lr_source}; "
        f"SSIM {protocol.ssim}"
    )
    return f"{protocol.name:<12}{conditions}\n{'':<12}{protocol.used_by}\n"


def explained(protocol: Protocol) -> str:
    """Return all conditions of `protocol`, those that all protocols share too."""
    lines = [
        ("protocol", f"{protocol.name}: {protocol.explanation}"),
        ("whose numbers", protocol.used_by),
        ("HR", "8 bit, cropped to a multiple of the scale, the top left kept"),
        ("LR", _lr(protocol)),
        ("row `bicubic`", _enlarged(protocol)),
        ("SR", "8 bit, of the size of HR" + _clamped(protocol)),
        ("compared", _compared(protocol)),
        ("border", f"HR pixels left out on each side first: {border_words(protocol)}"),
        ("PSNR", "10 log10(255^2 / mean squared error) of each picture" + _one_error(protocol)),
        ("SSIM", SSIM_WORDS[protocol.ssim] + "; C1 = 6.5025, C2 = 58.5225" + _channels(protocol)),
        ("a set", "the mean of its pictures; those restored exactly are left out of PSNR's"),
        *_known_row(protocol),
    ]
    return "".join(
        fill(words, _WIDTH, initial_indent=f"{name:<15}", subsequent_indent=" " * 15) + "\n"
        for name, words in lines
    )


def _lr(protocol: Protocol) -> str:
    if protocol.given_lr:
        return "files as they are, however they were made"
    how = RESIZER_WORDS[protocol.lr_resizer]
    if protocol.chain == "y":
        how = f"luma rounded to 8 bits, alone, by {how.removesuffix(', rounded once')}; not rounded"
    return how


def _enlarged(protocol: Protocol) -> str:
    if protocol.chain == "y":
        return "the same, back to the size of HR, then rounded; networks cannot be judged"
    return RESIZER_WORDS[protocol.enlarged_by]


def _clamped(protocol: Protocol) -> str:
    alone = ", luma alone" if protocol.chain == "y" else ""
    return f"{alone}, clamped to 16..235" if protocol.y_clamped else alone


def _compared(protocol: Protocol) -> str:
    if protocol.space == "rgb":
        return "the three channels, 0..255; a grey picture counts as three equal ones"
    rounded = "rounded to whole numbers" if protocol.y_rounded else "not rounded"
    return (
        f"luma of BT.601, 16..235, {rounded}: 16 + (65.481 R + 128.553 G + 24.966 B) / 255; "
        "a grey picture's own values"
    )


def _one_error(protocol: Protocol) -> str:
    return ", over its channels at once" if protocol.space == "rgb" else ""


def _channels(protocol: Protocol) -> str:
    return "; the mean of the channels" if protocol.space == "rgb" else ""


def _known_row(protocol: Protocol) -> list[tuple[str, str]]:
    """Return a line with a value to check against, where one is known."""
    score = reference(*_EXAMPLE).chains.get(protocol.name)
    if score is None:
        return []
    dataset, scale = _EXAMPLE
    return [
        ("to check", f"bicubic on {dataset} x{scale}: {score.psnr:.4f} dB, SSIM {score.ssim:.5f}")
    ]
