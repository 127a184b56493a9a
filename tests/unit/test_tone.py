"""Profiles that are coded otherwise than sRGB: which they are, and the way there and back."""

import numpy as np
import pytest
from PIL import ImageCms

from colour_profiles import grey_profile, rgb_profile
from upres.images.tone import tone_curve

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("profile, colours", [(rgb_profile(1), 3), (grey_profile(1), 1)])
def test_linear_light_is_coded_as_srgb_codes_it(profile, colours):
    tone = tone_curve(profile, colours)
    assert tone is not None
    # IEC 61966-2-1 by hand: 0.5 -> 1.055 * 0.5^(1/2.4) - 0.055, 0.002 -> 12.92 * 0.002
    coded = tone.encoded(np.float32([0, 0.002, 0.5, 1]))
    assert coded == pytest.approx([0, 0.02584, 0.735357, 1], abs=0.003)  # 1 % is a line


def test_the_way_back_is_the_way_there():
    tone = tone_curve(rgb_profile(1.8), 3)
    values = np.linspace(0, 1, 65536, dtype=np.float32)
    assert np.abs(tone.decoded(tone.encoded(values)) - values).max() < 0.25 / 65535
    ends = np.float32([0, 1])
    assert np.array_equal(tone.encoded(ends), ends)
    assert np.array_equal(tone.decoded(ends), ends)


@pytest.mark.parametrize(
    "profile, colours",
    [
        (None, 3),
        (SRGB, 3),
        (rgb_profile(2.2), 3),
        (grey_profile(2.2), 1),
        (rgb_profile(1), 1),  # of another number of colours
        (rgb_profile(1), 4),
        (b"no profile", 3),
        (rgb_profile(9), 3),  # mid grey is nearly black, as in codes for much brighter screens
    ],
)
def test_other_pictures_stay_as_they_are(profile, colours):
    assert tone_curve(profile, colours) is None
