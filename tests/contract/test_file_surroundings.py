"""What surrounds the pixels: orientation, EXIF, XMP, frames, pages, inks, quality, and refusals.

Files are made and read back by other libraries (Pillow, tifffile, exiftool).
"""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor, nn

from upres.batch.one_file import upscale_file
from upres.errors import BadPicture, MissingExtra
from upres.images.saving import SaveSettings
from upres.upscaling.upscaler import Upscaler

SCALE = 2
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXIFTOOL = shutil.which("exiftool")


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3)


@pytest.fixture(scope="module")
def upscaler():
    return Upscaler(Nearest(), SCALE, 0, precision="float32")


def slow_colours(height=24, width=36):
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    planes = [80 + 100 * x, 180 - 80 * y, 90 + 50 * x + 50 * y]
    return np.stack(planes, axis=2).astype(np.uint8)


def register_heif(ending):
    if ending == "heic":
        pytest.importorskip("pillow_heif", reason="HEIC needs upres[heif]").register_heif_opener()


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """A file of each kind with a camera, a date, a place, a thumbnail, XMP and its size."""
    if EXIFTOOL is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("tagged")
    Image.fromarray(slow_colours(6, 8)).save(folder / "thumbnail.jpg")
    (folder / "srgb.icc").write_bytes(SRGB)
    tags = [
        "-IFD0:Orientation#=6",
        "-Make=Nikon",
        "-DateTimeOriginal=2020:01:02 03:04:05",
        "-FNumber=2.8",
        "-ExifImageWidth=36",
        "-ExifImageHeight=24",
        "-GPSLatitude=48.1",
        "-GPSLatitudeRef=N",
        "-XMP-tiff:Orientation#=6",
        "-XMP-tiff:ImageWidth=36",
        "-XMP-dc:Title=hello",
        f"-ICC_Profile<={folder / 'srgb.icc'}",
    ]
    made = {}
    for ending in ("jpg", "tif"):
        made[ending] = folder / f"a.{ending}"
        Image.fromarray(slow_colours()).save(made[ending])
    write = [EXIFTOOL, "-q", "-overwrite_original"]
    subprocess.run([*write, *tags, *map(str, made.values())], check=True)
    add = f"-ThumbnailImage<={folder / 'thumbnail.jpg'}"
    subprocess.run([*write, add, str(made["jpg"])], check=True)
    return made


def tags_of(path):
    asked = ["-j", "-n", "-a", "-G1", "-s", str(path)]
    run = subprocess.run([EXIFTOOL, *asked], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)[0]


@pytest.mark.parametrize("target", ["jpg", "png", "webp", "avif", "heic", "tif"])
@pytest.mark.parametrize("source", ["jpg", "tif"])
def test_tags_are_kept_and_true(source, target, tmp_path, upscaler, tagged):
    register_heif(target)
    result = tmp_path / f"b.{target}"
    upscale_file(tagged[source], result, upscaler)
    tags = tags_of(result)
    assert tags["IFD0:Make"] == "Nikon"
    assert tags["ExifIFD:DateTimeOriginal"] == "2020:01:02 03:04:05"
    assert tags["ExifIFD:FNumber"] == 2.8
    assert (tags["ExifIFD:ExifImageWidth"], tags["ExifIFD:ExifImageHeight"]) == (48, 72)
    assert tags["GPS:GPSLatitude"] == pytest.approx(48.1)
    assert tags.get("IFD0:Orientation", 1) == 1
    assert tags.get("XMP-tiff:Orientation", 1) == 1
    assert tags.get("XMP-tiff:ImageWidth", 48) == 48
    assert tags["XMP-dc:Title"] == "hello"
    assert not any("Thumbnail" in tag for tag in tags)
    with Image.open(result) as image:
        assert image.size == (48, 72)


@pytest.mark.parametrize("metadata", ["colour", "none"])
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_tags_can_be_left_out_for_privacy(ending, metadata, tmp_path, upscaler, tagged):
    source, result = tagged["jpg"], tmp_path / f"b.{ending}"
    upscale_file(source, result, upscaler, save=SaveSettings(metadata=metadata))
    tags = tags_of(result)
    assert not any(tag.startswith(("GPS", "ExifIFD", "XMP")) for tag in tags)
    assert "IFD0:Make" not in tags
    with Image.open(result) as image:
        assert image.size == (48, 72)  # upright all the same
        assert image.info.get("icc_profile") == (SRGB if metadata == "colour" else None)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "tif", "png", "webp"])
def test_every_orientation_becomes_upright(ending, orientation, tmp_path, upscaler):
    exif = Image.Exif()
    exif[0x0112] = orientation
    source, result = tmp_path / f"a.{ending}", tmp_path / "b.png"
    Image.fromarray(slow_colours()).save(source, exif=exif)
    upscale_file(source, result, upscaler)
    turn = [0, 1, 2, 3, 4, 5, 6, 7][orientation - 1]
    upright = [
        lambda p: p,
        np.fliplr,
        lambda p: np.rot90(p, 2),
        np.flipud,
        lambda p: p.transpose(1, 0, 2),
        lambda p: np.rot90(p, -1),
        lambda p: np.rot90(p, 2).transpose(1, 0, 2),
        np.rot90,
    ][turn](slow_colours())
    with Image.open(result) as image:
        found = np.asarray(image)[::SCALE, ::SCALE].astype(int)
    assert found.shape == upright.shape
    assert abs(found - upright).mean() < 6  # JPEG and WebP lose colour resolution


