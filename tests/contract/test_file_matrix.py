"""What a picture file is comes out as it went in: format, depth, channels, profile, orientation.

Files are made and read back by other libraries (Pillow, tifffile, pillow-heif, exiftool) wherever
one can hold them. The network repeats pixels; its result is measured against the same picture
enlarged by Pillow's bicubic, both brought to CIELAB through the profile that their file names.
"""

import io
from dataclasses import dataclass

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000
from torch import Tensor, nn

from colour_profiles import grey_profile, rgb_profile
from upres.batch.one_file import upscale_file
from upres.upscaling.upscaler import Upscaler

HEIGHT, WIDTH, SCALE = 24, 36, 2
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.createProfile("LAB")


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3)


@pytest.fixture(scope="module")
def upscaler():
    return Upscaler(Nearest(), SCALE, 0, precision="float32")


def p3_profile():
    dot = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")
    return dot.icc_transform("p3", input_profile="srgb").get("icc-profile-data")


PROFILES = {
    "none": None,
    "srgb": SRGB,
    "p3": p3_profile(),
    "linear": rgb_profile(1),
    "gamma1.8": rgb_profile(1.8),
    "grey": grey_profile(2.2),
    "linear-grey": grey_profile(1),
}


@dataclass(frozen=True)
class Case:
    """A file to make: its ending, bits, Pillow's mode, the name of its profile, its orientation."""

    ending: str
    bits: int
    mode: str
    profile: str = "none"
    orientation: int = 1

    def __str__(self):
        return "-".join(map(str, (self.ending, self.bits, self.mode, self.profile)))


def cases():
    for ending in ("png", "jpg", "webp", "avif", "tif", "heic", "gif"):
        for mode in MODES[ending]:
            for bits in DEPTHS[ending]:
                grey = mode in ("L", "LA")
                for profile in ("none", "grey", "linear-grey") if grey else WITH_COLOUR:
                    if ending == "gif" and profile != "none":
                        continue  # it has none
                    if ending in ("png", "tif", "jpg") or profile in ("none", "p3"):
                        yield Case(ending, bits, mode, profile)


MODES = {
    "png": ("L", "LA", "RGB", "RGBA", "P"),
    "jpg": ("L", "RGB"),
    "webp": ("RGB", "RGBA"),
    "avif": ("RGB", "RGBA"),
    "tif": ("L", "LA", "RGB", "RGBA"),
    "heic": ("RGB", "RGBA"),
    "gif": ("P",),
}
DEPTHS = {"png": (8, 16), "tif": (8, 16, 32)} | dict.fromkeys(("jpg", "webp", "avif", "gif"), (8,))
DEPTHS["heic"] = (8,)
WITH_COLOUR = ("none", "srgb", "p3", "linear", "gamma1.8")


