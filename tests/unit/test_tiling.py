"""The choice of tiles: what is seen, what fits, what reads least."""

import pytest

from upres.upscaling.tiles import Tiling
from upres.upscaling.tiling import bytes_needed, choose_tiling, context_of


@pytest.mark.parametrize(
    "radius, exact, overlap, blend",
    [(34, False, 34, 0), (48, True, 48, 0), (350, False, 40, 16), (350, True, 80, 16)],
)
def test_networks_that_see_far_fade_instead_of_overlapping_by_all(radius, exact, overlap, blend):
    assert context_of(radius, exact=exact) == (overlap, blend)
    assert context_of(60, exact=True)[0] == 60  # no further than the network sees


def test_tiles_are_squares_of_256_where_they_fit_and_as_asked_where_a_side_is_given():
    assert choose_tiling(9000, 12000, overlap=34) == Tiling(256, 256, 34)
    assert choose_tiling(9000, 12000, overlap=34, tile=100) == Tiling(100, 100, 34)
    assert choose_tiling(9000, 12001, overlap=34, tile=0) == Tiling(9000, 12004, 34)


def test_small_pictures_go_through_whole_if_they_fit():
    assert choose_tiling(240, 320, overlap=18) == Tiling(240, 320, 18)
    assert choose_tiling(360, 360, overlap=18).rows == 360
    assert choose_tiling(360, 361, overlap=18).rows == 256
    assert choose_tiling(240, 320, overlap=18, fits=lambda t: t.columns < 320).columns == 256


def test_small_pictures_go_through_a_deep_network_whole_if_they_fit():
    assert choose_tiling(512, 512, overlap=32, blend=16).rows == 512
    assert choose_tiling(513, 512, overlap=32, blend=16).rows == 256
    small = choose_tiling(512, 512, overlap=32, blend=16, fits=lambda t: t.rows < 512)
    assert small.rows == 256


def test_a_wide_picture_gets_flat_wide_tiles_when_memory_is_short():
    """Rows cost by the picture's width, so few of them; reading less around means long tiles."""

    def needed(tiling):
        return bytes_needed(tiling, 48000, 3, 4, 600)

    chosen = choose_tiling(
        9000, 48000, overlap=34, fits=lambda t: needed(t) < 0.4 * needed(Tiling(256, 256, 34))
    )
    assert chosen.rows < 256 < chosen.columns
    assert needed(chosen) < 0.4 * needed(Tiling(256, 256, 34))


def test_where_nothing_fits_the_least_tiling_is_named():
    assert choose_tiling(900, 900, overlap=34, fits=lambda t: False) == Tiling(16, 16, 34)


def test_the_memory_of_a_hundred_megapixels_by_hand():
    """Compact x4 on 12000 px of width, tiles of 256: counted without the code."""
    window = 2 * (256 + 2 * 34 + 64) * 12000 * 3 * 4
    band = 256 * 4 * 48000 * 3 * 4
    blocks = 4 * 64 * 48000 * 3 * 4
    tile = (256 + 68) ** 2 * (600 + 4 * 16 * 3 * 4)
    assert bytes_needed(Tiling(256, 256, 34), 12000, 3, 4, 600) == window + band + blocks + tile
