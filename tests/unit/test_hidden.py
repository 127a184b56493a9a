"""Hidden colours become their neighbours', and no network shows them at an edge."""

import numpy as np
import pytest

from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.upscaling.hidden import REACH, spread
from upres.upscaling.layout import Layout, through_rgb
from upres.upscaling.streams import Floats, array_stream
from upres.upscaling.upscaler import Upscaler

FLAT = np.float32([0.7, 0.3, 0.2])


def sharpening(rgb: Floats) -> Floats:
    """Twice as large, each pixel pushed away from the mean of its neighbours, as networks do."""
    padded = np.pad(rgb, ((1, 1), (1, 1), (0, 0)), mode="edge")
    beside = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    sharp = rgb + (rgb - beside / 4)
    return sharp.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32)


@pytest.mark.parametrize("soft", [False, True])
def test_one_colour_stays_that_colour_up_to_the_edge_whatever_is_hidden(soft: bool) -> None:
    picture = np.zeros((20, 24, 4), np.float32)
    picture[..., 3] = np.linspace(1.5, -0.5, 24).clip(0, 1) if soft else np.arange(24) < 12
    picture[..., :3] = np.where(picture[..., 3:] > 0, FLAT, [1, 0, 1])
    sr = through_rgb(picture, Layout(3, alpha=True), sharpening)
    visible = sr[..., 3] > 0
    assert visible.any()
    assert not visible.all()
    assert np.abs(sr[..., :3] - FLAT)[visible].max() < 1e-4


def test_opaque_pixels_keep_their_colours_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    colours = rng.random((9, 40, 3), np.float32)
    alpha = np.ones((9, 40, 1), np.float32)
    alpha[:, 20:] = 0
    found = spread(colours, alpha)
    assert (found[:, :20] == colours[:, :20]).all()


def test_a_hidden_pixel_is_the_mean_of_the_nearest_that_are_not() -> None:
    colours = np.zeros((3, 3, 1), np.float32)
    alpha = np.zeros((3, 3, 1), np.float32)
    colours[0, 0], colours[2, 2], colours[0, 2] = 0.2, 0.8, 0.9  # the last one is hidden
    alpha[0, 0] = alpha[2, 2] = 1
    assert spread(colours, alpha)[1, 1, 0] == pytest.approx(0.5)
    alpha[2, 2] = 0.5  # half as visible, half the weight: (0.2 + 0.4) / 1.5
    assert spread(colours, alpha)[1, 1, 0] == pytest.approx(0.4)


def test_nothing_farther_than_the_reach_is_asked() -> None:
    alpha = np.zeros((1, 40, 1), np.float32)
    alpha[:, 0] = 1
    found = spread(np.ones((1, 40, 1), np.float32), alpha)[0, :, 0]
    assert found[: REACH + 1] == pytest.approx(1)
    assert (found[REACH + 1 :] == 0).all()


def test_exact_tiles_know_what_a_neighbour_hides() -> None:
    """A pixel that is visible far outside a tile colours what the network sees at its edge."""
    rng = np.random.default_rng(0)
    picture = rng.random((8, 120, 4)).astype(np.float32)
    picture[:, 20:50, 3] = 0
    network = build_generator(CompactSettings(width=4, convs=1), 2, seed=0)
    layout = Layout(3, alpha=True)

    def enlarged(tile: int) -> Floats:
        upscaler = Upscaler(network, 2, 3, precision="float32", tile=tile, exact=True)
        return np.concatenate(list(upscaler.stream(array_stream(picture), layout).blocks))

    np.testing.assert_allclose(enlarged(32), enlarged(0), atol=1e-5)
