"""How good a generator is now: fixed crops of the store's validation pictures, by a protocol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import nn

from upres.data.crops import Pair, Pixels
from upres.errors import BadPhotos, WorkFailed
from upres.evaluation.judge import JudgedPair, Measures, judge, mean_metrics
from upres.evaluation.measures import measures_for
from upres.evaluation.protocols import Protocol, make_lr
from upres.metrics.known import METRICS, get_metric
from upres.networks.lpips import LPIPS
from upres.processes.together import any_of, collected, dealt
from upres.recipes.schema import Validation
from upres.recipes.stages import Metric
from upres.upscaling.upscaler import Upscaler

Crops = Mapping[str, tuple[Pixels, Pixels, Pixels]]  # by name: lr, sr, hr


@dataclass(frozen=True)
class Validator:
    """Judges a generator in float32, whatever precision it trains in."""

    pairs: tuple[JudgedPair, ...]
    protocol: Protocol
    scale: int
    radius: int
    metrics: tuple[Metric, ...]
    lpips: LPIPS | None

    def __call__(
        self, generator: nn.Module, fabric: Fabric, show: Callable[[Crops], None] | None = None
    ) -> dict[str, float]:
        """Return the mean of each metric; the generator is left in the mode it was in.

        The pictures are dealt out among the processes. show: is given those of this one. Raises
        WorkFailed in all of them where a picture of one is not finite.
        """
        training = generator.training
        generator.eval()
        upscaler = Upscaler(generator, self.scale, self.radius, precision="float32")
        pairs, own, failure = dealt(fabric, self.pairs), [], None
        made: list[Pixels] = []
        try:
            own = judge(
                lambda pair: upscaler.enlarge(pair.lr),
                pairs,
                self.protocol,
                scale=self.scale,
                measures=self._measures(),
                seen=lambda pair, sr: made.append(sr),
            )
        except WorkFailed as error:
            failure = error
        generator.train(training)
        if any_of(fabric, failure is not None):
            raise failure or WorkFailed("another process judged a picture that is not finite.")
        if show is not None:
            seen = zip(pairs, made, strict=True)
            show({pair.name: (pair.lr, sr, pair.hr) for pair, sr in seen})
        means = mean_metrics(collected(fabric, own, len(self.pairs)))
        return {metric: means[metric] for metric in self.metrics}

    def _measures(self) -> Measures:
        networks = {} if self.lpips is None else {"lpips_alex": self.lpips}
        return measures_for(["psnr", "ssim", *networks], self.protocol, networks)


def validation_pairs(
    pictures: Sequence[Pair], settings: Validation, protocol: Protocol, scale: int
) -> tuple[JudgedPair, ...]:
    """Return at most `settings.pictures` central crops, spread over all pictures by their order.

    Pictures that are too small to be judged are left out. Raises BadPhotos when all are.
    """
    least = protocol.least_side(scale)
    if "lpips_alex" in settings.metrics:
        least = max(least, METRICS["lpips_alex"].least_side)
    large = [p for p in pictures if min(p.hr.shape[:2]) // scale * scale >= least]
    if not large:
        raise BadPhotos(
            f"no validation picture has the {least} px on its shorter side that protocol "
            f"{protocol.name} needs; use larger photos."
        )
    count = min(settings.pictures, len(large))
    chosen = [large[i * len(large) // count] for i in range(count)]
    crops = [(pair.name, centre(pair.hr, settings.side, scale)) for pair in chosen]
    return tuple(JudgedPair(name, make_lr(hr, protocol, scale), hr) for name, hr in crops)


def is_better(metric: Metric, new: float, old: float) -> bool:
    """Return whether `new` is strictly better than `old`."""
    return new > old if get_metric(metric).higher else new < old


def centre(hr: Pixels, side: int, scale: int) -> Pixels:
    """Return the central `side` pixels of `hr` in each direction, cut to multiples of `scale`."""
    height, width = (min(side, length) // scale * scale for length in hr.shape[:2])
    top, left = (hr.shape[0] - height) // 2, (hr.shape[1] - width) // 2
    return hr[top : top + height, left : left + width]
