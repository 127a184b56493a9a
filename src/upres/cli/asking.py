"""What commands that judge share: the metrics that are asked for, and what came to nothing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation
    from upres.evaluation.protocols import Protocol


def asked_metrics(metrics: str | None, no_lpips: bool, protocol: "Protocol") -> list[str]:
    """Return the names of the metrics, each once. Raises BadSetting."""
    from upres.errors import BadSetting
    from upres.metrics.known import DEFAULT_METRICS, get_metric, key_of

    if metrics is None:  # luma that was enlarged alone has no RGB
        known = (get_metric(name) for name in DEFAULT_METRICS)
        asked = [metric.name for metric in known if metric.spaces or protocol.chain == "rgb"]
    else:
        asked = [name.strip() for name in metrics.split(",") if name.strip()]
    names = []
    for name in asked:
        metric = get_metric(name)
        if name not in (metric.name, key_of(metric, protocol.space)):
            raise BadSetting(
                f"{name} is not what protocol {protocol.name} compares ({protocol.compared}): ask "
                f"for {metric.name}."
            )
        if metric.name not in names and not (no_lpips and metric.name.startswith("lpips")):
            names.append(metric.name)
    if not names:
        raise BadSetting("--metrics leaves nothing to measure: give names, such as psnr,ssim.")
    return names


def measurable(names: list[str], missing: Mapping[str, str]) -> list[str]:
    """Return the metrics whose weights are here. Raises MissingWeights where none is left."""
    from upres.errors import MissingWeights

    found = [name for name in names if name not in missing]
    if not found:
        raise MissingWeights(" ".join(missing.values()))
    return found


def tell_failed(result: "Evaluation", missing: Mapping[str, str]) -> None:
    """Raise WorkFailed where a picture was not judged or a metric not measured."""
    from upres.errors import WorkFailed

    pictures, metrics = len(result.failed), len(missing)
    what = [
        f"{number} {one if number == 1 else many}"
        for number, one, many in (
            (pictures, "picture could not be judged", "pictures could not be judged"),
            (metrics, "metric could not be measured", "metrics could not be measured"),
        )
        if number
    ]
    if what:
        reasons = [*(failure.reason for failure in result.failed), *missing.values()]
        raise WorkFailed("\n  ".join([f"{' and '.join(what)}, the rest is above:", *reasons]))
