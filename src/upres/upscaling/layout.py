"""Pictures of any channels through a network that knows RGB alone, tile by tile."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from upres.upscaling.hidden import spread
from upres.upscaling.streams import Floats

EnlargeRGB = Callable[[Floats], Floats]  # (h, w, 3) to (scale*h, scale*w, 3), not clamped


@dataclass(frozen=True)
class Layout:
    """What the channels of a picture are.

    colours: 1 (grey), 3 (RGB), or the number of bands of a scientific picture, each a grey
        picture of its own. alpha: one more channel behind them. neutral: the three colours are
        equal everywhere and have to stay so.
    """

    colours: int
    alpha: bool = False
    neutral: bool = False

    @property
    def channels(self) -> int:
        """How many channels there are, alpha included."""
        return self.colours + self.alpha


def through_rgb(tile: Floats, layout: Layout, enlarge: EnlargeRGB) -> Floats:
    """Return the tile (h, w, channels) enlarged, (scale*h, scale*w, channels), not clamped.

    Colours that alpha hides become their visible neighbours' first, weighted by alpha, so that they
    leave no fringe. Alpha that is the same in all of the tile stays exactly that.
    """
    if not layout.alpha:
        return _colours(tile, layout, enlarge)
    colours, alpha = tile[..., :-1], tile[..., -1:]
    if alpha.min() == alpha.max():
        enlarged = _colours(colours, layout, enlarge)
        still = np.full((*enlarged.shape[:2], 1), alpha.flat[0], np.float32)
        return np.concatenate([enlarged, still], axis=2)
    enlarged = _colours(spread(colours, alpha), layout, enlarge)
    return np.concatenate([enlarged, _grey(alpha, enlarge).clip(0, 1)], axis=2)


def _colours(colours: Floats, layout: Layout, enlarge: EnlargeRGB) -> Floats:
    if layout.colours == 3 and not layout.neutral:
        return enlarge(colours)
    if layout.neutral:
        return np.repeat(_grey(colours[..., :1], enlarge), layout.colours, axis=2)
    bands = [_grey(colours[..., band : band + 1], enlarge) for band in range(layout.colours)]
    return bands[0] if len(bands) == 1 else np.concatenate(bands, axis=2)


def _grey(band: Floats, enlarge: EnlargeRGB) -> Floats:
    mean: Floats = enlarge(np.repeat(band, 3, axis=2)).mean(axis=2, keepdims=True)
    return mean
