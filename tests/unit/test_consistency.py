"""Does SR, shrunk, say what the LR said: values by hand."""

import math

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from upres.metrics.consistency import lr_psnr

LR = np.random.default_rng(0).integers(0, 250, (2, 5, 7, 3), dtype=np.uint8)


def repeated(lr):
    return lr.repeat(4, axis=1).repeat(4, axis=2)


def every_fourth(picture):
    return picture[::4, ::4]


def test_what_shrinks_to_the_lr_is_consistent():
    assert lr_psnr(repeated(LR), LR, every_fourth).tolist() == [math.inf, math.inf]


def test_a_level_off_is_48_decibels_for_the_picture_that_is_off():
    sr = repeated(LR)
    sr[1] += 1
    # 10 log10(255^2): facts of PSNR, an error of 1 everywhere
    assert lr_psnr(sr, LR, every_fourth).tolist() == pytest.approx([math.inf, 48.1308036087])


def test_the_three_channels_are_one_error():
    sr = repeated(LR)
    sr[..., 2] += 3  # 9 / 3 channels: mean squared error of 3
    expected = 10 * math.log10(255**2 / 3)
    assert lr_psnr(sr, LR, every_fourth).tolist() == pytest.approx([expected, expected])


def test_detail_that_shrinking_removes_is_not_seen():
    sr = np.full((1, 16, 16, 3), 100, np.uint8)
    sr[:, ::2, ::2] = 140
    sr[:, 1::2, 1::2] = 60
    lr = np.full((1, 4, 4, 3), 100, np.uint8)
    means = lr_psnr(sr, lr, lambda p: p.reshape(4, 4, 4, 4, 3).mean(axis=(1, 3)).astype(np.uint8))
    assert means.item() == math.inf


def test_an_lr_of_another_size_is_refused():
    with pytest.raises((ValueError, TypeCheckError)):
        lr_psnr(repeated(LR), LR[:, :4], every_fourth)
