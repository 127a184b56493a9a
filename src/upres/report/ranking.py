"""How a metric is written and which of its values are the better ones."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["best", "second", ""]


@dataclass(frozen=True)
class Metric:
    """A metric as people read it. higher: whether more is better; None where nobody knows."""

    name: str
    label: str
    digits: int
    higher: bool | None
    words: str = ""
    unit: str = ""

    @property
    def arrow(self) -> str:
        """The direction of the better values."""
        return {True: "↑", False: "↓", None: ""}[self.higher]

    @property
    def direction(self) -> str:
        """The same in words."""
        return {True: "higher is better", False: "lower is better", None: ""}[self.higher]

    def written(self, value: float | None) -> str:
        """The value in the digits that tables of the field use."""
        if value is None or math.isnan(value):
            return "-"
        return "∞" if math.isinf(value) else f"{value:.{self.digits}f}"


_PSNR = "peak signal-to-noise ratio: closeness of pixel values, blind to texture"
_SSIM = "structural similarity: closeness of local mean, contrast and structure; 1 is equal"
_LPIPS = "learned distance that follows what people see as unlike; 0 is equal"
_METRICS = (
    Metric("psnr_y", "PSNR-Y", 2, True, f"{_PSNR}; on luma", "dB"),
    Metric("psnr_rgb", "PSNR-RGB", 2, True, f"{_PSNR}; on RGB", "dB"),
    Metric("ssim_y", "SSIM-Y", 4, True, f"{_SSIM}; on luma"),
    Metric("ssim_rgb", "SSIM-RGB", 4, True, f"{_SSIM}; on RGB"),
    Metric("lpips_alex", "LPIPS", 4, False, f"{_LPIPS}; AlexNet, on RGB"),
    Metric("lpips_vgg", "LPIPS-VGG", 4, False, f"{_LPIPS}; VGG16, on RGB"),
    Metric("dists", "DISTS", 4, False, "learned distance of structure and texture; 0 is equal"),
    Metric("vgg_distance", "VGG distance", 4, False, "distance of VGG19 features; 0 is equal"),
)
METRICS = {metric.name: metric for metric in _METRICS}


def describe(name: str) -> Metric:
    """The metric of that name; an unknown one has no direction, so nothing is marked in it."""
    return METRICS.get(name) or Metric(name, name, 4, None)


def in_order(names: Iterable[str]) -> list[Metric]:
    """The metrics of these names, each once: known ones in the papers' order, then the others."""
    present = dict.fromkeys(names)
    known = [metric for name, metric in METRICS.items() if name in present]
    return known + [describe(name) for name in present if name not in METRICS]


def marks(metric: Metric, values: Sequence[float | None]) -> list[Mark]:
    """Which values are the best and, of three or more, the second-best.

    Values that are written alike are marked alike: a reader cannot see more.
    """
    written = [metric.written(value) for value in values]
    seen = {
        text: value
        for text, value in zip(written, values, strict=True)
        if value is not None and not math.isnan(value)
    }
    if metric.higher is None or len(values) < 2:
        return [""] * len(values)
    ranked = sorted(seen, key=lambda text: seen[text], reverse=metric.higher)
    places: dict[str, Mark] = {}
    if len(ranked) > 1:
        places[ranked[0]] = "best"
    if len(values) > 2 and len(ranked) > 2:
        places[ranked[1]] = "second"
    return [places.get(text, "") for text in written]
