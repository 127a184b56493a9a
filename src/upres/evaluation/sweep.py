"""From one network to another: each mixture judged, and the one to take.

The first is the faithful one (trained for PSNR), the second the one that was trained on from it
against a discriminator. Source of the mixtures: ESRGAN (Wang et al. 2018), section 3.4.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel

from upres.errors import BadSetting
from upres.evaluation.candidates import Candidate, compare, network_candidate
from upres.evaluation.headline import was_trained_on
from upres.evaluation.judge import Evaluation, JudgedPair, Measures, Pixels, Row
from upres.evaluation.knee import Knee, Values, knee, resampled_knees
from upres.evaluation.pairs import PairFolder
from upres.evaluation.protocols import Protocol
from upres.evaluation.sharing import ALONE, Hands
from upres.metrics.known import get_metric, label_of
from upres.weights.interpolate import interpolated
from upres.weights.model import Model

ALPHAS = tuple(round(step / 10, 1) for step in range(11))
FEWEST = 3  # alphas: two have no curve between them
# What a sweep looks at as perception: the first that was measured and that no network learnt by.
PERCEPTION = ("lpips_alex", "dists", "lpips_vgg", "niqe")
_SHARE = 0.95  # of the resamples between `low` and `high`


@dataclass(frozen=True)
class Mixtures:
    """The networks between two that are looked at, and where they compute."""

    models: tuple[Model, Model]
    alphas: Sequence[float] = ALPHAS
    device: torch.device | str = "cpu"

    def at(self, alpha: float) -> Candidate:
        """Return one of them, ready to be judged. Raises BadWeights for unlike networks."""
        model = interpolated(*self.models, alpha)
        model.network.to(self.device)
        return network_candidate(model.name, model)


class Advice(BaseModel, frozen=True):
    """Which alpha to take, by which metrics, and how sure that is.

    alpha: None where the curve says nothing. ends: the alphas that are best in `paid` and in
    `bought`. low, high: hold 95 % of the alphas that pictures drawn with replacement lead to; None
    for fewer than two pictures.
    """

    alpha: float | None
    ends: tuple[float, float] | None = None
    paid: str | None = None  # a row's key of PSNR
    bought: str | None = None  # and of the metric of perception
    low: float | None = None
    high: float | None = None
    reason: str


class Sweep(BaseModel, frozen=True):
    """The mixtures of two networks, judged: one row an alpha, in the order of alphas."""

    alphas: tuple[float, ...]
    evaluation: Evaluation
    advice: Advice

    def as_json(self) -> str:
        """Return the evaluation as a file of `upres evaluate` has it, alphas and advice beside."""
        content = json.loads(self.evaluation.model_dump_json())
        beside = {"alphas": self.alphas, "advice": self.advice.model_dump()}
        return json.dumps({**content, "sweep": beside}, indent=2, ensure_ascii=False) + "\n"


def read_alphas(text: str) -> tuple[float, ...]:
    """Return the numbers of `0,0.25,1`, each once and rising. Raises BadSetting."""
    try:
        alphas = sorted({float(part) for part in text.split(",")})
    except ValueError as error:
        raise BadSetting(f"--alphas {text} are no numbers with commas between them.") from error
    if not all(0 <= alpha <= 1 for alpha in alphas) or len(alphas) < FEWEST:
        raise BadSetting(
            f"--alphas {text}: expected {FEWEST} or more different numbers from 0 (all of the "
            "first network) to 1 (all of the second)."
        )
    return tuple(alphas)


def sweep(
    mixtures: Mixtures,
    pairs: PairFolder | Sequence[JudgedPair],
    protocol: Protocol,
    *,
    dataset: str,
    measures: Measures,
    seen: Callable[[], None] = lambda: None,
    hands: Hands = ALONE,
) -> Sweep:
    """Return the scores of each mixture and the alpha to take; one network is in memory at a time.

    seen: called after each picture of this process. hands: how processes part the pictures; the
    result is the same in all. Raises BadWeights for unlike networks, and what `compare` does.
    """

    def at(alpha: float) -> Evaluation:
        return compare(
            [mixtures.at(alpha)],
            pairs,
            protocol,
            scale=mixtures.models[0].scale,
            dataset=dataset,
            measures=measures,
            seen=lambda *_: seen(),
            hands=hands,
        )

    judged = [at(alpha) for alpha in mixtures.alphas]
    rows = [row for evaluation in judged for row in evaluation.rows]
    return Sweep(
        alphas=tuple(mixtures.alphas),
        evaluation=judged[0].model_copy(update={"rows": rows}),
        advice=advise(mixtures.alphas, rows),
    )


def enlarged_by(
    mixtures: Mixtures, pairs: Sequence[JudgedPair], protocol: Protocol
) -> list[dict[str, Pixels]]:
    """Return for each pair its SR by the name of the mixture, as the sweep's rows are named."""
    candidates = [mixtures.at(alpha) for alpha in mixtures.alphas]
    return [
        {candidate.name: candidate.super_resolve(pair, protocol) for candidate in candidates}
        for pair in pairs
    ]


