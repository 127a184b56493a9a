"""Luma that is shrunk and enlarged alone, with an LR in floats."""

import numpy as np
import pytest

from upres.evaluation.luma_chain import enlarged_luma
from upres.evaluation.protocols import get_protocol

SRCNN, VDSR = get_protocol("srcnn"), get_protocol("vdsr")


def grey(values):
    return np.asarray(values, np.uint8)[..., None].repeat(3, 2)


def test_a_flat_picture_keeps_its_luma_and_a_grey_one_its_value():
    flat = grey(np.full((16, 16), 128))
    for protocol in (SRCNN, VDSR):
        luma = enlarged_luma(flat, protocol, scale=4, kernel="bicubic", grey=False)
        assert luma.dtype == np.uint8
        assert (luma == 126).all()  # 16 + 219 * 128 / 255 = 125.93
        own = enlarged_luma(flat, protocol, scale=4, kernel="bicubic", grey=True)
        assert (own == 128).all()


@pytest.mark.parametrize("protocol, low, high", [(SRCNN, 0, 255), (VDSR, 16, 235)])
def test_what_overshoots_is_clamped_to_the_protocols_range(protocol, low, high):
    step = grey(np.repeat([[0] * 16 + [255] * 16], 32, axis=0))
    luma = enlarged_luma(step, protocol, scale=2, kernel="bicubic", grey=True)
    assert luma.min() == low
    assert luma.max() == high


def test_the_lr_is_not_rounded():
    # pairs 10 11 average to 10.5 in the LR: `nearest` rounds it once, up, and only at the end
    pairs = grey(np.tile([10, 11], (8, 8)))
    luma = enlarged_luma(pairs, SRCNN, scale=2, kernel="nearest", grey=True)
    assert (luma[:, 4:-4] == 11).all()
    # doubled again, a rounded LR would give a flat 11: the ramp of 10, 10.5, 11 ... survives
    ramp = grey(np.repeat([np.arange(32) // 2], 32, axis=0))
    found = enlarged_luma(ramp, SRCNN, scale=2, kernel="bicubic", grey=True)
    exact = (np.arange(32) - 0.5) / 2  # the line through the middles of the pairs
    assert np.abs(found[8, 8:-8] - exact[8:-8]).max() <= 0.5
