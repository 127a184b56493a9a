"""Picture files: what goes in comes out; what cannot be read or held is refused in one sentence."""

import logging
import struct

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms, ImageOps

from upres.errors import BadPicture
from upres.images.files import (
    Picture,
    check_writable,
    eight_bit,
    read_picture,
    read_rgb,
    write_picture,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(*shape, kind=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


def smooth(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 3, columns * 2, rows + columns], axis=2).astype(np.uint8)


def save_deep(path, values, interpretation):
    """A 16-bit file, which Pillow cannot write."""
    height, width, bands = values.shape
    image = pyvips.Image.new_from_memory(values.tobytes(), width, height, bands, "ushort")
    image.copy(interpretation=interpretation).write_to_file(str(path))


def load_deep(path):
    image = pyvips.Image.new_from_file(str(path))
    values = np.frombuffer(image.write_to_memory(), np.uint16)
    return image.interpretation, values.reshape(image.height, image.width, image.bands)


def test_colour_and_profile_are_read_as_they_stand(tmp_path):
    values = noise(5, 7, 3)
    Image.fromarray(values).save(tmp_path / "a.png", icc_profile=SRGB)
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, values)
    assert (picture.icc, picture.alpha, picture.grey, picture.pages) == (SRGB, None, False, 1)


def test_colour_and_profile_are_written_as_they_stand(tmp_path):
    values = noise(5, 7, 3)
    write_picture(tmp_path / "a.png", Picture(pixels=values, icc=SRGB))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert image.info["icc_profile"] == SRGB
        assert np.array_equal(np.asarray(image), values)


def test_a_picture_without_profile_gets_none(tmp_path):
    write_picture(tmp_path / "a.jpg", Picture(pixels=smooth(5, 7)))
    assert read_picture(tmp_path / "a.jpg").icc is None


@pytest.mark.parametrize("mode, channels", [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_grey_and_alpha_survive_reading_and_writing(tmp_path, mode, channels):
    values = noise(5, 7, channels)
    flat = values[..., 0] if channels == 1 else values
    Image.fromarray(flat).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.grey == (channels < 3)
    assert (picture.alpha is not None) == (channels in (2, 4))
    write_picture(tmp_path / "b.png", picture)
    with Image.open(tmp_path / "b.png") as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), flat)


@pytest.mark.parametrize(
    "channels, interpretation", [(1, "grey16"), (2, "grey16"), (3, "rgb16"), (4, "rgb16")]
)
def test_sixteen_bits_stay_sixteen_bits(tmp_path, channels, interpretation):
    values = noise(5, 7, channels, kind=np.uint16)
    save_deep(tmp_path / "a.png", values, interpretation)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.dtype == np.uint16
    write_picture(tmp_path / "b.png", picture)
    found, again = load_deep(tmp_path / "b.png")
    assert found == interpretation
    assert np.array_equal(again, values)


