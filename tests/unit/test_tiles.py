"""Tiles and bands: every pixel once, and no seam where the overlap is the receptive radius."""

import numpy as np
import pytest
import torch

from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.bands import enlarged
from upres.upscaling.streams import array_stream, collected
from upres.upscaling.tile_network import TileNetwork
from upres.upscaling.tiles import spans

SMALL = CompactSettings(width=4, convs=3)  # five convolutions of 3x3: radius 5
UNSHUFFLED = RRDBNetSettings(blocks=1, width=4, growth=2)  # at x2 it sees squares of 2x2 pixels


@pytest.mark.parametrize("length", [1, 16, 17, 33, 101])
@pytest.mark.parametrize("tile, overlap", [(1, 0), (8, 3), (12, 40), (64, 5)])
def test_every_pixel_is_kept_once_with_its_surroundings(length, tile, overlap):
    seen = np.zeros(length, int)
    for read, keep in spans(length, tile, overlap):
        seen[keep] += 1
        assert read.start <= max(0, keep.start - overlap)
        assert read.stop >= min(length, keep.stop + overlap)
        assert keep.stop - keep.start <= max(tile, 4)
        assert read.start % 4 == 0
    assert (seen == 1).all()


def test_a_picture_that_fits_is_one_tile_without_surroundings():
    assert spans(30, 32, 8) == [(slice(0, 30), slice(0, 30))]


def test_tiles_of_a_row_are_about_equally_large():
    assert [keep for _, keep in spans(260, 256, 0)] == [slice(0, 132), slice(132, 260)]


@pytest.mark.parametrize("tile, overlap", [(0, 1), (4, -1)])
def test_senseless_sizes_are_refused(tile, overlap):
    with pytest.raises(ValueError, match=f"tile is {tile} and overlap {overlap}"):
        spans(8, tile, overlap)


def enlarged_in_tiles(enlarge, picture, scale, tile, overlap):
    stream = array_stream(picture)
    return collected(enlarged(stream, enlarge, scale=scale, tile=tile, overlap=overlap))


def network_of(settings, scale):
    return TileNetwork(build_generator(settings, scale, seed=3).eval(), "float32")


PICTURE = np.random.default_rng(0).random((61, 90, 3), dtype=np.float32)


@pytest.mark.parametrize(
    "settings, scale, tile", [(SMALL, 4, 8), (SMALL, 3, 12), (UNSHUFFLED, 2, 16)]
)
def test_tiles_equal_the_whole_picture(settings, scale, tile):
    network, radius = network_of(settings, scale), receptive_radius(settings, scale)
    whole = enlarged_in_tiles(network, PICTURE, scale, 96, 0)
    tiled = enlarged_in_tiles(network, PICTURE, scale, tile, radius)
    # The same sums, in another order where a convolution has another size.
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=2e-6)


def test_tiles_without_overlap_have_seams():
    picture = PICTURE[:20, :20]
    network = network_of(SMALL, 4)
    whole = enlarged_in_tiles(network, picture, 4, 20, 0)
    seams = np.abs(enlarged_in_tiles(network, picture, 4, 8, 0) - whole).max(axis=2)
    assert seams.max() > 0.001
    assert seams[:12, :12].max() <= 2e-6  # 8 px less the radius 5, enlarged: no seam reaches here


def test_a_tile_without_memory_is_halved_until_it_fits():
    network, scale, radius = network_of(SMALL, 4), 4, receptive_radius(SMALL, 4)
    sides = []

    def scarce(tile):
        sides.append(tile.shape[1])
        if sides[-1] > 40:
            raise MemoryError
        return network(tile)

    whole = enlarged_in_tiles(network, PICTURE, scale, 96, 0)
    np.testing.assert_allclose(
        enlarged_in_tiles(scarce, PICTURE, scale, 96, radius), whole, rtol=0, atol=2e-6
    )
    assert sides[0] == 90
    assert 1 < sum(side > 40 for side in sides) < len(sides)


def test_where_even_small_tiles_do_not_fit_the_error_passes():
    def none(tile):
        raise MemoryError

    with pytest.raises(MemoryError):
        enlarged_in_tiles(none, PICTURE, 4, 64, 8)


def test_torchs_word_for_no_memory_is_a_memory_error():
    class Hungry(torch.nn.Module):
        def forward(self, lr):
            raise torch.OutOfMemoryError("no memory")

    with pytest.raises(MemoryError, match="no memory"):
        TileNetwork(Hungry(), "float32")(PICTURE)
