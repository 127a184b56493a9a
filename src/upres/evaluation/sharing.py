"""Work on many pictures, parted among the processes that there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from upres.errors import UpresError

Result = TypeVar("Result")
Numbers = Sequence[int]


@dataclass(frozen=True)
class Hands:
    """How processes part the numbers from 0 on, and bring together what each made of its own.

    deal: returns this process's of all numbers. collect: takes this process's results and how many
    numbers there are, and returns the results of all processes in the order of the numbers.
    """

    deal: Callable[[Numbers], Numbers]
    collect: Callable[[list[Any], int], list[Any]]


ALONE = Hands(lambda numbers: numbers, lambda mine, count: mine)


def by_all(
    count: int, work: Callable[[Numbers], Sequence[Result]], hands: Hands = ALONE
) -> list[Result]:
    """Return what `work` makes of 0 to count - 1, in their order; each process does its share.

    work: takes numbers and returns one result for each.
    An UpresError of one process is raised in all, so that none waits for one that has ended.
    """
    mine = hands.deal(range(count))
    results: Sequence[Result | UpresError]
    try:
        results = work(mine)
    except UpresError as error:
        results = [error for _ in mine]
    found: list[Result] = []
    for result in hands.collect(list(results), count):
        if isinstance(result, UpresError):
            raise result
        found.append(result)
    return found