def test_palettes_and_two_levels_are_expanded(tmp_path):
    values = noise(5, 7, 3) // 128 * 255
    Image.fromarray(values).convert("P").save(tmp_path / "p.png")
    Image.fromarray(values[..., 0]).convert("1").save(tmp_path / "1.png")
    assert np.array_equal(read_picture(tmp_path / "p.png").pixels, values)
    assert np.array_equal(read_picture(tmp_path / "1.png").pixels[..., 0], values[..., 0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(smooth(24, 40)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        upright = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.pixels.shape == upright.shape
    assert abs(picture.pixels - upright).max() <= 2  # two decoders
    write_picture(tmp_path / "b.png", picture)
    with Image.open(tmp_path / "b.png") as image:
        assert 0x0112 not in image.getexif()


def test_cmyk_becomes_rgb(tmp_path):
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 1:3] = 255  # magenta and yellow: red
    Image.fromarray(ink, "CMYK").save(tmp_path / "a.jpg")
    red, green, blue = read_rgb(tmp_path / "a.jpg")[8, 8].astype(int)
    assert red > 200
    assert max(green, blue) < 90


def test_jpeg_keeps_full_colour_resolution_and_nearly_all_values(tmp_path):
    values = smooth(40, 48)
    write_picture(tmp_path / "a.jpg", Picture(pixels=values))
    with Image.open(tmp_path / "a.jpg") as image:
        assert {(across, down) for _, across, down, _ in image.layer} == {(1, 1)}
        assert abs(np.asarray(image).astype(int) - values).max() <= 6


def test_a_file_is_what_it_holds_and_may_have_any_name(tmp_path):
    path = tmp_path / "Bücher \U0001f4f7 [1].jpg"
    Image.fromarray(noise(5, 7, 3)).save(path, format="PNG")
    assert np.array_equal(read_picture(path).pixels, noise(5, 7, 3))


def test_the_same_name_with_new_content_is_read_anew(tmp_path):
    for seed in (1, 2):
        Image.fromarray(noise(5, 7, 3, seed=seed)).save(tmp_path / "a.png")
        assert np.array_equal(read_rgb(tmp_path / "a.png"), noise(5, 7, 3, seed=seed))


def test_rgb_repeats_grey_leaves_alpha_out_and_has_eight_bits(tmp_path):
    values = np.full((2, 3, 2), 257 * 9, np.uint16)
    save_deep(tmp_path / "a.png", values, "grey16")
    assert np.array_equal(read_rgb(tmp_path / "a.png"), np.full((2, 3, 3), 9, np.uint8))


def test_eight_bits_are_the_nearest_levels():
    deep = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(eight_bit(deep), np.rint(deep / 257))
    assert eight_bit(deep).dtype == np.uint8


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_frames_are_counted(tmp_path, suffix):
    frames = [Image.fromarray(noise(8, 8, 3, seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / f"a.{suffix}").pages == 3


def png_with_a_flipped_bit():
    image = pyvips.Image.new_from_memory(noise(40, 40, 3).tobytes(), 40, 40, 3, "uchar")
    data = bytearray(image.pngsave_buffer())
    data[len(data) // 2] ^= 1
    return bytes(data)


@pytest.fixture
def broken(tmp_path):
    Image.fromarray(noise(40, 40, 3)).save(tmp_path / "whole.jpg")
    Image.fromarray(noise(40, 40, 3)).save(tmp_path / "whole.png")
    jpeg, png = (tmp_path / "whole.jpg").read_bytes(), (tmp_path / "whole.png").read_bytes()
    contents = {
        "half.jpg": jpeg[: len(jpeg) // 2],
        "half.png": png[: len(png) // 2],
        "bit.png": png_with_a_flipped_bit(),
        "header.jpg": jpeg[:20],
        "text.png": b"hello",
        "table.csv": b"1,2,3\n4,5,6\n",
        "empty.png": b"",
        "huge.png": png[:16] + struct.pack(">II", 2**30, 2**30) + png[24:],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    "name, reason",
    [
        ("half.jpg", "is damaged or cut short"),
        ("half.png", "is damaged or cut short"),
        ("bit.png", "is damaged or cut short"),
        ("header.jpg", "is damaged or cut short"),
        ("huge.png", "is damaged or cut short"),
        ("text.png", "is no picture of a known kind"),
        ("table.csv", "is no picture of a known kind"),
        ("empty.png", "is empty"),
        ("missing.png", "does not exist"),
        ("", "is a folder"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_quiet_sentence(
    broken, name, reason, capfd, monkeypatch
):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # so a lost record would be printed
    with pytest.raises(BadPicture) as caught:
        read_picture(broken / name)
    message = str(caught.value)
    assert message.startswith(f"{broken / name} {reason}")
    assert message.endswith(".")
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_values_that_are_not_8_or_16_bits_are_refused(tmp_path):
    image = pyvips.Image.black(4, 4, bands=3).cast("float")
    image.write_to_file(str(tmp_path / "a.tif"))
    with pytest.raises(
        BadPicture, match=r"a\.tif has 3 channels of 32 bits; grey or RGB of 8 or 16"
    ):
        read_picture(tmp_path / "a.tif")


def test_five_channels_are_refused(tmp_path):
    pyvips.Image.black(4, 4, bands=5).write_to_file(str(tmp_path / "a.tif"))
    with pytest.raises(BadPicture, match=r"a\.tif has 5 channels"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "name, picture, message",
    [
        ("a.webp", Picture(pixels=noise(2, 2, 3)), "pictures are written as .png, .jpg, .jpeg"),
        ("a", Picture(pixels=noise(2, 2, 3)), "give the output one of these endings"),
        ("a.jpg", Picture(pixels=noise(2, 2, 3), alpha=noise(2, 2)), "hold the picture's transp"),
        ("a.JPEG", Picture(pixels=noise(2, 2, 1, kind=np.uint16)), "hold the picture's 16 bits"),
        ("a.jpg", Picture(pixels=noise(1, 65_501, 1)), "65500 px a side at most"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name, picture, message):
    with pytest.raises(BadPicture, match=message):
        write_picture(tmp_path / name, picture)
    assert list(tmp_path.iterdir()) == []


def test_the_enlarged_size_is_asked_before_the_work(tmp_path):
    picture = Picture(pixels=noise(1, 16_400, 1))
    check_writable(tmp_path / "a.jpg", picture)
    check_writable(tmp_path / "a.png", picture, scale=4)
    with pytest.raises(BadPicture, match="the picture is 65600x4"):
        check_writable(tmp_path / "a.jpg", picture, scale=4)


def test_a_warning_of_libvips_is_not_printed(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # so a lost record would be printed
    Image.fromarray(noise(5, 7)).save(tmp_path / "a.png", icc_profile=SRGB)  # RGB's on grey: wrong
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels[..., 0], noise(5, 7))
    assert capfd.readouterr() == ("", "")
