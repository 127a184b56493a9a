"""The tone curve of a colour profile: networks learnt from sRGB-like values, and get such ones.

Most profiles (sRGB, Display P3, Adobe RGB) are coded nearly as sRGB is, and their pixels stay as
they are. Those of a linear profile, say, are coded by sRGB's curve for the network and back after
it, each channel alone: primaries and white stay the file's own, so no colour is cut off.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

Floats = NDArray[np.float32]

POINTS = 4096  # of the curve that is measured
ODD = 0.05  # of the range that mid grey is moved by; gamma 2.2 moves it by 0.004, 1.8 by 0.07
# A curve for a brighter screen than sRGB's (PQ, HLG) is one for the eye too, and better kept
DARKEST = -0.25
RISING = 0.01  # of the curve is a straight line: where it is flat, near black, values stay apart


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """Values of a file, and what they are in sRGB's coding: both rise from 0 to 1."""

    file: NDArray[np.float64]
    coded: NDArray[np.float64]

    def encoded(self, values: Floats) -> Floats:
        """Return the file's values, 0..1, in sRGB's coding."""
        return np.interp(values, self.file, self.coded).astype(np.float32)

    def decoded(self, values: Floats) -> Floats:
        """Return the values in sRGB's coding, 0..1, as those of the file."""
        return np.interp(values, self.coded, self.file).astype(np.float32)


def tone_curve(profile: bytes | None, colours: int) -> ToneCurve | None:
    """Return the curve between a profile's values and sRGB's; None where they are much the same.

    Measured on the grey ramp, by relative colorimetry. None, too, for a profile that is damaged or
    one of another number of colours.
    """
    if profile is None or colours not in (1, 3):
        return None
    luminance = _luminance(profile, colours)
    if luminance is None:
        return None
    file = np.linspace(0, 1, POINTS)
    coded = _srgb_coded(np.maximum.accumulate(luminance.clip(0, 1)))
    span = coded[-1] - coded[0]
    if span < 0.5:
        return None
    coded = (coded - coded[0]) / span
    moved = np.interp(0.5, file, coded) - 0.5
    if abs(moved) < ODD or moved < DARKEST:
        return None
    return ToneCurve(file, (1 - RISING) * coded + RISING * file)


def _luminance(profile: bytes, colours: int) -> NDArray[np.float64] | None:
    """Return the luminance, 0..1, of equal values in all channels, from 0 to their end."""
    ramp = np.rint(np.linspace(0, 65535, POINTS)).astype(np.uint16)
    values = np.ascontiguousarray(np.repeat(ramp[:, None], colours, axis=1))
    image: Any = pyvips.Image.new_from_memory(values.data, POINTS, 1, colours, "ushort")
    image = image.copy(interpretation="rgb16" if colours == 3 else "grey16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        xyz = image.icc_import(embedded=True, pcs="xyz", intent="relative")
        measured = np.frombuffer(xyz.write_to_memory(), np.float32).reshape(POINTS, 3)
    except pyvips.Error:
        return None
    return measured[:, 1].astype(np.float64) / 100


def _srgb_coded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return linear light in sRGB's coding (IEC 61966-2-1)."""
    curved = 1.055 * np.power(np.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved)
