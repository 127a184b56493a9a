"""HEIC files opened for what they are, without their pixels."""

import numpy as np
import pytest

from upres.images.opening import open_picture

pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC needs upres[heif]")


@pytest.mark.parametrize("mode, bits", [("L", 8), ("RGB", 8), ("RGBA", 8), ("RGB;16", 16)])
def test_a_heic_is_known_without_being_decoded(tmp_path, mode, bits):
    channels = len(mode.partition(";")[0])
    values = np.full((24, 40, channels), 2**bits - 1, f"uint{bits}")
    path = tmp_path / "a.heic"
    pillow_heif.from_bytes(mode, (40, 24), values.tobytes()).save(path, quality=95)
    known, whole = open_picture(path, pixels=False), open_picture(path)
    for name in ("width", "height", "colours", "alpha", "bits", "depth", "kind", "frames"):
        assert getattr(known, name) == getattr(whole, name), name
    assert (known.width, known.height, known.bits) == (40, 24, bits)
    assert next(known.blocks()).max() == 0
    assert next(whole.blocks()).min() > 0.9 * 2**bits
