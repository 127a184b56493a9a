"""What makes the numbers of a table comparable, in words: what evaluations say of themselves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from upres.errors import BadSetting
from upres.evaluation.protocols import get_protocol

if TYPE_CHECKING:
    from upres.evaluation.judge import Evaluation

MIXED = "mixed"
MIXED_EXPLANATION = (
    "Rows of different protocols stand here because they were asked for in one table. Their "
    "numbers do not compare: best values are marked, and rows compared, within one protocol only."
)


def explanation_of(evaluations: "Sequence[Evaluation]") -> str:
    """Return what the protocol means, or that there are several."""
    if len({evaluation.protocol for evaluation in evaluations}) > 1:
        return MIXED_EXPLANATION
    try:
        return get_protocol(evaluations[0].protocol).explanation
    except BadSetting:
        return "This version of upres does not know the protocol and cannot say what it means."


def conditions_of(evaluations: "Sequence[Evaluation]") -> list[tuple[str, str]]:
    """Return the conditions as pairs of words; of several protocols, a pair for each of them."""
    if len({evaluation.protocol for evaluation in evaluations}) == 1:
        return _conditions(evaluations[0])
    return [
        (
            evaluation.protocol,
            " ".join(
                [
                    explanation_of([evaluation]),
                    *(f"{name}: {text}." for name, text in _conditions(evaluation)),
                ]
            ),
        )
        for evaluation in evaluations
    ]


def _conditions(evaluation: "Evaluation") -> list[tuple[str, str]]:
    found: list[tuple[str, str | None]] = [
        ("Scale", _some("x{}", evaluation.scale)),
        ("LR pictures", _lr(evaluation.lr)),
        ("Compared", _some("{}", evaluation.colour)),
        ("Left out at each side", _some("{} HR pixels (LPIPS: none)", evaluation.border)),
        ("SSIM dialect", _some("{}", evaluation.ssim)),
    ]
    return [(name, text) for name, text in found if text is not None]


def _lr(made: str | None) -> str | None:
    if made == "given":
        return "given as files, however they were made"
    return _some("made from HR by the bicubic resizer {}", made)


def _some(text: str, value: object) -> str | None:
    return None if value is None else text.format(value)