@pytest.mark.parametrize("metadata", ["keep", "colour"])
def test_texts_of_a_png_are_kept(metadata, tmp_path, upscaler):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a cat, steps: 20")
    texts.add_itxt("Title", "日本")  # libvips would write other letters
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=texts)
    save = SaveSettings(metadata=metadata)
    upscale_file(tmp_path / "a.png", tmp_path / "b.png", upscaler, save=save)
    kept = {"parameters": "a cat, steps: 20"} if metadata == "keep" else {}
    assert Image.open(tmp_path / "b.png").text == kept


@pytest.mark.parametrize("quality", [40, 90])
def test_quality_is_what_was_asked_for(quality, tmp_path, upscaler):
    Image.fromarray(slow_colours()).save(tmp_path / "a.png")
    upscale_file(tmp_path / "a.png", tmp_path / "b.jpg", upscaler, save=SaveSettings(quality))
    expected = io.BytesIO()
    Image.fromarray(slow_colours()).save(expected, "JPEG", quality=quality)
    with Image.open(tmp_path / "b.jpg") as image, Image.open(expected) as like:
        assert image.quantization == like.quantization
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # colour at full resolution


def test_a_lossless_webp_stays_lossless(tmp_path, upscaler):
    noise = np.random.default_rng(0).integers(0, 256, (24, 36, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.webp", lossless=True)
    upscale_file(tmp_path / "a.webp", tmp_path / "b.webp", upscaler)
    with Image.open(tmp_path / "b.webp") as image:
        assert np.array_equal(np.asarray(image)[::SCALE, ::SCALE], noise)


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_frames_and_their_timing_are_kept(ending, tmp_path, upscaler):
    frames = [Image.fromarray(np.roll(slow_colours(), 9 * n, axis=1)) for n in range(3)]
    durations = [40, 120, 70]
    how = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 2}
    frames[0].save(tmp_path / f"a.{ending}", **how)
    upscale_file(tmp_path / f"a.{ending}", tmp_path / f"b.{ending}", upscaler)
    with Image.open(tmp_path / f"a.{ending}") as image:
        before = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    with Image.open(tmp_path / f"b.{ending}") as image:
        assert (image.n_frames, image.size) == (3, (72, 48))
        assert image.info["loop"] == 2
        found = []
        for frame, old in zip(ImageSequence.Iterator(image), before, strict=True):
            new = np.asarray(frame.convert("RGB"))[::SCALE, ::SCALE]
            assert deltaE_ciede2000(rgb2lab(new), rgb2lab(old)).mean() < 3  # palettes dither
            found.append(frame.info["duration"])
    assert found == durations


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pages_tiles_and_large_files_of_tiff(kind, tmp_path, upscaler):
    pages = np.random.default_rng(0).integers(0, 256, (3, 40, 50)).astype(kind)
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, pages, bigtiff=True, tile=(16, 16), photometric="minisblack")
    upscale_file(source, tmp_path / "b.tif", upscaler)
    found = tifffile.imread(tmp_path / "b.tif")
    assert found.dtype == kind
    assert np.array_equal(found[:, ::SCALE, ::SCALE], pages)


def test_many_bands_are_kept_one_by_one(tmp_path, upscaler):
    bands = np.random.default_rng(0).integers(0, 65536, (20, 24, 7)).astype(np.uint16)
    how = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "a.tif", bands, **how)
    upscale_file(tmp_path / "a.tif", tmp_path / "b.tif", upscaler)
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif")[::SCALE, ::SCALE], bands)


