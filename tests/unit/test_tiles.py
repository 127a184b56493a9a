"""Tiles and bands: every pixel once, and no seam where the overlap is the receptive radius."""

import itertools

import numpy as np
import pytest
import torch

from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.networks.srresnet import SRResNetSettings
from upres.upscaling.bands import enlarged
from upres.upscaling.streams import array_stream, collected
from upres.upscaling.tile_network import TileNetwork
from upres.upscaling.tiles import Span, Tiling, spans

SMALL = CompactSettings(width=4, convs=3)  # five convolutions of 3x3: radius 5
UNSHUFFLED = RRDBNetSettings(blocks=1, width=4, growth=2)  # at x2 it sees squares of 2x2 pixels


@pytest.mark.parametrize("length", [1, 16, 17, 33, 101])
@pytest.mark.parametrize("tile, overlap", [(1, 0), (8, 3), (12, 40), (64, 5)])
def test_every_pixel_is_kept_once_with_its_surroundings(length, tile, overlap):
    seen = np.zeros(length, int)
    for span in spans(length, tile, overlap):
        read, keep = span.read, span.cover
        seen[keep] += 1
        assert read.start <= max(0, keep.start - overlap)
        assert read.stop >= min(length, keep.stop + overlap)
        assert keep.stop - keep.start <= max(tile, 4)
        assert read.start % 4 == 0
    assert (seen == 1).all()


def test_a_picture_that_fits_is_one_tile_without_surroundings():
    assert spans(30, 32, 8) == [Span(slice(0, 30), slice(0, 30))]


def test_tiles_of_a_row_are_about_equally_large():
    assert [span.cover for span in spans(260, 256, 0)] == [slice(0, 132), slice(132, 260)]


@pytest.mark.parametrize("length", [1, 16, 17, 33, 101])
@pytest.mark.parametrize("tile, blend", [(1, 8), (8, 4), (12, 3), (40, 16)])
def test_neighbours_share_their_blend_and_no_pixel_has_three_tiles(length, tile, blend):
    found = spans(length, tile, 16, blend)
    covered = np.zeros(length, int)
    for span in found:
        covered[span.cover] += 1
        assert span.read.start <= span.cover.start and span.cover.stop <= span.read.stop
    for first, second in itertools.pairwise(found):
        shared = first.cover.stop - second.cover.start
        assert shared % 4 == 0 or first.cover.stop == length
        assert 0 <= shared <= 2 * -(-blend // 4) * 4
    assert covered.min() == 1 and covered.max() <= 2


@pytest.mark.parametrize("tile, overlap, blend", [(0, 1, 0), (4, -1, 0), (4, 8, 9), (4, 8, -1)])
def test_senseless_sizes_are_refused(tile, overlap, blend):
    told = f"tile is {tile}, overlap {overlap} and blend {blend}"
    with pytest.raises(ValueError, match=told):
        spans(8, tile, overlap, blend)


def enlarged_in_tiles(enlarge, picture, scale, tile, overlap, blend=0):
    tiling = Tiling(tile, tile, overlap, blend)
    return collected(enlarged(array_stream(picture), enlarge, scale=scale, tiling=tiling))


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


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no memory on the device"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_torchs_words_for_no_memory_are_a_memory_error(error):
    class Hungry(torch.nn.Module):
        def forward(self, lr):
            raise error

    with pytest.raises(MemoryError, match=str(error)):
        TileNetwork(Hungry(), "float32")(PICTURE)


def test_other_errors_of_a_network_pass():
    class Wrong(torch.nn.Module):
        def forward(self, lr):
            raise RuntimeError("sizes of tensors must match")

    with pytest.raises(RuntimeError, match="sizes of tensors"):
        TileNetwork(Wrong(), "float32")(PICTURE)


def numbered():
    """A function of tiles each of which gives its own number: 0, 1, 2 ..."""
    numbers = itertools.count()

    def number(tile):
        return np.full_like(tile, next(numbers))

    return number


def test_tiles_fade_into_each_other_across_a_seam():
    picture = np.zeros((4, 64, 1), np.float32)
    row = enlarged_in_tiles(numbered(), picture, 1, 32, 8, 8)[0, :, 0]
    assert (row[:24] == 0).all() and (row[40:] == 1).all()
    np.testing.assert_allclose(row[24:40], (np.arange(16) + 0.5) / 16)


def test_bands_fade_into_each_other_too():
    picture = np.zeros((96, 4, 1), np.float32)
    column = enlarged_in_tiles(numbered(), picture, 1, 32, 8, 4)[:, 0, 0]
    steps = (np.arange(8) + 0.5) / 8
    np.testing.assert_allclose(
        column, np.concatenate([np.zeros(28), steps, np.ones(24), 1 + steps, np.full(28, 2)])
    )


@pytest.mark.parametrize("tile, blend", [(8, 4), (12, 8), (16, 8), (40, 16)])
def test_what_is_equal_in_both_tiles_stays_exactly_so(tile, blend):
    def tripled(lr):
        return lr.repeat(3, axis=0).repeat(3, axis=1)

    sr = enlarged_in_tiles(tripled, PICTURE, 3, tile, 16, blend)
    assert np.array_equal(sr, tripled(PICTURE))


def test_halved_tiles_fade_as_well_and_what_failed_once_is_not_tried_again():
    tried = []

    def scarce(tile):
        tried.append(max(tile.shape[:2]))
        if tried[-1] > 60:
            raise MemoryError
        return tile.repeat(2, axis=0).repeat(2, axis=1)

    picture = np.random.default_rng(1).random((128, 128, 2), dtype=np.float32)
    sr = enlarged_in_tiles(scarce, picture, 2, 64, 8, 8)
    assert np.array_equal(sr, picture.repeat(2, axis=0).repeat(2, axis=1))
    assert sum(side > 60 for side in tried) == 1


@pytest.mark.parametrize(
    "settings, scale",
    [
        (SRCNNSettings(middle=1), 3),
        (SRResNetSettings(blocks=1, width=4), 4),
        (MSRResNetSettings(blocks=1, width=4), 2),
        (RRDBNetSettings(blocks=1, width=4, growth=2), 4),
        (RRDBNetSettings(blocks=1, width=4, growth=2), 2),
        (RRDBNetSettings(blocks=1, width=4, growth=2), 1),
        (SMALL, 4),
    ],
)
def test_every_network_takes_every_size_from_1_to_17_whole_and_in_tiles(settings, scale):
    network, radius = network_of(settings, scale), receptive_radius(settings, scale)
    for height in range(1, 18):
        for width in range(1, 18):
            picture = PICTURE[:height, :width]
            whole = network(picture)
            assert whole.shape == (height * scale, width * scale, 3)
            if (height + width) % 9 == 0:  # each side once or twice
                tiled = enlarged_in_tiles(network, picture, scale, 8, radius)
                np.testing.assert_allclose(tiled, whole, rtol=0, atol=4e-6)
