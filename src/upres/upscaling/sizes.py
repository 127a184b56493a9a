"""How large a picture becomes: one pure function for every way of asking."""

import math
from dataclasses import dataclass

from upres.errors import BadSetting


@dataclass(frozen=True)
class SizeWish:
    """What was asked for; at most one of them. Nothing: as large as the model makes it.

    scale: times as large. width, height, long_edge: pixels, the other side follows.
    fit: (width, height) that the result fits into.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    long_edge: int | None = None
    fit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        given = [name for name in self.__dataclass_fields__ if getattr(self, name) is not None]
        if len(given) > 1:
            raise BadSetting(
                f"a size is asked for by one of --scale, --width, --height, --long-edge and --fit, "
                f"not by {' and '.join(name.replace('_', '-') for name in given)} at once."
            )


@dataclass(frozen=True)
class SizePlan:
    """What is done to reach a size: so many passes of the network, then a resize in floats."""

    width: int
    height: int
    passes: int


def plan_size(width: int, height: int, wish: SizeWish, model_scale: int) -> SizePlan:
    """Return the final size in pixels and the passes of the network that reach it.

    The sides keep their proportion, rounded to the nearest pixel, at least 1. The network is
    applied until its result is at least as large.
    Raises BadSetting for a size below the picture's own.
    """
    factor = _factor(width, height, wish, model_scale)
    if not math.isfinite(factor) or factor < 1:
        raise BadSetting(
            f"{width}x{height} would become {factor:.3g} times as large; pictures are enlarged "
            f"here, so ask for a larger size."
        )
    final = (_wished(wish.width, width * factor), _wished(wish.height, height * factor))
    passes = 1
    while model_scale**passes < factor * (1 - 1e-9) and model_scale > 1:
        passes += 1
    return SizePlan(*final, passes)


def suffix_for(wish: SizeWish, model_scale: int) -> str:
    """Return what is put behind a picture's name to tell the size: _x4, _x1.5, _w3840, _3840x2160.

    The scale where nothing was asked for is the model's.
    """
    if wish.width is not None:
        return f"_w{wish.width}"
    if wish.height is not None:
        return f"_h{wish.height}"
    if wish.long_edge is not None:
        return f"_long{wish.long_edge}"
    if wish.fit is not None:
        return f"_{wish.fit[0]}x{wish.fit[1]}"
    return f"_x{_factor(1, 1, wish, model_scale):g}"


def _factor(width: int, height: int, wish: SizeWish, model_scale: int) -> float:
    if wish.scale is not None:
        return wish.scale
    if wish.width is not None:
        return wish.width / width
    if wish.height is not None:
        return wish.height / height
    if wish.long_edge is not None:
        return wish.long_edge / max(width, height)
    if wish.fit is not None:
        return min(wish.fit[0] / width, wish.fit[1] / height)
    return float(model_scale)


def _wished(asked: int | None, side: float) -> int:
    return asked if asked is not None else max(1, math.floor(side + 0.5))
