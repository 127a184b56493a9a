"""Tiles: every pixel once, and no seam where the overlap is the receptive radius."""

import numpy as np
import pytest
import torch

from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.tiles import plan_tiles, run_tiles

SMALL = CompactSettings(width=4, convs=3)  # five convolutions of 3x3: radius 5
UNSHUFFLED = RRDBNetSettings(blocks=1, width=4, growth=2)  # at x2 it sees squares of 2x2 pixels


@pytest.mark.parametrize("height, width", [(1, 1), (1, 17), (16, 16), (33, 7), (50, 101)])
@pytest.mark.parametrize("tile, overlap", [(1, 0), (8, 3), (12, 40), (64, 5)])
def test_every_pixel_is_kept_once_with_its_surroundings(height, width, tile, overlap):
    seen = np.zeros((height, width), int)
    for part in plan_tiles(height, width, tile=tile, overlap=overlap):
        seen[part.keep] += 1
        for read, keep, length in zip(part.read, part.keep, (height, width), strict=True):
            assert read.start <= max(0, keep.start - overlap)
            assert read.stop >= min(length, keep.stop + overlap)
            assert keep.stop - keep.start <= max(tile, 4)
            assert read.start % 4 == 0
    assert (seen == 1).all()


def test_a_picture_that_fits_is_one_tile_without_surroundings():
    (part,) = plan_tiles(30, 20, tile=32, overlap=8)
    assert part.read == part.keep == (slice(0, 30), slice(0, 20))


def test_tiles_of_a_row_are_about_equally_large():
    parts = plan_tiles(4, 260, tile=256, overlap=0)
    assert [part.keep[1] for part in parts] == [slice(0, 132), slice(132, 260)]


@pytest.mark.parametrize("tile, overlap", [(0, 1), (4, -1)])
def test_senseless_sizes_are_refused(tile, overlap):
    with pytest.raises(ValueError, match=f"tile is {tile} and overlap {overlap}"):
        plan_tiles(8, 8, tile=tile, overlap=overlap)


def enlarged_in_tiles(network, picture, scale, tile, overlap):
    def enlarge(part):
        return network(torch.from_numpy(part).permute(2, 0, 1)[None])[0].permute(1, 2, 0)

    height, width = picture.shape[:2]
    sr = torch.full((height * scale, width * scale, 3), torch.nan)
    tiles = plan_tiles(height, width, tile=tile, overlap=overlap)
    with torch.inference_mode():
        for place, part in run_tiles(enlarge, picture, tiles, scale=scale):
            sr[place] = part
    return sr


@pytest.mark.parametrize(
    "settings, scale, tile", [(SMALL, 4, 8), (SMALL, 3, 12), (UNSHUFFLED, 2, 16)]
)
def test_tiles_equal_the_whole_picture(settings, scale, tile):
    network = build_generator(settings, scale, seed=3).eval()
    picture = np.random.default_rng(0).random((61, 90, 3), dtype=np.float32)
    radius = receptive_radius(settings, scale)
    whole = enlarged_in_tiles(network, picture, scale, 96, 0)
    tiled = enlarged_in_tiles(network, picture, scale, tile, radius)
    # The same sums, in another order where a convolution has another size.
    torch.testing.assert_close(tiled, whole, rtol=0, atol=2e-6)


def test_tiles_without_overlap_have_seams():
    network = build_generator(SMALL, 4, seed=3).eval()
    picture = np.random.default_rng(0).random((20, 20, 3), dtype=np.float32)
    whole = enlarged_in_tiles(network, picture, 4, 20, 0)
    seams = (enlarged_in_tiles(network, picture, 4, 8, 0) - whole).abs().amax(dim=2)
    assert seams.max() > 0.001
    assert seams[:12, :12].max() <= 2e-6  # 8 px less the radius 5, enlarged: no seam reaches here
