"""Regions that stay as bicubic makes them."""

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn

from upres.errors import BadPicture
from upres.images.opening import open_picture
from upres.images.resize import resize_float
from upres.upscaling.passing import enlarged_rows
from upres.upscaling.sizes import SizeWish, plan_size
from upres.upscaling.upscaler import Upscaler


class White(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return (lr * 0 + 1).repeat_interleave(2, 2).repeat_interleave(2, 3)


def enlarge(source, mask, *, scale=2.0, tile=None):
    upscaler = Upscaler(White(), 2, 0, precision="float32", tile=tile)
    opened = open_picture(source)
    size = plan_size(opened.width, opened.height, SizeWish(scale=scale), 2)
    return np.concatenate(list(enlarged_rows(opened, upscaler, size, np.uint8, mask=mask)))


@pytest.fixture
def source(tmp_path):
    values = np.random.default_rng(0).integers(40, 200, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    mask = np.zeros((20, 30), np.uint8)
    mask[:, :15] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize("tile", [None, 8])
def test_white_of_the_mask_is_bicubic_and_black_the_network_s(source, tile):
    sr = enlarge(source, source.with_name("mask.png"), tile=tile)
    lr = np.asarray(Image.open(source)).astype(np.float64)
    plain = resize_float(lr, 40, 60, "matlab")
    assert np.abs(sr[:, :24] - plain[:, :24].clip(0, 255)).max() <= 0.51
    assert (sr[:, 36:] == 255).all()


def test_a_mask_goes_through_all_passes(source):
    sr = enlarge(source, source.with_name("mask.png"), scale=4)
    assert sr.shape == (80, 120, 3)
    assert (sr[:, 72:] == 255).all()
    assert sr[:, :48].mean() < 140


def test_a_mask_of_another_size_is_refused(source, tmp_path):
    Image.new("L", (30, 21)).save(tmp_path / "other.png")
    with pytest.raises(BadPicture, match=r"other\.png is 30x21, but the picture is 30x20"):
        enlarge(source, tmp_path / "other.png")
