"""Given LR against made ones: counted by hand, and against the files of Set5."""

from pathlib import Path

import numpy as np
import pytest

from upres.evaluation.given_lr import count_equal, lr_difference
from upres.evaluation.pairs import load_pairs
from upres.evaluation.protocols import get_protocol, make_lr

SET5 = Path(__file__).parents[2].parent / "shared" / "data" / "Set5"


def test_the_outer_four_pixels_are_the_edge():
    made = np.full((12, 10, 3), 100, np.uint8)
    given = made.copy()
    given[4, 4] = (107, 100, 93)  # the first pixel inside
    given[3, 4, 0] = 0
    given[11, 9, 2] = 255
    difference = lr_difference([count_equal(given, made)], "matlab")
    # inside are 4x2 pixels of three samples, two of them unlike; of 360 the other 336 are edge
    assert difference.inside.equal == pytest.approx(22 / 24)
    assert difference.inside.largest == 7
    assert difference.edge.equal == pytest.approx(334 / 336)
    assert difference.edge.largest == 155


def test_samples_of_all_pictures_count_alike():
    flat = [np.full((size, size, 3), 5, np.uint8) for size in (9, 11)]
    counted = [count_equal(flat[0], flat[0]), count_equal(flat[1] + 1, flat[1])]
    difference = lr_difference(counted, "matlab")
    assert difference.inside.equal == pytest.approx(1 / (1 + 9))
    assert difference.edge.equal == pytest.approx(80 / (80 + 112))


def test_pictures_of_eight_pixels_have_no_inside():
    lr = np.zeros((8, 20, 3), np.uint8)
    difference = lr_difference([count_equal(lr, lr)], "pillow")
    assert difference.inside is None
    assert difference.edge.equal == 1
    assert str(difference) == (
        "the given LR against those by pillow: at the outer 4 pixels 100.00 % of samples equal, "
        "at most 0 levels apart"
    )


def test_it_is_said_in_a_sentence():
    made = np.full((12, 12, 3), 100, np.uint8)
    given = made.copy()
    given[6, 6, 0] = 101
    assert str(lr_difference([count_equal(given, made)], "matlab")) == (
        "the given LR against those by matlab: inside 97.92 % of samples equal, at most 1 level "
        "apart; at the outer 4 pixels 100.00 % of samples equal, at most 0 levels apart"
    )


# measured by an independent implementation on the LR files that SelfExSR published
@pytest.mark.parametrize(
    "scale, protocol, inside, edge",
    [
        (2, "sr-y", (0.8551, 2), (0.8282, 7)),
        (3, "sr-y", (0.8816, 2), (0.8459, 7)),
        (4, "sr-y", (0.8965, 2), (0.8424, 6)),
        (4, "selfexsr", (1.0, 0), (1.0, 0)),
    ],
)
def test_the_files_of_set5_are_the_older_matlabs(scale, protocol, inside, edge):
    if not SET5.is_dir():
        pytest.skip(f"{SET5} is not on this machine")
    given = get_protocol(f"{protocol}+given-lr")
    pairs = load_pairs(SET5, scale, protocol=given)
    counted = [count_equal(pair.lr, make_lr(pair.hr, given, scale)) for pair in pairs]
    difference = lr_difference(counted, given.lr_resizer)
    assert (round(difference.inside.equal, 4), difference.inside.largest) == inside
    assert (round(difference.edge.equal, 4), difference.edge.largest) == edge
