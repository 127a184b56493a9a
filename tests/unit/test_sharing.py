"""Work parted among processes: the shares, the order, and a failure that all of them see."""

import pytest

from upres.errors import BadPhotos
from upres.evaluation.sharing import ALONE, Hands, by_all


def second_of_two(first_made):
    """The second process's hands; the first one's results are given."""

    def collect(mine, count):
        made = [first_made, mine]
        return [made[number % 2][number // 2] for number in range(count)]

    return Hands(lambda numbers: numbers[1::2], collect)


def test_one_process_does_all_in_order():
    assert by_all(3, lambda numbers: [number * number for number in numbers], ALONE) == [0, 1, 4]


def test_each_process_does_its_share_and_has_all_results():
    asked = []

    def work(numbers):
        asked.extend(numbers)
        return [f"second {number}" for number in numbers]

    found = by_all(5, work, second_of_two(["first 0", "first 2", "first 4"]))
    assert asked == [1, 3]
    assert found == ["first 0", "second 1", "first 2", "second 3", "first 4"]


def test_a_failure_elsewhere_is_raised_here_too():
    with pytest.raises(BadPhotos, match="of the first"):
        by_all(3, list, second_of_two([BadPhotos("of the first"), 2]))


def test_a_failure_here_is_collected_before_it_is_raised():
    told = []
    hands = second_of_two([0, 2])

    def collect(mine, count):
        told.extend(mine)
        return hands.collect(mine, count)

    def work(numbers):
        raise BadPhotos("of the second")

    with pytest.raises(BadPhotos, match="of the second"):
        by_all(4, work, Hands(hands.deal, collect))
    assert [str(error) for error in told] == ["of the second"] * 2