def test_floats_keep_their_range(tmp_path, upscaler):
    values = np.random.default_rng(0).normal(0, 900, (20, 24)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    upscale_file(tmp_path / "a.tif", tmp_path / "b.tif", upscaler)
    found = tifffile.imread(tmp_path / "b.tif")[::SCALE, ::SCALE]
    assert found.dtype == np.float32
    assert np.abs(found - values).max() < 1e-3  # 5600 from end to end, 24 bits


@pytest.mark.parametrize("ending", ["jpg", "tif"])
@pytest.mark.parametrize("deep", [False, True])
def test_inks_stay_inks(ending, deep, tmp_path, upscaler):
    kind, most = (np.uint16, 65535) if deep else (np.uint8, 255)
    colours = slow_colours().astype(float) / 255
    inks = np.concatenate([0.9 - colours, np.full((24, 36, 1), 0.1)], axis=2)
    values = np.rint(inks * most).astype(kind)
    source = tmp_path / f"a.{ending}"
    if ending == "jpg":
        if deep:
            pytest.skip("JPEG has 8 bits")
        Image.fromarray(values, "CMYK").save(source, quality=95, subsampling=0)
    else:
        tifffile.imwrite(source, values, photometric="separated", planarconfig="contig")
    upscale_file(source, tmp_path / f"b.{ending}", upscaler)
    upscale_file(source, tmp_path / "b.png", upscaler)
    # The profile's own tables lead from a colour to inks of another: 1.6 on the mean
    inks_again = as_shown(source, anew=True)
    if ending == "tif":
        with tifffile.TiffFile(tmp_path / "b.tif") as file:
            assert file.pages[0].photometric.name == "SEPARATED"
            assert file.asarray().dtype == kind
    new = as_shown(tmp_path / f"b.{ending}")[::SCALE, ::SCALE]
    assert deltaE_ciede2000(rgb2lab(new), rgb2lab(inks_again)).mean() < 1
    with Image.open(tmp_path / "b.png") as image:
        seen = np.asarray(image)
        seen = (seen if seen.dtype == np.uint8 else seen / 257) / 255
    assert deltaE_ciede2000(rgb2lab(seen[::SCALE, ::SCALE]), rgb2lab(as_shown(source))).mean() < 1


def as_shown(path, *, anew=False):
    """CMYK as sRGB, 0..1, by libvips's own profile: the file names none, and Pillow has none."""
    image = pyvips.Image.new_from_file(str(path))
    assert (image.interpretation, image.bands) == ("cmyk", 4)
    if anew:
        image = image.icc_import(input_profile="cmyk").icc_export(output_profile="cmyk", depth=8)
    shown = image.icc_transform("srgb", input_profile="cmyk")
    return shown.numpy().astype(float) / 255


def test_a_page_that_is_a_smaller_copy_is_left_out(tmp_path, upscaler):
    picture = slow_colours()
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(picture, photometric="rgb")
        file.write(picture[::2, ::2], photometric="rgb", subfiletype=1)
    upscale_file(tmp_path / "a.tif", tmp_path / "b.tif", upscaler)
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif")[::SCALE, ::SCALE], picture)


REFUSED = {
    "signed values of 16 bits": ((8, 9), np.int16, "minisblack"),
    "float values of 64 bits": ((8, 9), np.float64, "minisblack"),
    "unsigned values of 32 bits": ((8, 9), np.uint32, "minisblack"),
    "complex values of 64 bits": ((8, 9), np.complex64, "minisblack"),
    "Lab colours": ((8, 9, 3), np.uint8, "cielab"),
}


@pytest.mark.parametrize("told", REFUSED)
def test_values_that_would_be_cut_are_refused(told, tmp_path, upscaler):
    shape, kind, photometric = REFUSED[told]
    tifffile.imwrite(tmp_path / "a.tif", np.ones(shape, kind), photometric=photometric)
    with pytest.raises(BadPicture, match=rf"a\.tif holds {told}.*convert it"):
        upscale_file(tmp_path / "a.tif", tmp_path / "b.tif", upscaler)


def test_pages_that_differ_are_refused_by_their_sizes(tmp_path, upscaler):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(slow_colours(), photometric="rgb")
        file.write(slow_colours(8, 9), photometric="rgb")
    with pytest.raises(BadPicture, match=r"page 1 is 36x24 in 3 x 8 bits, page 2 9x8 in 3 x 8"):
        upscale_file(tmp_path / "a.tif", tmp_path / "b.tif", upscaler)


def test_a_depth_that_the_format_has_not_is_refused(tmp_path, upscaler):
    values = np.full((8, 9, 3), 40_000, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    with pytest.raises(BadPicture, match=r"AVIF holds 12 bits at most, the picture 16"):
        upscale_file(tmp_path / "a.tif", tmp_path / "b.avif", upscaler)


@pytest.mark.parametrize("bits", [10, 12])
def test_the_bits_of_an_avif_are_kept_and_white_is_white(bits, tmp_path, upscaler):
    levels = (np.arange(24 * 36).reshape(24, 36, 1) * np.ones(3)).astype(np.uint16)
    levels[:8] = 2**bits - 1
    shifted = (levels << (16 - bits)).tobytes()
    image = pyvips.Image.new_from_memory(shifted, 36, 24, 3, "ushort")
    image = image.copy(interpretation="rgb16")
    image.heifsave(str(tmp_path / "a.avif"), compression="av1", bitdepth=bits, lossless=True)
    upscale_file(tmp_path / "a.avif", tmp_path / "b.avif", upscaler)
    upscale_file(tmp_path / "a.avif", tmp_path / "b.png", upscaler)
    assert pyvips.Image.new_from_file(str(tmp_path / "b.avif")).get("heif-bitdepth") == bits
    values = pyvips.Image.new_from_file(str(tmp_path / "b.png")).numpy()[::SCALE, ::SCALE]
    assert values.dtype == np.uint16
    assert (values[:8] == 65535).all()
    assert np.abs(np.rint(values / 65535 * (2**bits - 1)) - levels).max() <= 1


def test_heic_without_its_package_says_what_to_install(tmp_path, upscaler, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(MissingExtra, match=r"a\.heic is a HEIC picture.*pip install 'upres\[heif"):
        upscale_file(tmp_path / "a.heic", tmp_path / "b.png", upscaler)
