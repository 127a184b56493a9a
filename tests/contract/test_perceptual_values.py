"""LPIPS, DISTS and distances of VGG's features as the judge reports them, against known values.

Values: an independent implementation, which equals the official calibration of IQA-PyTorch to four
digits, on 256x256 crops of scikit-image's photos.
"""

import numpy as np
import pytest
from PIL import Image

from upres.evaluation.judge import JudgedPair, score
from upres.evaluation.measures import measures_for
from upres.evaluation.networks import load_networks
from upres.evaluation.protocols import get_protocol

PROTOCOL = get_protocol("sr-y-float")
PHOTOS = {"chelsea": (60, 20), "coffee": (150, 80), "astronaut": (130, 20)}  # left, top


def crop(photo):
    data = pytest.importorskip("skimage.data", reason="scikit-image's photos are not installed")
    left, top = PHOTOS[photo]
    return np.ascontiguousarray(getattr(data, photo)()[top : top + 256, left : left + 256])


def measures(names):
    networks, missing = load_networks(names, download=False)
    if missing:
        pytest.skip("; ".join(missing.values()))
    return measures_for(names, PROTOCOL, networks)


def scored(srs, hr, found):
    pair = JudgedPair("a photo", np.ascontiguousarray(hr[::4, ::4]), hr)
    scores = score([(pair, sr) for sr in srs], PROTOCOL, scale=4, measures=found)
    return [list(each.metrics.values()) for each in scores]


# each photo against 8 levels of itself, then against its mirror image. tests/unit has the rest of
# the table on the networks themselves
@pytest.mark.parametrize(
    "photo, metric, coarse, mirrored",
    [
        ("coffee", "lpips_alex", 0.05784, 0.45605),
        ("coffee", "lpips_vgg", 0.26990, 0.50457),
        ("astronaut", "lpips_vgg", 0.33410, 0.68618),
        ("chelsea", "dists", 0.18439, 0.18299),
    ],
)
def test_learnt_distances_have_the_calibrated_values(photo, metric, coarse, mirrored):
    hr = crop(photo)
    both = [hr // 32 * 32 + 16, np.ascontiguousarray(hr[:, ::-1])]
    found = scored(both, hr, measures([metric]))
    assert found == [[pytest.approx(coarse, abs=1e-4)], [pytest.approx(mirrored, abs=1e-4)]]


def test_distance_of_vgg16s_features_is_the_known_one_of_bicubic():
    hr = crop("chelsea")
    small = Image.fromarray(hr).resize((64, 64), Image.Resampling.BICUBIC)
    sr = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC))
    ((found,),) = scored([sr], hr, measures(["vgg16_conv5_3"]))
    assert found == pytest.approx(13.57, abs=0.0051)
