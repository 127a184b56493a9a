"""An exported file that is not its network is found out."""

import numpy as np
import pytest
from torch import nn

from upres.errors import WorkFailed
from upres.export.checking import greatest_difference
from upres.export.exporting import _refuse_other

NETWORK = nn.Upsample(scale_factor=2)


def run(lr):
    return lr.repeat(2, axis=2).repeat(2, axis=3)


def test_the_network_itself_differs_by_nothing():
    assert greatest_difference(NETWORK, run) == 0


def test_one_value_of_one_size_is_enough():
    def off(lr):
        sr = run(lr)
        if lr.shape[0] == 2:
            sr[1, 2, 5, 3] += 3 / 255
        return sr

    assert greatest_difference(NETWORK, off) == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("wrong", [lambda lr: run(lr)[:, :, :-1], lambda lr: run(lr) * np.nan])
def test_another_size_and_no_number_are_infinitely_wrong(wrong):
    assert greatest_difference(NETWORK, wrong) == float("inf")


def test_what_differs_is_refused_in_words():
    _refuse_other("small", "onnx", 0.09, half=False)
    _refuse_other("small", "onnx", 7.9, half=True)
    with pytest.raises(WorkFailed) as raised:
        _refuse_other("small", "onnx", 12.34, half=True)
    assert str(raised.value) == (
        "small as onnx differs from the network by 12.3 levels of 255 (pictures of 64x48, 17x33, "
        "7x1), at most 8.0 is expected; nothing was written, leave --half out."
    )
