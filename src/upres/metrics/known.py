"""Every metric by name: what it says, what it is blind to, and when it must not be the headline.

A name as people ask for it (`psnr`) and as a row of scores has it (`psnr_y`: on luma) are the
same metric; the space behind it is the protocol's.
"""

import math
from dataclasses import dataclass

from upres.errors import BadSetting, suggestion


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric as people must read it."""

    name: str
    label: str
    higher: bool | None  # is more better; None: best at `ideal`
    ideal: float  # what an SR equal to its HR has (NIQE, which knows no HR: the best there is)
    low: float = 0.0  # a value outside low..high is a mistake and raises
    high: float = math.inf
    digits: int = 4
    unit: str = ""
    what: str
    blind_to: str
    source: str
    spaces: bool = False  # measured in the protocol's space, which then stands behind the name
    least_side: int = 1  # HR pixels, after any border
    weights: tuple[str, ...] = ()  # published weights that it needs

    @property
    def direction(self) -> str:
        """Which values are the better ones, in words."""
        if self.higher is None:
            return f"best at {self.ideal:g}"
        return "higher is better" if self.higher else "lower is better"

    @property
    def arrow(self) -> str:
        """The same as a sign."""
        return {True: "↑", False: "↓", None: f"→{self.ideal:g}"}[self.higher]


_METRICS = (
    Metric(
        name="psnr",
        label="PSNR",
        higher=True,
        ideal=math.inf,
        low=-math.inf,
        digits=4,
        unit="dB",
        what="closeness of the values of pixels",
        blind_to="texture and sharpness: a blurred picture scores better than a sharp one whose "
        "detail lies elsewhere",
        source="10 log10(255^2 / mean squared error)",
        spaces=True,
    ),
    Metric(
        name="ssim",
        label="SSIM",
        higher=True,
        ideal=1.0,
        low=-1.0,
        high=1.0,
        what="closeness of local mean, contrast and structure",
        blind_to="colour, small shifts it punishes hard, invented texture it counts as error",
        source="Wang et al. 2004, in the protocol's dialect",
        spaces=True,
        least_side=11,
    ),
    Metric(
        name="lpips_alex",
        label="LPIPS",
        higher=False,
        ideal=0.0,
        what="learnt distance that follows which of two pictures people call more alike",
        blind_to="small errors of colour and brightness, fine regular patterns",
        source="Zhang et al. 2018, version 0.1 over AlexNet",
        least_side=31,
        weights=("alexnet", "lpips-alex"),
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}
DEFAULT_METRICS = ("psnr", "ssim", "lpips_alex")
SPACES = ("y", "rgb")


def get_metric(name: str) -> Metric:
    """Return the metric of that name, with or without a space behind it.

    `vgg19_conv5_4` is the distance of VGG19's features at that layer; any layer of any of the
    feature networks will do. Raises BadSetting for a name that is none.
    """
    plain = _without_space(name)
    if plain in METRICS:
        return METRICS[plain]
    raise BadSetting(f"no metric {name!r}; {suggestion(plain, METRICS)}")


def key_of(metric: Metric, space: str) -> str:
    """Return what the metric is called in a row of scores: `psnr_y`, `lpips_alex`."""
    return f"{metric.name}_{space}" if metric.spaces else metric.name


def label_of(key: str) -> str:
    """Return what a row's metric is called in tables: `PSNR-Y`, `LPIPS`."""
    metric = get_metric(key)
    space = key.removeprefix(metric.name).removeprefix("_")
    return f"{metric.label}-{space.upper()}" if space else metric.label


def checked(metric: Metric, value: float) -> float:
    """Return `value`. Raises ValueError where the metric cannot have it: nan, or out of range."""
    if math.isnan(value) or not metric.low <= value <= metric.high:
        raise ValueError(
            f"{metric.name} is {value}, outside {metric.low:g}..{metric.high:g}: this is a mistake "
            "of the program"
        )
    return value


def _without_space(name: str) -> str:
    for space in SPACES:
        plain = name.removesuffix(f"_{space}")
        if plain != name and plain in METRICS and METRICS[plain].spaces:
            return plain
    return name
