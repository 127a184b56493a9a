"""One upscaler, many threads: the pictures of one thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.upscaling.finishing import finishes_for
from upres.upscaling.upscaler import Upscaler

SETTINGS = CompactSettings(width=8, convs=2)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_eight_threads_give_the_pictures_of_one(precision):
    """Pictures of unlike sizes and kinds, in tiles, each more than once."""
    upscaler = Upscaler(
        build_generator(SETTINGS, 2, seed=0),
        2,
        receptive_radius(SETTINGS, 2),
        precision=precision,
        tile=32,
        finishes=finishes_for(strength=0.7, keep_colour=True),
    )
    random = np.random.default_rng(0)
    pictures = [
        random.integers(0, 256, (20 + 9 * n, 61 - 5 * n, channels)).astype(kind)
        for n, (channels, kind) in enumerate(
            [(3, np.uint8), (1, np.uint16), (4, np.uint8), (5, np.uint8), (3, np.uint16)]
        )
    ]
    alone = [upscaler(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(upscaler, pictures * 4))
    for number, sr in enumerate(together):
        assert np.array_equal(sr, alone[number % len(pictures)])
