"""How large a picture becomes: by hand, for every way of asking."""

import math

import pytest

from upres.errors import BadSetting
from upres.upscaling.sizes import SizePlan, SizeWish, plan_size, suffix_for


@pytest.mark.parametrize(
    "wish, plan",
    [
        (SizeWish(), SizePlan(400, 200, 1)),
        (SizeWish(scale=4), SizePlan(400, 200, 1)),
        (SizeWish(scale=1.5), SizePlan(150, 75, 1)),
        (SizeWish(scale=4.01), SizePlan(401, 201, 2)),  # 200.5: halves go up
        (SizeWish(scale=16), SizePlan(1600, 800, 2)),
        (SizeWish(scale=17), SizePlan(1700, 850, 3)),
        (SizeWish(scale=1), SizePlan(100, 50, 1)),
        (SizeWish(width=333), SizePlan(333, 167, 1)),
        (SizeWish(height=333), SizePlan(666, 333, 2)),
        (SizeWish(long_edge=500), SizePlan(500, 250, 2)),
        (SizeWish(fit=(300, 100)), SizePlan(200, 100, 1)),
        (SizeWish(fit=(300, 1000)), SizePlan(300, 150, 1)),
    ],
)
def test_a_picture_of_100_by_50_with_a_model_of_4(wish, plan):
    assert plan_size(100, 50, wish, 4) == plan


def test_an_upright_picture_s_long_edge_is_its_height():
    assert plan_size(50, 100, SizeWish(long_edge=200), 2) == SizePlan(100, 200, 1)


def test_a_side_never_becomes_nothing_and_what_was_asked_for_is_exact():
    assert plan_size(3000, 1, SizeWish(width=3001), 2) == SizePlan(3001, 1, 1)
    for width in range(1000, 1100):
        assert plan_size(997, 331, SizeWish(width=width), 4).width == width


@pytest.mark.parametrize("wish", [SizeWish(scale=0.5), SizeWish(width=99), SizeWish(height=0)])
def test_smaller_is_refused(wish):
    with pytest.raises(BadSetting, match="pictures are enlarged here, so ask for a larger size"):
        plan_size(100, 50, wish, 4)


@pytest.mark.parametrize("scale", [math.nan, math.inf])
def test_a_scale_is_a_number(scale):
    with pytest.raises(BadSetting, match="times as large"):
        plan_size(100, 50, SizeWish(scale=scale), 4)


def test_a_size_is_asked_for_once():
    with pytest.raises(BadSetting, match=r"not by scale and long-edge at once\."):
        SizeWish(scale=2, long_edge=3)


@pytest.mark.parametrize(
    "wish, suffix",
    [
        (SizeWish(), "_x4"),
        (SizeWish(scale=2), "_x2"),
        (SizeWish(scale=1.5), "_x1.5"),
        (SizeWish(width=3840), "_w3840"),
        (SizeWish(height=1080), "_h1080"),
        (SizeWish(long_edge=3000), "_long3000"),
        (SizeWish(fit=(3840, 2160)), "_3840x2160"),
    ],
)
def test_a_result_s_name_tells_its_size(wish, suffix):
    assert suffix_for(wish, 4) == suffix