def smooth(channels):
    """A picture of slow colours, 0..1; with alpha, nowhere invisible."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] / [[[HEIGHT]], [[WIDTH]]]
    planes = [0.3 + 0.4 * x, 0.7 - 0.3 * y, 0.35 + 0.2 * x + 0.2 * y]
    if channels < 3:
        planes = planes[:1]
    if channels in (2, 4):
        planes.append(0.5 + 0.5 * y)
    return np.stack(planes, axis=2)


def stored(values, bits):
    if bits == 32:
        return values.astype(np.float32)
    return np.rint(values * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def make(case, path):
    """Write the case's file, by tifffile, libvips (16-bit PNG) or Pillow; return its values."""
    profile = PROFILES[case.profile]
    channels = {"P": 3, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[case.mode]
    values = stored(smooth(channels), case.bits)
    if case.ending == "tif":
        extra = ["unassalpha"] if channels in (2, 4) else None
        kind = "minisblack" if channels < 3 else "rgb"
        plain = values[..., 0] if channels == 1 else values
        tifffile.imwrite(
            path, plain, photometric=kind, planarconfig="contig", extrasamples=extra,
            iccprofile=profile, metadata=None,
        )  # fmt: skip
    elif case.bits == 16:
        data = values.tobytes()
        image = pyvips.Image.new_from_memory(data, WIDTH, HEIGHT, channels, "ushort")
        image = image.copy(interpretation="rgb16" if channels > 2 else "grey16")
        if profile:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        image.write_to_file(str(path))
    else:
        image = Image.fromarray(values[..., 0] if channels == 1 else values)
        if case.mode == "P":
            image = image.quantize(64)
        how = {"quality": 95} if case.ending in ("jpg", "webp", "avif", "heic") else {}
        if case.ending == "avif":
            how["subsampling"] = "4:4:4"  # or two decoders enlarge colour in two ways
        image.save(path, icc_profile=profile, **how)
        with Image.open(path) as image:  # of what formats that lose have made of it
            values = np.asarray(image.convert("RGB") if case.mode == "P" else image)
        values = values.reshape(HEIGHT, WIDTH, channels)
    return values.astype(float) / (1 if case.bits == 32 else 2**case.bits - 1)


def read_back(case, path):
    """Return the file's values 0..1, their bits, and its profile, as another library has them."""
    if case.ending == "tif":
        with tifffile.TiffFile(path) as file:
            values, tag = file.asarray(), file.pages[0].tags.get(34675)
            profile = None if tag is None else bytes(tag.value)
    else:
        with Image.open(path) as image:
            profile = image.info.get("icc_profile")
            image = image.convert("RGB") if image.mode == "P" else image
            values = np.asarray(image)
    bits = values.dtype.itemsize * 8
    if case.ending == "png":
        bits = path.read_bytes()[24]
        if bits == 16 and values.dtype == np.uint8:  # Pillow leaves the lower bits out
            values = values.astype(np.uint16) * 257
        if path.read_bytes()[25] == 4:  # grey with alpha, of which Pillow makes RGBA
            values = values[..., [0, -1]]
    values = values.reshape(HEIGHT * SCALE, WIDTH * SCALE, -1).astype(float)
    return (values if bits == 32 else values / (2**bits - 1)), bits, profile


def lab(values, profile):
    """CIELAB of values 0..1 in the space of a profile (none: sRGB's), by Pillow's little CMS."""
    eight = Image.fromarray(np.rint(values * 255).clip(0, 255).astype(np.uint8).squeeze())
    if eight.mode == "L" and profile is None:
        eight = eight.convert("RGB")
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile or SRGB))
    turned = np.asarray(ImageCms.profileToProfile(eight, space, LAB, outputMode="LAB"))
    turned = turned.astype(float)
    signed = np.where(turned[..., 1:] > 127, turned[..., 1:] - 256, turned[..., 1:])
    return np.concatenate([turned[..., :1] * 100 / 255, signed], axis=2)


def bicubic(values):
    planes = [
        Image.fromarray(values[..., band].astype(np.float32)) for band in range(values.shape[2])
    ]
    size = (WIDTH * SCALE, HEIGHT * SCALE)
    return np.stack([np.asarray(p.resize(size, Image.Resampling.BICUBIC)) for p in planes], axis=2)


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_file_stays_what_it_is(case, tmp_path, upscaler):
    if case.ending == "heic":
        pytest.importorskip("pillow_heif", reason="HEIC needs upres[heif]").register_heif_opener()
    source, target = tmp_path / f"a.{case.ending}", tmp_path / f"b.{case.ending}"
    values = make(case, source)
    upscale_file(source, target, upscaler)
    result, bits, profile = read_back(case, target)
    colours = values.shape[2] - (values.shape[2] in (2, 4))
    assert bits == case.bits
    assert result.shape[2] == values.shape[2]
    assert profile == PROFILES[case.profile]
    wanted = bicubic(values)
    difference = deltaE_ciede2000(
        lab(result[..., :colours], profile), lab(wanted[..., :colours], profile)
    )
    assert difference.mean() < 1
    if colours < values.shape[2]:
        assert np.abs(result[..., -1] - wanted[..., -1]).mean() < 0.01


class Watching(Nearest):
    """Remembers the mean of what it was given."""

    def forward(self, lr: Tensor) -> Tensor:
        self.seen = float(lr.mean())
        return super().forward(lr)


@pytest.mark.parametrize(
    "profile, mean",
    [("none", 0.5), ("p3", 0.5), ("linear", 0.7354), ("linear-grey", 0.7354)],  # IEC 61966-2-1
)
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_the_network_sees_values_as_srgb_codes_them(profile, mean, bits, tmp_path):
    shape = (8, 9) if "grey" in profile else (8, 9, 3)
    values = stored(np.full(shape, 0.5), bits)
    kind = "minisblack" if "grey" in profile else "rgb"
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric=kind, iccprofile=PROFILES[profile], metadata=None
    )
    network = Watching()
    upscale_file(
        tmp_path / "a.tif", tmp_path / "b.tif", Upscaler(network, SCALE, 0, precision="float32")
    )
    assert network.seen == pytest.approx(mean, abs=0.006)
    found = tifffile.imread(tmp_path / "b.tif")
    assert np.abs(found.astype(float) - values.flat[0]).max() <= (1e-6 if bits == 32 else 0)
