"""The bicubic row of a benchmark, computed here, beside what is known of it.

A bicubic row has no training in it, so it tells whether pictures, resizer, luma, border and metrics
are those that a table was made with. The chains differ in the second digit of PSNR and the third of
SSIM: enough to say which of them a printed row came from.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from upres.errors import BadPhotos, BadSetting, suggestion
from upres.evaluation.candidates import compare, resolve_rows
from upres.evaluation.measures import measures_for
from upres.evaluation.pairs import load_pairs, picture_files
from upres.evaluation.protocols import get_protocol
from upres.evaluation.reference import (
    CHAINS,
    PICTURES,
    PSNR_TOLERANCE,
    SSIM_TOLERANCE,
    Score,
    reference,
)

# as folders have them, in lower case
_NAMES = {name.lower(): name for name in PICTURES} | {"b100": "BSD100", "bsds100": "BSD100"}


class ChainCheck(BaseModel, frozen=True):
    """What one chain gave, and what it should have given."""

    protocol: str
    found: Score
    reference: Score | None
    differs: tuple[str, ...] | None  # from the published row, as tables print both

    @property
    def agrees(self) -> bool:
        """Is it the reference's value, or is there none."""
        if self.reference is None:
            return True
        return (
            abs(self.found.psnr - self.reference.psnr) <= PSNR_TOLERANCE
            and abs(self.found.ssim - self.reference.ssim) <= SSIM_TOLERANCE
        )


class RowCheck(BaseModel, frozen=True):
    """The bicubic row of one set at one scale, by every chain."""

    dataset: str
    scale: int
    published: Score | None
    chains: list[ChainCheck]

    @property
    def printed_by(self) -> list[str]:
        """Which chains give the published row, digit by digit."""
        return [chain.protocol for chain in self.chains if chain.differs == ()]

    @property
    def nearest(self) -> ChainCheck | None:
        """The chain with the smallest distance to the published row, in printed digits."""
        if self.published is None:
            return None
        row = self.published
        return min(self.chains, key=lambda chain: _distance(chain.found, row))


def check_row(
    data: Path, dataset: str, scale: int, seen: Callable[[], None] = lambda: None
) -> RowCheck:
    """Return the bicubic row of the pictures in `data` by every chain of `reference.CHAINS`.

    dataset: what `recognised` returned. seen: called after each picture of each
        chain.
    Raises BadPhotos for pictures that cannot be read: a mean over the others is no row of the set.
    """
    known = reference(dataset, scale)
    chains = []
    for name in CHAINS:
        found = _bicubic(data, name, scale, seen)
        chains.append(
            ChainCheck(
                protocol=name,
                found=found,
                reference=known.chains.get(name),
                differs=differing_digits(found, known.published) if known.published else None,
            )
        )
    return RowCheck(dataset=dataset, scale=scale, published=known.published, chains=chains)


def recognised(data: Path, named: str | None = None) -> str:
    """Return which of the benchmarks a folder holds: as named, by a folder's name or its number.

    named: what the user says. The folders above `data` count too: `Set5/HR`, `Set5/original`.
    Raises BadSetting where it cannot be told, BadPhotos for another number of pictures.
    """
    pictures = len(picture_files(data / "HR" if (data / "HR").is_dir() else data))
    dataset = _known(named) if named is not None else _by_folder(data)
    if dataset is None:
        return _by_number(data, pictures)
    if pictures != PICTURES[dataset]:
        raise BadPhotos(
            f"{data} holds {pictures} pictures, but {dataset} has {PICTURES[dataset]}: a mean over "
            f"others cannot be compared; leave only the HR pictures of {dataset} in the folder."
        )
    return dataset


def differing_digits(found: Score, published: Score) -> tuple[str, ...]:
    """Return in words which digits differ when both are printed as tables print them."""
    pairs = [
        ("PSNR", f"{found.psnr:.2f}", f"{published.psnr:.2f}"),
        ("SSIM", f"{found.ssim:.4f}", f"{published.ssim:.4f}"),
    ]
    return tuple(
        f"{name} at {_place(ours, theirs)}" for name, ours, theirs in pairs if ours != theirs
    )


def _bicubic(data: Path, protocol_name: str, scale: int, seen: Callable[[], None]) -> Score:
    protocol = get_protocol(protocol_name)
    pairs = load_pairs(data, scale, protocol=protocol)
    if pairs.failed:
        first = pairs.failed[0]
        raise BadPhotos(f"{first.reason} A row of the set needs all of its pictures.")
    candidates, _ = resolve_rows(["bicubic"], scale)
    measures = measures_for(["psnr", "ssim"], protocol, {})
    result = compare(
        candidates,
        pairs,
        protocol,
        scale=scale,
        dataset=data.name,
        measures=measures,
        seen=lambda *_: seen(),
    )
    (row,) = result.rows
    return Score(row.metrics["psnr_y"], row.metrics["ssim_y"])


def _known(name: str) -> str:
    plain = _plain(name)
    if plain not in _NAMES:
        raise BadSetting(f"--set {name} is no known benchmark; {suggestion(name, PICTURES)}")
    return _NAMES[plain]


def _by_folder(data: Path) -> str | None:
    folders: Sequence[str] = data.resolve().parts[::-1][:3]
    return next((_NAMES[_plain(f)] for f in folders if _plain(f) in _NAMES), None)


def _by_number(data: Path, pictures: int) -> str:
    fitting = [name for name, number in PICTURES.items() if number == pictures]
    if len(fitting) == 1:
        return fitting[0]
    like = f"as {' and '.join(fitting)} do" if fitting else "as no known benchmark does"
    raise BadSetting(f"{data} holds {pictures} pictures, {like}; say which set it is with --set.")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _place(ours: str, theirs: str) -> str:
    """Return the first place in which two printed numbers differ."""
    width = max(len(ours), len(theirs))
    a, b = ours.rjust(width), theirs.rjust(width)
    first = next(i for i in range(width) if a[i] != b[i])
    decimal = first - a.index(".")
    if decimal < 0:
        return "the digits before the point"
    return f"decimal {decimal}"


def _distance(found: Score, row: Score) -> float:
    return abs(found.psnr - row.psnr) / 0.01 + abs(found.ssim - row.ssim) / 0.0001
