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
    # LR of 0 1 2 3 ... is 0.5 2.5 ...; rounded it would be 1 3 ..., the enlargement too bright
    ramp = grey(np.tile(np.arange(32), (32, 1)))
    luma = enlarged_luma(ramp, SRCNN, scale=2, kernel="bicubic", grey=True)
    assert (luma[8:-8, 8:-8] == np.arange(32)[8:-8]).all()


def test_nearest_repeats_the_lr():
    stripes = grey(np.tile(np.repeat([20, 60], 8), (16, 2)))
    luma = enlarged_luma(stripes, SRCNN, scale=4, kernel="nearest", grey=True)
    assert (luma.reshape(4, 4, 8, 4) == luma[::4, ::4].reshape(4, 1, 8, 1)).all()