def advise(alphas: Sequence[float], rows: Sequence[Row]) -> Advice:
    """Return the alpha at the knee of perception against PSNR (`evaluation.knee`), and why.

    rows: one for each alpha, with the scores of the same pictures.
    """
    paid = next((key for key in rows[0].metrics if get_metric(key).name == "psnr"), None)
    measured = [key for key in PERCEPTION if key in rows[0].metrics]
    bought = next((k for k in measured if not any(was_trained_on(row, k) for row in rows)), None)
    if paid is None or bought is None:
        return Advice(alpha=None, paid=paid, reason=_lacking(paid, measured))
    x, y = _qualities(paid, rows), _qualities(bought, rows)
    good = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    x, y = x[good], y[good]
    found = knee(x.mean(0), y.mean(0)) if good.any() else None
    if found is None:
        return Advice(alpha=None, paid=paid, bought=bought, reason=_no_knee(paid, bought))
    low, high = _span(alphas, resampled_knees(x, y) if len(x) > 1 else [])
    return Advice(
        alpha=alphas[found.place],
        ends=(alphas[found.first], alphas[found.last]),
        paid=paid,
        bought=bought,
        low=low,
        high=high,
        reason=_reason(found, alphas, rows, paid, bought),
    )


def _qualities(key: str, rows: Sequence[Row]) -> Values:
    """What pictures scored, (pictures, rows), turned so that more is better."""
    sign = 1 if get_metric(key).higher else -1
    columns = [[score.metrics[key] for score in row.per_image] for row in rows]
    values: NDArray[np.float64] = sign * np.array(columns, float).T
    return values


def _span(alphas: Sequence[float], places: Sequence[int]) -> tuple[float | None, float | None]:
    if not places:
        return None, None
    outside = round(len(places) * (1 - _SHARE) / 2)
    return alphas[places[outside]], alphas[places[-1 - outside]]


def _reason(
    found: Knee, alphas: Sequence[float], rows: Sequence[Row], paid: str, bought: str
) -> str:
    if found.first == found.last:
        return f"best of all in {label_of(paid)} and in {label_of(bought)}: nothing is paid for it."

    def bill(place: int) -> str:
        lost = rows[found.first].metrics[paid] - rows[place].metrics[paid]
        return f"{rows[place].metrics[bought]:.4f} for {lost:.2f} dB"

    name = label_of(bought)
    return (
        f"from alpha {alphas[found.first]:g} on, {name} "
        f"{rows[found.first].metrics[bought]:.4f} becomes {bill(found.place)} of {label_of(paid)}, "
        f"and {bill(found.last)} at alpha {alphas[found.last]:g}; up to here a lost dB buys more "
        f"than on average over that way, beyond it less."
    )


def _no_knee(paid: str, bought: str) -> str:
    return (
        f"no mixture is better in {label_of(paid)} and {label_of(bought)} together than the "
        "straight line between the best in each, so a lost dB buys no more at one alpha than at "
        "another; if the mixtures are worse than both networks, neither was trained on from the "
        "other."
    )


def _lacking(paid: str | None, measured: Sequence[str]) -> str:
    if paid is None:
        return "PSNR was not measured; add psnr to --metrics."
    known = ", ".join(PERCEPTION)
    if not measured:
        return f"no metric of perception was measured; add one of {known} to --metrics."
    return (
        f"{', '.join(label_of(key) for key in measured)} was a loss of one of the networks, so it "
        f"cannot say which is better; add another of {known} to --metrics."
    )
