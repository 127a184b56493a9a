"""Several stores in one run: each with its share of the draws, and nothing held back is trained on.

`Stores` has the face of one `Store`, so that training and reports take either.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from upres.data.pictures import Pictures
from upres.data.records import read_looks
from upres.data.split import SPLITS, Split, near_any
from upres.data.store import Store
from upres.data.verifying import refuse_other_pixels
from upres.errors import BadPhotos, BadSetting
from upres.images.resize import ResizerName


@dataclass(frozen=True, eq=False)
class Source:
    """A store of a run. share: of all crops, over 0; None: what is left, by area with the others.

    name: goes before the names of its pictures.
    """

    store: Store
    share: float | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Stores:
    """Stores that are trained on together, in an order that does not depend on the caller's."""

    sources: tuple[Source, ...]
    dropped: tuple[NDArray[np.int64], ...]  # places in each table that training leaves out

    @property
    def scale(self) -> int:
        return self.sources[0].store.scale

    @property
    def resizer(self) -> ResizerName:
        return self.sources[0].store.resizer

    @property
    def data_hash(self) -> str:
        """The sha256 of the stores' hashes and shares."""
        facts = [[source.store.data_hash, source.share] for source in self.sources]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @property
    def stamp(self) -> str:
        """As a store's: sizes and times of change of all files of pixels."""
        return "; ".join(source.store.stamp for source in self.sources)

    def pictures(self, split: Split, *, min_side: int = 1) -> Pictures:
        """Return the pictures of one side of the split of all stores.

        min_side: pictures with a shorter HR side are left out. Raises BadPhotos when that leaves
        none of a store's side that has some.
        """
        parts = []
        for source, dropped in zip(self.sources, self.dropped, strict=True):
            part = source.store.part(split, min_side=min_side)
            if split == "train":
                part = replace(part, places=np.setdiff1d(part.places, dropped))
                if not part.places.size:
                    raise BadPhotos(
                        f"{source.store.path}: every photo to train on of at least {min_side} px "
                        "looks like one that another store holds back: leave this store out."
                    )
            parts.append(replace(part, prefix=f"{source.name}/", share=source.share))
        return Pictures(parts)

    def summary(self) -> str:
        """Return one line: how many pictures, of how many stores, and what training leaves out."""
        parted = ", ".join(f"{len(self.pictures(split))} {split}" for split in SPLITS)
        text = f"{len(self.sources)} stores together: {parted}"
        dropped = sum(len(places) for places in self.dropped)
        if not dropped:
            return text
        return (
            f"{text}; {dropped} more would train but look like photos that another store holds "
            "back, and are left out"
        )

    def refuse_other_pixels(self, stamp: str | None) -> None:
        """Do for each store what `verifying.refuse_other_pixels` does."""
        for number, source in enumerate(self.sources):
            before = None if stamp is None else stamp.split("; ")[number]
            refuse_other_pixels(source.store, before)


AnyStore: TypeAlias = Store | Stores


def refuse_changed(store: AnyStore, stamp: str | None) -> None:
    """Do what `verifying.refuse_other_pixels` does, for one store or for several."""
    if isinstance(store, Stores):
        store.refuse_other_pixels(stamp)
    else:
        refuse_other_pixels(store, stamp)


def join_stores(sources: Sequence[Source]) -> Stores:
    """Return several stores as one.

    A photo that one store holds back for validation or test is left out of the others' training,
    near duplicates too. Raises BadSetting for shares that do not add up, BadPhotos for stores of
    different scales or resizers and for the same photos given twice.
    """
    _refuse_shares([source.share for source in sources])
    first = sources[0].store
    for source in sources:
        one = source.store
        if (one.scale, one.resizer) != (first.scale, first.resizer):
            raise BadPhotos(
                f"{one.path} was prepared for x{one.scale} by {one.resizer}, but {first.path} for "
                f"x{first.scale} by {first.resizer}: prepare both alike."
            )
    ordered = sorted(sources, key=lambda source: source.store.data_hash)
    for source, after in itertools.pairwise(ordered):
        if source.store.data_hash == after.store.data_hash:
            raise BadPhotos(
                f"{source.store.path} and {after.store.path} hold the same photos: give one of "
                "them."
            )
    return Stores(tuple(_named(ordered)), _held_back_elsewhere([one.store for one in ordered]))


def _refuse_shares(shares: Sequence[float | None]) -> None:
    given = [share for share in shares if share is not None]
    wrong = [share for share in given if not 0 < share <= 1]
    if wrong:
        raise BadSetting(f"a share of {wrong[0]:g} of the crops is not over 0 and at most 1.")
    total = math.fsum(given)
    if len(given) < len(shares) and total >= 1:
        raise BadSetting(f"shares of {total:g} in all leave nothing for the stores without one.")
    if given and len(given) == len(shares) and abs(total - 1) > 1e-6:
        raise BadSetting(
            f"the shares add up to {total:g}, not to 1: give one store none, and it gets the rest."
        )


def _named(sources: Sequence[Source]) -> list[Source]:
    """The sources with names of which no two are alike."""
    names: list[str] = []
    for source in sources:
        wanted = source.name or source.store.path.name
        numbered = itertools.chain(
            [wanted], (f"{wanted}-{number}" for number in itertools.count(2))
        )
        names.append(next(name for name in numbered if name not in names))
    return [replace(source, name=name) for source, name in zip(sources, names, strict=True)]


def _held_back_elsewhere(stores: Sequence[Store]) -> tuple[NDArray[np.int64], ...]:
    """Places of pictures that would train and are near what another store holds back."""
    looks = [read_looks(store.path) for store in stores]
    trains = [store.table.split == SPLITS.index("train") for store in stores]
    dropped = []
    for one, train in enumerate(trains):
        places = np.flatnonzero(train)
        held = [looks[i][~trains[i]] for i in range(len(stores)) if i != one]
        dropped.append(places[near_any(looks[one][places], np.concatenate(held))])
    return tuple(dropped)
